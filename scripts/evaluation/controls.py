"""Controls: accuracies of untrained models and of shuffled durations.

untrained: `untrained_draws` models of the modality's configuration, each with other random weights; the mean over them,
with an interval over couples and models. A deviation from 50% is an artefact of the pairs (the log-probability
decreases with every token, so the model prefers the shorter side). The decisions are written item by item too: they are
a baseline of the summary.

shuffled-durations: for modalities with a frame rate, the trained model scores sequences in which the lengths of the
runs of equal symbols are exchanged among the runs of the same symbol, over all items of the task: the same symbols in
the same order, every symbol with the lengths it has, but no longer where they were. What the sides of an item share at
their beginning keeps equal lengths in both. The loss of accuracy is due to durations beyond each symbol's own.

seconds: the side with fewer seconds of speech is preferred; a task at chance is balanced. trained: the trained model on
the same items.

`control_items` items of a task are scored, evenly over its file (`scaling.sample`).
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from scripts.common import cpu
from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.cuts import Item, sides, speaker
from scripts.common.files import read_csv, write_csv
from scripts.common.seeds import derive, generator
from scripts.evaluation.accuracy import crossed_interval, decide_sides, item_interval, normalise
from scripts.evaluation.common_items import Dropped
from scripts.evaluation.config import Controls
from scripts.evaluation.items import Task, couples, cut_ids, cut_seconds, read_items, read_tokens
from scripts.evaluation.scaling import sample
from scripts.tokens.config import ModalityEntry, Symbols

COLUMNS = ("modality", "task", "control", "value", "ci_low", "ci_high", "n")
UNTRAINED_COLUMNS = ("modality", "task", "id", "voice", "couple", "draw", "correct")
NO_MODALITY = "any"  # in column `modality` of controls that depend on the speech alone


class Runs(NamedTuple):
    """A sequence BOS ... EOS as runs of equal tokens.

    Attributes:
        ends: BOS and EOS.
        symbols: the token of each run, [R].
        lengths: how many tokens each run has, [R].
    """

    ends: tuple[int, int]
    symbols: np.ndarray
    lengths: np.ndarray

    @classmethod
    def of(cls, ids: np.ndarray) -> "Runs":
        """The runs of a sequence."""
        body = np.asarray(ids[1:-1], dtype=np.int64)
        starts = np.flatnonzero(np.diff(body, prepend=-1))  # index of the first token of every run
        return cls((int(ids[0]), int(ids[-1])), body[starts], np.diff(starts, append=len(body)))

    def with_lengths(self, lengths: np.ndarray) -> np.ndarray:
        """The sequence with other lengths of its runs, uint16."""
        bos, eos = self.ends
        return np.concatenate([[bos], np.repeat(self.symbols, lengths), [eos]]).astype(np.uint16)


def _shared_runs(sides_of_item: list[Runs]) -> int:
    """Number of runs, equal in symbol and length, with which all sides of an item begin."""
    shared = min(len(side.symbols) for side in sides_of_item)
    first = sides_of_item[0]
    for side in sides_of_item[1:]:
        equal = (side.symbols[:shared] == first.symbols[:shared]) & (side.lengths[:shared] == first.lengths[:shared])
        shared = shared if equal.all() else int(np.argmin(equal))
    return shared


def shuffle_durations(
    items: list[Item], tokens: dict[str, np.ndarray], rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """The sides of all items, BOS ... EOS by cut id, with run lengths permuted among the runs of the same symbol.

    The runs that all sides of an item share at their beginning are drawn once, so that sides that begin alike still do.
    """
    runs: dict[str, Runs] = {}
    drawn_at: dict[str, np.ndarray] = {}  # index of each run's length among all that are permuted
    symbols: list[np.ndarray] = []
    lengths: list[np.ndarray] = []
    count = 0
    for item in items:
        names = [cut["id"] for cut in sides(item)]
        runs |= {name: Runs.of(tokens[name]) for name in names}
        shared, begin = _shared_runs([runs[name] for name in names]), count
        for position, name in enumerate(names):
            own = shared if position else 0  # the first side brings the shared runs with it
            added = runs[name].symbols[own:], runs[name].lengths[own:]
            drawn_at[name] = np.concatenate([np.arange(begin, begin + own), np.arange(count, count + len(added[0]))])
            symbols.append(added[0])
            lengths.append(added[1])
            count += len(added[0])
    pooled_symbols, pooled_lengths = np.concatenate(symbols), np.concatenate(lengths)
    permuted = np.empty_like(pooled_lengths)
    in_order = np.argsort(pooled_symbols, kind="stable")
    permuted[in_order] = pooled_lengths[np.lexsort((rng.random(count), pooled_symbols))]
    return {name: runs[name].with_lengths(permuted[at]) for name, at in drawn_at.items()}


def read_task(name: str, items: Path, tokens: Path, dropped: Dropped, count: int | None) -> Task:
    """`count` of the common items of a task, with their tokens in one modality."""
    kept = [item for item in read_items(items) if item["id"] not in dropped.ids[name]]
    return sample(Task(name, kept, read_tokens(tokens, cut_ids(kept)), Path()), count)


def _row(modality: str, task: Task, control: str, correct: np.ndarray, config: Controls, seed: int) -> dict[str, Any]:
    ids = [item["id"] for item in task.items]
    result = item_interval(ids, couples(task.items), correct, config.bootstrap_samples, seed)
    return {"modality": modality, "task": task.name, "control": control, **result._asdict()}


def seconds_control(task: Task, config: Controls, seed: int) -> dict[str, Any]:
    """The row of control `seconds`."""
    shorter = {cut: -seconds for cut, seconds in cut_seconds(task.items).items()}
    return _row(NO_MODALITY, task, "seconds", decide_sides(task.items, shorter), config, seed)


def trained(task: Task, scores: Path) -> np.ndarray:
    """`correct` of the task's items by the trained model."""
    correct = {(row["id"], row["voice"]): row["correct"] for row in read_csv(scores, ["id", "voice", "correct"])}
    return np.array([float(correct[item["id"], speaker(item["positive"])]) for item in task.items])


