"""Finished experiments with invented scores, as `snakemake compare` reads them; their differences are known."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from scripts.common.files import read_csv, write_csv, write_json, write_jsonl
from scripts.evaluation import summary
from scripts.evaluation.accuracy import interval
from scripts.evaluation.common_items import Dropped
from scripts.evaluation.config import Summarising
from scripts.project.defaults import default_config
from scripts.project.results_format import write_format
from tests.evaluation import made_scores

RIGHT = {"text-raw": 0.8, "phone-raw": 0.7}  # shares of items


def side(name: str, text: str) -> dict[str, Any]:
    """A cut of this text."""
    return {"id": name, "supervisions": [{"speaker": "v", "custom": {"texts": [text, text.upper()]}}]}


def items(right: np.ndarray, task: str, text: str = "word") -> list[dict[str, Any]]:
    """Items of the ids and couples of made_scores.py."""
    return [
        {
            "id": row["id"],
            "task": task,
            "subset": "s",
            "group": "g",
            "couple": row["couple"],
            "positive": side(f"{row['id']}-positive", f"{text} {row['id']}"),
            "negative": side(f"{row['id']}-negative", f"non{text} {row['id']}"),
        }
        for row in made_scores.score_rows(right)
    ]


def configuration(name: str, modalities: Mapping[str, Any], tasks: Mapping[str, Any], **others: Any) -> dict[str, Any]:
    """The default configuration with these modalities and tasks alone, without factors."""
    config = copy.deepcopy(default_config()) | {"name": name, "factors": []}
    config["modalities"] = {each: config["modalities"].get(each, {"source": "units"}) for each in modalities}
    config["corpus"]["world"]["tasks"] = {task: {} for task in tasks}
    return config | others


def write_summary(folder: Path, seed: int = 1) -> None:
    """evaluation/summary.csv of the score files and bits that are there."""
    evaluation, config = folder / "evaluation", Summarising(score_normalization="total", bootstrap_samples=50)
    dropped, rows = Dropped.read(evaluation / "dropped.csv"), []
    for path in sorted(evaluation.glob("*/*.csv")):
        found: dict[str, Any]
        if path.parent.name == "utterance_bits":
            read = read_csv(path)
            bits, seconds = (np.array([float(row[name]) for row in read]) for name in ("bits", "seconds"))
            task, found = "dev", {"bits_per_second": interval(bits, 50, seed, seconds)}
        else:
            task, found = path.parent.name, summary.accuracies(dropped.common_rows(path), config, seed)
        place = {"modality": path.stem, "task": task}
        rows += [{**place, "metric": metric, **numbers._asdict()} for metric, numbers in found.items()]
    write_csv(evaluation / "summary.csv", summary.COLUMNS, rows)


def write(
    folder: Path,
    right: Mapping[str, Mapping[str, np.ndarray]],
    bits: Mapping[str, np.ndarray],
    *,
    text: str = "word",
    **others: Any,
) -> Path:
    """Write results/<name>.

    Args:
        folder: results/<name>.
        right: task -> system -> items that it gets right, in the order of their ids.
        bits: modality -> bits of each utterance of 2 s.
        text: of the items' sides.
        others: sections of the configuration.
    """
    for task, scores in right.items():
        made_scores.write_scores(folder / "evaluation", task, scores)
        write_jsonl(folder / "corpus/tasks" / f"{task}.jsonl.gz", items(next(iter(scores.values())), task, text))
    made_scores.write_bits(folder / "evaluation", bits)
    write_summary(folder)
    write_json(folder / "config.json", configuration(folder.name, bits, right, **others))
    write_format(folder)
    return folder


def two(results: Path, *, gain: float = 0.1) -> list[Path]:
    """Two experiments on the same items and utterances; the second gets `gain` more right, with a tenth fewer bits."""
    noise = np.random.default_rng(0).uniform(10, 20, 60)
    bits = {name: noise * (1 + place) for place, name in enumerate(RIGHT)}
    first = {"swuggy": made_scores.nested(RIGHT)}
    second = {"swuggy": made_scores.nested({name: share + gain for name, share in RIGHT.items()})}
    lower = {name: 0.9 * values for name, values in bits.items()}
    return [write(results / "a", first, bits), write(results / "b", second, lower)]
