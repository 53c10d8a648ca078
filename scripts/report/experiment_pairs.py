"""Differences between experiments that scored the same items, each paired: with the resamples of `paired.py`.

The first experiment is the baseline. Items are the same if they have the same id, couple and texts, utterances of dev
if they have the same id, duration and number of words; the sound may differ. An id that stands for something else in
the other experiment shows that its items are others, and nothing is paired. Else the items of both are compared,
without those that either dropped, and without couples that are incomplete then. An external system is compared with
every modality of its experiment.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from scripts.common.files import read_csv
from scripts.common.seeds import generator
from scripts.evaluation.common_items import COLUMNS as DROPPED_COLUMNS
from scripts.evaluation.common_items import Dropped, incomplete_couples
from scripts.evaluation.significance import holm
from scripts.report import table_bit_factors, table_factors
from scripts.report.comparison import Comparison
from scripts.report.experiment_scores import DIFFERENCE
from scripts.report.experiments import DEV, Content, Experiment

TEXT = ("baseline_experiment", "baseline", "experiment", "modality", "task", "metric", "paired")
KEY = TEXT[:6]
PERCENT = ("change_percent", "percent_ci_low", "percent_ci_high")
TESTS = ("p_value", "p_holm", "p_equivalence", "p_equivalence_holm")
NUMBERS = (*DIFFERENCE, *PERCENT, "n", "smallest_effect", *TESTS)
COLUMNS = (*TEXT, *NUMBERS)
YES = "yes"  # in column `paired`; else the reason why not
OTHER_ITEMS, OTHER_UTTERANCES = "not paired: other items", "not paired: other utterances"
ITEMS_GONE = "not paired: the items are no longer there"


class Resampling(NamedTuple):
    """The bootstrap of the differences.

    Attributes:
        samples: number of resamples.
        seed: of the first experiment.
    """

    samples: int
    seed: int


class Pair(NamedTuple):
    """A system of one experiment and the system that it is compared with."""

    baseline_experiment: Experiment
    baseline: str
    experiment: Experiment
    modality: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """The columns KEY[:4]."""
        return self.baseline_experiment.name, self.baseline, self.experiment.name, self.modality


def pairs(experiments: Sequence[Experiment]) -> Iterator[Pair]:
    """Every system that the first experiment and another have; then the first's external systems against its models."""
    first, *others = experiments
    for other in others:
        yield from (Pair(first, name, other, name) for name in first.systems if name in other.systems)
    for system in first.external_systems:
        yield from (Pair(first, name, first, system) for name in first.config["modalities"])


def other_content(first: Mapping[str, Content], second: Mapping[str, Content]) -> bool:
    """Whether no item is the same in both, or an id stands for two contents."""
    shared = first.keys() & second.keys()
    return not shared or any(first[name] != second[name] for name in shared)


def not_compared(pair: Pair, task: str) -> Dropped:
    """Items of either score file that the pair cannot be compared on."""
    couple_of: dict[str, str] = {}
    holders: dict[str, int] = defaultdict(int)
    excluded: set[str] = set()
    for experiment, system in ((pair.baseline_experiment, pair.baseline), (pair.experiment, pair.modality)):
        rows = read_csv(experiment.scores(task, system), ["id", "couple"])
        couple_of |= {row["id"]: row["couple"] or row["id"] for row in rows}
        excluded |= experiment.dropped.ids[task]
        for name in {row["id"] for row in rows}:
            holders[name] += 1
    excluded |= {name for name, count in holders.items() if count < 2}
    excluded |= {found[0] for found in incomplete_couples(couple_of, {name: ["any"] for name in excluded})}
    return Dropped(dict.fromkeys(DROPPED_COLUMNS, "") | {"task": task, "id": name} for name in excluded)


def difference_rows(experiments: Sequence[Experiment], resampling: Resampling) -> list[dict[str, Any]]:
    """COLUMNS of every pair, task and metric; corrected p-values are for all rows of a metric."""
    rows: list[dict[str, Any]] = []
    items: dict[tuple[str, str], dict[str, Content]] = {}
    for pair in pairs(experiments):
        for task in pair.baseline_experiment.tasks:
            for metric, numbers in _compared(pair, task, resampling, items):
                key = dict(zip(KEY, (*pair.key, task, metric), strict=True))
                rows.append({**dict.fromkeys(COLUMNS, ""), **key, **numbers})
    for metric in dict.fromkeys(row["metric"] for row in rows):
        for plain, corrected in ((TESTS[0], TESTS[1]), (TESTS[2], TESTS[3])):
            tested = [row for row in rows if row["metric"] == metric and row[plain] != ""]
            for row, p_value in zip(tested, holm([row[plain] for row in tested]), strict=True):
                row[corrected] = round(p_value, 6)
    return rows