def untrained_decisions(modality: str, task: Task, correct: np.ndarray) -> list[dict[str, Any]]:
    """Rows of UNTRAINED_COLUMNS, given the decisions of every draw, [draws, items]."""
    return [
        dict(
            zip(
                UNTRAINED_COLUMNS,
                (modality, task.name, item["id"], speaker(item["positive"]), couple, draw, f"{value:g}"),
                strict=True,
            )
        )
        for draw, values in enumerate(correct, start=1)
        for item, couple, value in zip(task.items, couples(task.items), values, strict=True)
    ]


def decide_with(
    model: Any, modality: str, task: Task, tokens: dict[str, np.ndarray], control: str, config: Controls
) -> np.ndarray:
    """Score of every item of a task, float64 [N], by a model given the tokens of the sides."""
    from scripts.evaluation.logprobs import score
    from scripts.evaluation.precision import resolve_precision

    precision = resolve_precision(config.precision, model.device)
    logprobs = score(model, tokens, config.batch_tokens, f"{modality}/{task.name}/{control}", precision)
    seconds = cut_seconds(task.items)
    scores = {
        cut: normalise(np.array(lp), len(tokens[cut]) - 1, seconds[cut], config.score_normalization)
        for cut, lp in logprobs.items()
    }
    return decide_sides(task.items, scores)


