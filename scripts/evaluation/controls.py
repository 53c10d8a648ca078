"""Controls: accuracies of untrained models and of shuffled durations.

untrained: the modality's model with random weights. A deviation from 50% is an artefact of the pairs (the
log-probability decreases with every token, so the model prefers the shorter side). shuffled-durations: for modalities
with a frame rate, the trained model scores sequences in which the lengths of the runs of equal symbols are permuted:
the same symbols in the same order and the same total length, but other durations. The loss of accuracy is due to
durations. seconds: the side with fewer seconds of speech is preferred; a task at chance is balanced. trained: the
trained model on the same items.

`control_items` items of a task are scored, evenly over its file (`scaling.sample`).
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from scripts.common import cpu
from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.cuts import speaker
from scripts.common.files import read_csv, write_csv
from scripts.common.seeds import derive, generator
from scripts.evaluation.accuracy import by_item, decide_sides, interval, normalise
from scripts.evaluation.common_items import Dropped
from scripts.evaluation.config import Controls
from scripts.evaluation.items import Task, cut_ids, cut_seconds, read_items, read_tokens
from scripts.evaluation.scaling import sample

COLUMNS = ("modality", "task", "control", "value", "ci_low", "ci_high", "n")
NO_MODALITY = "any"  # in column `modality` of controls that depend on the speech alone


def shuffle_durations(ids: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """BOS ... EOS with the lengths of its runs of equal tokens permuted and the order of the runs kept."""
    body = ids[1:-1]
    starts = np.flatnonzero(np.diff(body, prepend=-1))  # index of the first token of every run
    lengths = np.diff(starts, append=len(body))
    return np.concatenate([ids[:1], np.repeat(body[starts], rng.permutation(lengths)), ids[-1:]]).astype(ids.dtype)


def read_task(name: str, items: Path, tokens: Path, dropped: Dropped, count: int | None) -> Task:
    """`count` of the common items of a task, with their tokens in one modality."""
    kept = [item for item in read_items(items) if item["id"] not in dropped.ids[name]]
    return sample(Task(name, kept, read_tokens(tokens, cut_ids(kept)), Path()), count)


def _row(modality: str, task: Task, control: str, correct: np.ndarray, config: Controls, seed: int) -> dict[str, Any]:
    values = by_item([item["id"] for item in task.items], correct)
    result = interval(values, config.bootstrap_samples, seed)
    return {"modality": modality, "task": task.name, "control": control, **result._asdict()}


def seconds_control(task: Task, config: Controls, seed: int) -> dict[str, Any]:
    """The row of control `seconds`."""
    shorter = {cut: -seconds for cut, seconds in cut_seconds(task.items).items()}
    return _row(NO_MODALITY, task, "seconds", decide_sides(task.items, shorter), config, seed)


def trained(task: Task, scores: Path) -> np.ndarray:
    """`correct` of the task's items by the trained model."""
    correct = {(row["id"], row["voice"]): row["correct"] for row in read_csv(scores)}
    return np.array([float(correct[item["id"], speaker(item["positive"])]) for item in task.items])


def model_controls(
    modality: str, task: Task, folder: Path, scores: Path, *, framed: bool, config: Controls, seed: int
) -> Iterator[dict[str, Any]]:
    """The rows of one modality and task.

    Args:
        modality: its name.
        task: items and tokens.
        folder: its trained model.
        scores: its scores, from score.py.
        framed: whether the length of a run of equal tokens is a duration.
        config: keys of the configuration.
        seed: of random weights, permutations and resamples.
    """
    from scripts.evaluation.logprobs import score
    from scripts.evaluation.precision import resolve_precision
    from scripts.lm.model.load import load_model, untrained_model

    cpu.prepare(config.threads)

    def correct(model: Any, tokens: dict[str, np.ndarray], control: str) -> np.ndarray:
        precision = resolve_precision(config.precision, model.device)
        logprobs = score(model, tokens, config.batch_tokens, f"{modality}/{task.name}/{control}", precision)
        counts, seconds = {cut: len(ids) - 1 for cut, ids in tokens.items()}, cut_seconds(task.items)
        normalization = config.score_normalization
        scores = {
            cut: normalise(np.array(lp), counts[cut], seconds[cut], normalization) for cut, lp in logprobs.items()
        }
        return decide_sides(task.items, scores)

    yield _row(modality, task, "trained", trained(task, scores), config, seed)
    untrained = untrained_model(folder, derive(seed, "evaluation", "untrained", modality))
    yield _row(modality, task, "untrained", correct(untrained, task.tokens, "untrained"), config, seed)
    if framed:
        rng = generator(seed, "evaluation", "durations", modality, task.name)
        shuffled = {cut: shuffle_durations(ids, rng) for cut, ids in task.tokens.items()}
        shuffled_correct = correct(load_model(folder), shuffled, "shuffled-durations")
        yield _row(modality, task, "shuffled-durations", shuffled_correct, config, seed)


def is_framed(definition: dict[str, Any]) -> bool:
    """Whether a modality has a frame rate and one token per frame, so that run lengths are durations."""
    runs = "frame_rate" in definition and definition.get("repeats") != "drop"
    return runs and definition["tokenizer"] == "symbol"


def main() -> None:
    """Command line of rule evaluation_controls."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", required=True, type=Path, help="folder with lm/ and evaluation/")
    parser.add_argument("--tokens", required=True, type=Path, help="folder with a folder of tokens per modality")
    parser.add_argument("--modalities", required=True, type=json.loads, help="section of config.yaml as JSON")
    parser.add_argument("--tasks", nargs="+", required=True, help="names of the tasks")
    parser.add_argument("--items", nargs="+", required=True, type=Path, help="aligned items (jsonl.gz) per task")
    parser.add_argument("--dropped", type=Dropped.read, required=True, help="csv of the items that are not compared")
    parser.add_argument("--out", required=True, type=Path, help="csv to write")
    parser.add_argument("--config", required=True, help="JSON: keys of the section evaluation")
    parser.add_argument("--seed", required=True, type=int)
    arguments = parser.parse_args()
    arguments.config = parse(Controls, arguments.config, "evaluation")
    config, results, seed = arguments.config, arguments.results, arguments.seed
    rows: list[dict[str, Any]] = []
    for i, (modality, definition) in enumerate(arguments.modalities.items()):
        for name, items in zip(arguments.tasks, arguments.items, strict=True):
            tokens = arguments.tokens / f"{modality}/tasks/{name}.bin"
            task = read_task(name, items, tokens, arguments.dropped, config.control_items)
            if i == 0:
                rows.append(seconds_control(task, config, seed))
            folder, scores = results / f"lm/{modality}/model", results / f"evaluation/{name}/{modality}.csv"
            framed = is_framed(definition)
            rows += model_controls(modality, task, folder, scores, framed=framed, config=config, seed=seed)
    write_csv(arguments.out, COLUMNS, rows)
    print(f"evaluation/controls: {len(rows)} accuracies of {len(arguments.modalities)} modalities", file=sys.stderr)


if __name__ == "__main__":
    run(main)
