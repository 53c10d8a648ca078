"""The first page of the report: the run, the cost of each factor, and the main tables.

A single HTML file that loads no other; its sentences are generated from the tables (scripts/report/findings.py).
"""

import argparse
import html
import json
from dataclasses import dataclass
from pathlib import Path

from scripts.common.cli import run
from scripts.report import table_dropped, table_factors, table_modalities, table_results
from scripts.report.findings import beside_paper, factor_sentences, tests_of_factors, weak_scores
from scripts.report.labels import NORMALIZATION_LABELS
from scripts.report.paper_values import Paper, read_paper
from scripts.report.render import html_page, html_table, write_text
from scripts.report.result_files import grouped, read_table

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


def body(about: About, tables: Path, paper: Paper, *, with_factors: bool) -> str:
    """The body of the page, HTML."""
    results = read_table(tables / "results.csv", table_results.TEXT, table_results.NUMBERS)
    parts = ["<h2>What was run</h2>\n", _list(run_facts(about, tables))]
    if with_factors:
        factors = read_table(tables / "factors.csv", table_factors.TEXT, table_factors.NUMBERS)
        factors = table_factors.accuracies(factors)
        sentences = [
            *factor_sentences(factors, paper),
            tests_of_factors(factors, about.seed),
            *beside_paper(factors, paper),
        ]
        parts += ["<h2>The cost of each factor</h2>\n", _list(sentences)]
        parts.append(html_table(table_factors.build_table(tables / "factors.csv", paper)))
    scores = table_results.build_table(tables / "results.csv", paper, about.score_normalization)
    parts += [f"<h2>{html.escape(scores.title)}</h2>\n", _list(weak_scores(results)), html_table(scores)]
    modalities = table_modalities.build_table(tables / "modalities.csv", paper)
    parts += [f"<h2>{html.escape(modalities.title)}</h2>\n", html_table(modalities)]
    parts += ["<h2>What was dropped</h2>\n", html_table(table_dropped.build_table(tables / "dropped.csv"))]
    parts += ["<h2>Limits</h2>\n", _list((*LIMITS, STOPPED if about.patience else EQUAL))]
    return "".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=Path, required=True, help="folder with {modalities,results,dropped}.csv")
    parser.add_argument("--with-factors", action="store_true", help="factors.csv is there too")
    parser.add_argument("--about", type=json.loads, required=True, help="name, seed, source, ... as JSON")
    parser.add_argument("--paper", required=True, help="resources/paper.yaml")
    parser.add_argument("--output", required=True, help="the page")
    args = parser.parse_args()
    about = About(**args.about)
    content = body(about, args.tables, read_paper(args.paper), with_factors=args.with_factors)
    write_text(args.output, html_page("The cost of each step from text to speech for a language model", content))


if __name__ == "__main__":
    run(main)