def untrained_controls(
    modality: str, tasks: list[Task], folder: Path, config: Controls, seed: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of COLUMNS and of UNTRAINED_COLUMNS of untrained models of one modality, each drawn once for all tasks."""
    from scripts.lm.model.load import untrained_model

    correct: dict[str, list[np.ndarray]] = {task.name: [] for task in tasks}
    for draw in range(1, config.untrained_draws + 1):
        model = untrained_model(folder, derive(seed, "evaluation", "untrained", modality, draw))
        for task in tasks:
            decided = decide_with(model, modality, task, task.tokens, f"untrained-{draw}", config)
            correct[task.name].append(decided)
    rows, decisions = [], []
    for task in tasks:
        of_task = untrained_decisions(modality, task, np.stack(correct[task.name]))
        ids, bound, draws = ([row[name] for row in of_task] for name in ("id", "couple", "draw"))
        values = np.concatenate(correct[task.name])
        result = crossed_interval(ids, bound, list(map(str, draws)), values, config.bootstrap_samples, seed)
        rows.append({"modality": modality, "task": task.name, "control": "untrained", **result._asdict()})
        decisions += of_task
    return rows, decisions


def within_context(task: Task, tokens: Mapping[str, np.ndarray], context: int) -> Task:
    """The task with these tokens, without the couples of which a side is longer than the model's context."""
    bound = couples(task.items)
    too_long = {
        couple
        for item, couple in zip(task.items, bound, strict=True)
        if any(len(tokens[cut["id"]]) > context for cut in sides(item))
    }
    kept = [item for item, couple in zip(task.items, bound, strict=True) if couple not in too_long]
    return task._replace(items=kept, tokens={name: tokens[name] for name in cut_ids(kept)})


def shuffled_controls(
    modality: str, tasks: list[Task], folder: Path, config: Controls, seed: int
) -> Iterator[dict[str, Any]]:
    """The rows `shuffled-durations` of one modality, from its trained model."""
    from scripts.lm.model.load import load_model

    model = load_model(folder)
    for whole in tasks:
        rng = generator(seed, "evaluation", "durations", modality, whole.name)
        shuffled = shuffle_durations(whole.items, whole.tokens, rng)
        task = within_context(whole, shuffled, model.config.max_position_embeddings)
        if left_out := len(whole.items) - len(task.items):
            print(
                f"{modality}/{task.name}/shuffled-durations: {left_out} of {len(whole.items)} items are left out: with"
                " shuffled durations a side of the couple is longer than the model's context",
                file=sys.stderr,
            )
        if not task.items:
            continue
        correct = decide_with(model, modality, task, task.tokens, "shuffled-durations", config)
        yield _row(modality, task, "shuffled-durations", correct, config, seed)


def is_framed(modality: Symbols) -> bool:
    """Whether a modality has a frame rate and one token per frame, so that run lengths are durations."""
    return modality.frame_rate is not None and modality.repeats == "keep" and modality.tokenizer == "symbol"


def main() -> None:
    """Command line of rule evaluation_controls."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", required=True, type=Path, help="folder with lm/ and evaluation/")
    parser.add_argument("--tokens", required=True, type=Path, help="folder with a folder of tokens per modality")
    parser.add_argument("--modalities", required=True, help="JSON: section of the config")
    parser.add_argument("--tasks", nargs="+", required=True, help="names of the tasks")
    parser.add_argument("--items", nargs="+", required=True, type=Path, help="aligned items (jsonl.gz) per task")
    parser.add_argument("--dropped", type=Path, required=True, help="csv of the items that are not compared")
    parser.add_argument("--out", required=True, type=Path, help="csv to write")
    parser.add_argument("--untrained", required=True, type=Path, help="csv to write: untrained models, item by item")
    parser.add_argument("--config", required=True, help="JSON: keys of the section evaluation")
    parser.add_argument("--seed", required=True, type=int)
    arguments = parser.parse_args()
    config = parse(Controls, arguments.config, "evaluation")
    modalities = parse(dict[str, ModalityEntry], arguments.modalities, "modalities")
    dropped, results, seed = Dropped.read(arguments.dropped), arguments.results, arguments.seed
    cpu.prepare(config.threads)
    rows: list[dict[str, Any]] = []
    decisions: list[dict[str, Any]] = []
    for modality, definition in modalities.items():
        folder = results / f"lm/{modality}/model"
        tasks = [
            read_task(name, items, arguments.tokens / f"{modality}/tasks/{name}.bin", dropped, config.control_items)
            for name, items in zip(arguments.tasks, arguments.items, strict=True)
        ]
        if not rows:
            rows += [seconds_control(task, config, seed) for task in tasks]
        for task in tasks:
            scores = results / f"evaluation/{task.name}/{modality}.csv"
            rows.append(_row(modality, task, "trained", trained(task, scores), config, seed))
        of_untrained, of_modality = untrained_controls(modality, tasks, folder, config, seed)
        rows += of_untrained
        decisions += of_modality
        if is_framed(definition):
            rows += shuffled_controls(modality, tasks, folder, config, seed)
    write_csv(arguments.out, COLUMNS, rows)
    write_csv(arguments.untrained, UNTRAINED_COLUMNS, decisions)
    print(f"evaluation/controls: {len(rows)} accuracies of {len(modalities)} modalities", file=sys.stderr)


if __name__ == "__main__":
    run(main)
