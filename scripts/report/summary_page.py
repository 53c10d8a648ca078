"""The first page of the report: the question, its answer as a figure and three sentences, then the details.

A single HTML file that loads no other, so that it reads the same alone and inside Snakemake's report.html; its figures
are inline SVG, and its sentences are generated from the tables (scripts/report/headline.py, findings.py).
"""

import argparse
import html
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from scripts.common.cli import run
from scripts.evaluation.paired import BASELINE_AT_CHANCE
from scripts.report import (
    figure_bit_factors,
    figure_chain,
    headline,
    perplexity_columns,
    table_bit_factors,
    table_dropped,
    table_factors,
    table_modalities,
    table_results,
)
from scripts.report.findings import beside_paper, factor_sentences, tests_of_factors, weak_scores
from scripts.report.inline_figure import inline_figure
from scripts.report.labels import NORMALIZATION_LABELS
from scripts.report.paper_values import Paper, read_paper
from scripts.report.render import html_page, html_table, write_text
from scripts.report.result_files import grouped, read_table, records

QUESTION = "What does each step from text to speech cost a language model?"
CHAIN_LABEL = "Accuracy of each task at each step from text to speech"
CHAIN_CAPTION = (
    "Each column is a step from text (left) to speech (right), each point a language model, each arrow a factor with"
    " its change in points, grey where its interval holds zero. Bars: 95% bootstrap intervals over couples of items,"
    " the same items for all models. Hollow: the paper's values. Dashed: chance."
)
BITS_LABEL = "Bits per second of speech before and after each factor"
BITS_CAPTION = (
    "Bits per second of speech that the language model needs for held-out speech, before and after each factor (start"
    " and tip of an arrow), on a logarithmic axis: arrows of equal length are equal ratios. Longer to the right costs"
    " more. Brackets: 95% paired bootstrap interval over utterances."
)
ELSEWHERE = (
    "The menu of report.html, or the folder <code>report/</code>: <code>tables/</code> (every number as csv, Markdown,"
    " LaTeX and HTML), <code>figures/</code>, <code>listen.html</code> (continuations to listen to).",
    "What each table and column means: <code>docs/report.md</code>, with the terms in <code>docs/glossary.md</code>.",
)
LIMITS = (
    "The intervals and tests cover the choice of test items. They hold the training seed, the corpus and the length of"
    " training fixed; run the workflow with several seeds before you trust a small difference.",
)
EQUAL = (
    "Every modality was trained on the same utterances the same number of times by a model of the same size, so a"
    " modality with more tokens also took more computation."
)
STOPPED = (
    "Every modality was trained on the same utterances by a model of the same size until its dev loss stopped"
    " falling, and the state with the lowest dev loss was evaluated: the number of passes differs between modalities."
)


@dataclass(frozen=True)
class About:
    """Facts of the run that the page states.

    Attributes:
        name, seed, source, epochs, patience, score_normalization: config keys of these names.
        isolated_words: `corpus.world.isolated_words`; used only if the source is `world`.
    """

    name: str
    seed: int
    source: str
    isolated_words: int
    epochs: int
    patience: int | None
    score_normalization: str

    def corpus_policy(self) -> str:
        """One sentence about isolated words in the training split."""
        if self.source != "world":
            return "The corpus is the user's own; no word was added in isolation."
        if self.isolated_words == 0:
            return "No word was spoken alone in training, in any modality."
        return (
            "Words were also spoken alone in training, the same utterances for every modality"
            f" ({self.isolated_words} each), but no form of a word of sWUGGY."
        )


def _list(sentences: list[str] | tuple[str, ...]) -> str:
    return "<ul>\n" + "".join(f"<li>{html.escape(sentence)}</li>\n" for sentence in sentences) + "</ul>\n"


def _where_next(*, with_factors: bool) -> str:
    """Places on this page, and in the rest of the report."""
    places = [("#run", "what was run")] + [("#factors", "the cost of each factor")] * with_factors
    places += [("#results", "the scores"), ("#dropped", "what was dropped"), ("#limits", "the limits")]
    links = ", ".join(f'<a href="{place}">{words}</a>' for place, words in places)
    return (
        f"<h2>Where to go next</h2>\n<ul>\n<li>On this page: {links}.</li>\n"
        + "".join(f"<li>{line}</li>\n" for line in ELSEWHERE)
        + "</ul>\n"
    )


def run_facts(about: About, tables: Path) -> list[str]:
    """Sentences about the models, the training data, the seed and what was dropped."""
    modalities = read_table(tables / "modalities.csv", ["modality"], ["seconds"])
    dropped = read_table(tables / "dropped.csv", ["stage", "reason"], ["count"])
    reasons = ", ".join(
        f"{sum(row['count'] for row in rows):,.0f} by {stage} ({reason})"
        for (stage, reason), rows in grouped(dropped, "stage", "reason").items()
    )
    epochs = f"up to {about.epochs}" if about.patience else about.epochs
    return [
        f"Run “{about.name}”, seed {about.seed}: {len(modalities)} language models, one per modality, each trained"
        f" {epochs} epochs on the same {modalities['seconds'].max() / 3600:,.2f} h of speech.",
        about.corpus_policy(),
        f"A pair is decided by the {NORMALIZATION_LABELS[about.score_normalization]}.",
        f"Dropped: {reasons}." if reasons else "Nothing was dropped.",
    ]