def _compared(
    pair: Pair, task: str, resampling: Resampling, items: dict[tuple[str, str], dict[str, Content]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """(metric, columns `paired` and NUMBERS) of a task that both systems have; `items` keeps what was read."""
    metrics = [_metrics(pair.baseline_experiment, pair.baseline, task), _metrics(pair.experiment, pair.modality, task)]
    if not all(metrics):
        return
    if task == DEV:
        yield "bits_per_second", _bits(pair, resampling)
    elif reason := _not_paired(pair, task, items):
        yield from ((metric, {"paired": reason}) for metric in metrics[0] if metric in metrics[1])
    else:
        yield from _accuracies(pair, task, resampling)


def _metrics(experiment: Experiment, system: str, task: str) -> list[str]:
    data = experiment.summary
    return data[(data["modality"] == system) & (data["task"] == task)]["metric"].tolist()


def _not_paired(pair: Pair, task: str, items: dict[tuple[str, str], dict[str, Content]]) -> str:
    """Why the scores of a task cannot be paired; empty if they can."""
    first, second = pair.baseline_experiment, pair.experiment
    if first.name == second.name:
        return ""
    for each in (first, second):
        if (each.name, task) not in items:
            items[each.name, task] = each.items(task)
    contents = items[first.name, task], items[second.name, task]
    if not all(contents):
        return ITEMS_GONE
    if other_content(*contents):
        return OTHER_ITEMS
    if first.score_normalization != second.score_normalization:
        return (
            f"not paired: decided by the score {first.score_normalization} in {first.name} and"
            f" {second.score_normalization} in {second.name}"
        )
    paths = first.scores(task, pair.baseline), second.scores(task, pair.modality)
    left = [{row["id"] for row in read_csv(path, ["id"])} for path in paths]
    return "" if (left[0] & left[1]) - not_compared(pair, task).ids[task] else OTHER_ITEMS


def _accuracies(pair: Pair, task: str, resampling: Resampling) -> Iterator[tuple[str, dict[str, Any]]]:
    """`accuracy`, and `couples` if there are any, on the items of both."""
    first = pair.baseline_experiment
    comparison = Comparison(
        Path(first.folder, "evaluation"), not_compared(pair, task), (), (task,), resampling.samples, resampling.seed
    )
    paths = first.scores(task, pair.baseline), pair.experiment.scores(task, pair.modality)
    for metric, paired in table_factors.pairs_by_metric(*paths, comparison, first.score_normalization):
        rng = generator(resampling.seed, "report/compare", *pair.key, task, metric)
        found = table_factors.compare(paired, resampling.samples, resampling.seed, rng)
        numbers = {name: found[name] for name in ("n", "smallest_effect", "p_value", "p_equivalence")}
        numbers |= dict(zip(DIFFERENCE, (found[name] for name in table_factors.POINTS), strict=True))
        numbers |= dict(zip(PERCENT, (found[name] for name in table_factors.CHANGE), strict=True))
        yield metric, {"paired": YES, **numbers}


def _bits(pair: Pair, resampling: Resampling) -> dict[str, Any]:
    """The columns of bits per second on the utterances of both."""
    first, second = pair.baseline_experiment, pair.experiment
    if other_content(first.utterances(pair.baseline), second.utterances(pair.modality)):
        return {"paired": OTHER_UTTERANCES}
    base, new = (table_bit_factors.read_bits(path) for path in (first.bits(pair.baseline), second.bits(pair.modality)))
    shared = base.index.intersection(new.index)
    rng = generator(resampling.seed, "report/compare", *pair.key, DEV)
    found = table_bit_factors.compare(base.loc[shared], new.loc[shared], resampling.samples, resampling.seed, rng)
    numbers = {name: found[name] for name in (*DIFFERENCE, "p_value")} | {"n": int(found["n"])}
    return {
        "paired": YES,
        **numbers,
        **dict(zip(PERCENT, (found[name] for name in table_bit_factors.CHANGE), strict=True)),
    }
