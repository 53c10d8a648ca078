"""The demo's page: what the factors between text and phones cost, and the exposures that each modality needs."""

import argparse
import html
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from scripts.common.cli import run
from scripts.common.files import read_csv
from scripts.report import figure_exposures, headline, table_exposures, table_factors
from scripts.report.inline_figure import inline_figure
from scripts.report.labels import display_name
from scripts.report.level_panels import draw
from scripts.report.paper_values import Paper, read_paper
from scripts.report.render import html_page, html_table, write_text
from scripts.report.result_files import read_table, records

TITLE = "Demo: text and phones"
FIGURE_LABEL = "Accuracy of each modality against how often train holds a word, and the exposures needed for 75%"
FIGURE_CAPTION = (
    "Share of word pairs that each modality gets right, against the occurrences of the word in train; below, the"
    " occurrences needed for 75%, with 95% intervals over couples of items."
)
NEXT = (
    "This page compares the modalities of text and phones. The command “make run” continues from these results, adds"
    " the two modalities with 50 symbols per second (phones with durations, HuBERT units) and so the factors B and C,"
    " and writes report.html beside the folder of this page."
)


def body(factors: Path, exposures: Path, dropped: Path, modalities: Sequence[str], seed: int, paper: Paper) -> str:
    """The body of the page, HTML.

    Args:
        factors: factors.csv of these modalities.
        exposures: exposures.csv of these modalities.
        dropped: items that one of them cannot score.
        modalities: their names.
        seed: of the models.
        paper: published values.
    """
    tested = table_factors.accuracies(read_table(factors, table_factors.TEXT, table_factors.NUMBERS))
    items = {headline.domain(row["task"]): row["n"] for row in records(tested.drop_duplicates("task"))}
    names = ", ".join(display_name(name) for name in modalities)
    sentences = [
        *headline.task_sentences(tested, paper),
        f"Modalities: {names}. Items left out because one of these cannot score them: {len(read_csv(dropped))}.",
        NEXT,
    ]
    listed = "".join(f"<li>{html.escape(sentence)}</li>\n" for sentence in sentences)
    shown = partial(draw, figure_exposures.read(exposures), figure_exposures.WORDS, list(modalities))
    return "".join(
        [
            f'<div class="lead"><ul>\n{listed}</ul></div>\n',
            f'<p class="note">{html.escape(headline.basis(items, len(tested), seed))}</p>\n',
            inline_figure(shown, "exposures", FIGURE_LABEL, FIGURE_CAPTION),
            "<h2>What these factors cost</h2>\n",
            html_table(table_factors.build_table(factors, paper)),
            "<h2>Exposures needed</h2>\n",
            html_table(table_exposures.build_table(exposures)),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--factors", type=Path, required=True, help="demo/tables/factors.csv")
    parser.add_argument("--exposures", type=Path, required=True, help="demo/exposures.csv")
    parser.add_argument("--dropped", type=Path, required=True, help="demo/dropped.csv")
    parser.add_argument("--modalities", nargs="+", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--paper", required=True, help="resources/paper.yaml")
    parser.add_argument("--output", required=True, help="the page")
    args = parser.parse_args()
    content = body(args.factors, args.exposures, args.dropped, args.modalities, args.seed, read_paper(args.paper))
    write_text(args.output, html_page(TITLE, content))


if __name__ == "__main__":
    run(main)