def failures(tables: Path) -> str:
    """Paragraphs that say which results are not measurable; empty if all are."""
    results = read_table(tables / "results.csv", (*table_results.TEXT, perplexity_columns.MEASURABLE), [])
    sentences = perplexity_columns.failures(records(results))
    return "".join(f'<p class="warning">{html.escape(sentence)}</p>\n' for sentence in sentences)


def answer(about: About, tables: Path, chain: Path | None, paper: Paper, *, with_bits: bool) -> str:
    """Figures of what each factor costs, at most three sentences about it, and where to go next.

    Bits per second come first where no task can show a cost: there is none, or all baselines are at chance.

    Args:
        about: facts of the run.
        tables: folder of the tables.
        chain: data of the figure `chain`, if there are tasks.
        paper: published values.
        with_bits: bit_factors.csv is in `tables`.
    """
    modalities = read_table(tables / "modalities.csv", ["modality"], [])["modality"].tolist()
    figures, sentences, basis = [], [], ""
    with_tasks = False  # a task can show what a factor costs
    if chain:
        draw = partial(figure_chain.draw, figure_chain.read(chain), modalities)
        figures.append(inline_figure(draw, "chain", CHAIN_LABEL, CHAIN_CAPTION))
        factors = table_factors.accuracies(
            read_table(tables / "factors.csv", table_factors.TEXT, table_factors.NUMBERS)
        )
        items = {headline.domain(row["task"]): row["n"] for row in records(factors.drop_duplicates("task"))}
        with_tasks = bool((factors["measurable"] != BASELINE_AT_CHANCE).any())
        sentences = headline.task_sentences(factors, paper)
        basis = headline.basis(items, len(factors), about.seed)
    if with_bits:
        bits = figure_bit_factors.read(tables / "bit_factors.csv")
        utterances = bits["n"].max()
        draw = partial(figure_bit_factors.draw, bits, modalities)
        caption = f"{BITS_CAPTION} Utterances: {utterances:,.0f}."
        figures.append(inline_figure(draw, "bits", BITS_LABEL, caption))
        if not with_tasks:
            figures.reverse()
            sentences = headline.bit_sentences(bits, paper)
            basis = headline.basis({"utterances": utterances}, len(bits), about.seed)
    if not figures:
        return _where_next(with_factors=False)
    said = f'<div class="lead">{_list(sentences)}</div><p class="note">{html.escape(basis)}</p>\n'
    beside = f"<div>{said}{_where_next(with_factors=bool(chain))}</div>"
    return f'<div class="answer">{figures[0]}{beside}</div>\n' + "".join(figures[1:])


def body(about: About, tables: Path, paper: Paper, *, chain: Path | None, with_bits: bool) -> str:
    """The body of the page, HTML; `chain` (given if factors.csv is there) and `with_bits` as for `answer`."""
    results = read_table(tables / "results.csv", table_results.TEXT, table_results.NUMBERS)
    parts = [failures(tables), answer(about, tables, chain, paper, with_bits=with_bits)]
    parts += ['<h2 id="run">What was run</h2>\n', _list(run_facts(about, tables))]
    if chain:
        factors = read_table(tables / "factors.csv", table_factors.TEXT, table_factors.NUMBERS)
        factors = table_factors.accuracies(factors)
        sentences = [
            *factor_sentences(factors, paper),
            tests_of_factors(factors, about.seed),
            *beside_paper(factors, paper),
        ]
        parts += ['<h2 id="factors">The cost of each factor</h2>\n', _list(sentences)]
        parts.append(html_table(table_factors.build_table(tables / "factors.csv", paper)))
    if with_bits:
        in_bits = table_bit_factors.build_table(tables / "bit_factors.csv", paper)
        parts += [f"<h2>{html.escape(in_bits.title)}</h2>\n", html_table(in_bits)]
    scores = table_results.build_table(tables / "results.csv", paper, about.score_normalization)
    parts += [f'<h2 id="results">{html.escape(scores.title)}</h2>\n', _list(weak_scores(results)), html_table(scores)]
    modalities = table_modalities.build_table(tables / "modalities.csv", paper)
    parts += [f"<h2>{html.escape(modalities.title)}</h2>\n", html_table(modalities)]
    parts += ['<h2 id="dropped">What was dropped</h2>\n', html_table(table_dropped.build_table(tables / "dropped.csv"))]
    parts += ['<h2 id="limits">Limits</h2>\n', _list((*LIMITS, STOPPED if about.patience else EQUAL))]
    return "".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=Path, required=True, help="folder with {modalities,results,dropped}.csv")
    parser.add_argument("--chain", type=Path, nargs="?", help="figures/chain.csv, if factors.csv is there too")
    parser.add_argument("--with-bit-factors", action="store_true", help="bit_factors.csv is in the folder too")
    parser.add_argument("--about", type=json.loads, required=True, help="name, seed, source, ... as JSON")
    parser.add_argument("--paper", required=True, help="resources/paper.yaml")
    parser.add_argument("--output", required=True, help="the page")
    args = parser.parse_args()
    about = About(**args.about)
    content = body(about, args.tables, read_paper(args.paper), chain=args.chain, with_bits=args.with_bit_factors)
    write_text(args.output, html_page(QUESTION, content))


if __name__ == "__main__":
    run(main)
