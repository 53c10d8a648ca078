"""The tables of `snakemake compare`: scores.csv, factors.csv, differences.csv and settings.csv, each in tidy form.

scores.csv and factors.csv: what every experiment's own report states, side by side (experiment_scores.py);
differences.csv: paired differences on the same items (experiment_pairs.py); settings.csv: keys in which the
configurations differ.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from scripts.common.cli import run
from scripts.common.config_differences import NOT_SET, differences
from scripts.common.files import write_csv
from scripts.report import experiment_pairs, experiment_scores
from scripts.report.experiment_pairs import Resampling, difference_rows
from scripts.report.experiment_scores import factor_rows, score_rows
from scripts.report.experiments import Experiment
from scripts.report.paper_values import read_paper

SETTING_COLUMNS = ("key", "experiment", "value")
# Sections that no score depends on.
WITHOUT_RESULT = (
    "name",
    "share",
    "download",
    "factors",
    "crossings",
    "ladders",
    "dials",
    "cluster",
    "plan",
    "report",
    "compare",
    "publish",
)


def setting_rows(experiments: Sequence[Experiment]) -> list[dict[str, str]]:
    """SETTING_COLUMNS of every key in which another experiment's configuration differs from the first one's."""
    first, *others = experiments
    values: dict[str, dict[str, str]] = {}
    own: dict[str, str] = {}
    for other in others:
        for section in dict.fromkeys([*first.config, *other.config]):
            if section in WITHOUT_RESULT:
                continue
            if section not in first.config or section not in other.config:
                found = [(section, *(("set" if section in each.config else NOT_SET) for each in (first, other)))]
            else:
                found = list(differences(section, first.config[section], other.config[section]))
            for key, here, there in found:
                own[key] = here
                values.setdefault(key, {})[other.name] = there
    return [
        {"key": key, "experiment": each.name, "value": values[key].get(each.name, own[key])}
        for key in values
        for each in experiments
    ]


def main() -> None:
    """Command line of rule compare_tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", nargs="+", type=Path, required=True, help="folders results/<name>, own first")
    parser.add_argument("--paper", nargs="?", help="resources/paper.yaml, if the paper is a column")
    parser.add_argument("--samples", type=int, required=True, help="bootstrap resamples")
    parser.add_argument("--seed", type=int, required=True, help="of the resamples")
    parser.add_argument("--output", type=Path, required=True, help="folder for the csv files")
    args = parser.parse_args()
    experiments = [Experiment.read(folder) for folder in args.experiments]
    paper = read_paper(args.paper) if args.paper else None
    scores = score_rows(experiments, paper)
    compared = difference_rows(experiments, Resampling(args.samples, args.seed))
    write_csv(args.output / "scores.csv", experiment_scores.SCORE_COLUMNS, scores)
    write_csv(args.output / "factors.csv", experiment_scores.FACTOR_COLUMNS, factor_rows(experiments, paper))
    write_csv(args.output / "differences.csv", experiment_pairs.COLUMNS, compared)
    write_csv(args.output / "settings.csv", SETTING_COLUMNS, setting_rows(experiments))
    reasons = Counter(row["paired"] for row in compared)
    paired = ", ".join(f"{count} {reason}" for reason, count in reasons.items()) or "none"
    print(
        f"compare: {len(scores)} scores of {len(experiments)} experiments; differences, paired: {paired}",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
