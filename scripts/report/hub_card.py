"""Cards of published folders: README.md with the front matter that model hubs read.

The keys are those of https://huggingface.co/docs/hub/model-cards and https://huggingface.co/docs/hub/datasets-cards.
"""

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from scripts.report.labels import display_name
from scripts.report.render import format_interval
from scripts.report.result_files import records

FENCE = "---\n"
# Metrics of a model's results: how a reader knows them, the factor that brings them to the unit shown, and digits.
METRICS = {
    "accuracy": ("pairs right, %", 100.0, 1),
    "couples": ("mirrored couples right, %", 100.0, 1),
    "bits_per_second": ("bits per second", 1.0, 1),
    "bits_per_word": ("bits per word", 1.0, 1),
}
WITHOUT_SEEDS = (
    "Brackets: 95% bootstrap intervals over couples of items, over utterances for bits. They hold the training seed"
    " fixed."
)


@dataclass(frozen=True)
class Origin:
    """What every card of an experiment says of it.

    Attributes:
        experiment: its name.
        seed: of every random choice.
        license: an identifier of the hub's list of licences.
        data: a sentence on the speech behind it.
    """

    experiment: str
    seed: int
    license: str
    data: str


def with_front_matter(meta: Mapping[str, Any], body: str) -> str:
    """A card: metadata as YAML between two fences, then Markdown."""
    return f"{FENCE}{yaml.safe_dump(dict(meta), sort_keys=False, allow_unicode=True)}{FENCE}\n{body.strip()}\n"


def body_of(card: str) -> str:
    """A card without its front matter."""
    return card.split(FENCE, 2)[2] if card.startswith(FENCE) else card


def model_results(summary: pd.DataFrame, modality: str) -> pd.DataFrame:
    """The rows of METRICS of a modality in summary.csv, in the unit in which they are shown."""
    rows = summary[(summary["modality"] == modality) & summary["metric"].isin(METRICS)].copy()
    scale = rows["metric"].map(lambda metric: METRICS[metric][1])
    for column in ("value", "ci_low", "ci_high"):
        rows[column] *= scale
    return rows


def results_table(rows: pd.DataFrame) -> str:
    """Markdown: task, metric, value with interval, n."""
    lines = ["| task | metric | value | n |", "|---|---|---|---|"]
    for row in records(rows):
        name, _, digits = METRICS[row["metric"]]
        value = format_interval(row["value"], row["ci_low"], row["ci_high"], digits)
        lines.append(f"| {display_name(row['task'])} | {name} | {value} | {row['n']:.0f} |")
    return "\n".join(lines)


def model_index(origin: Origin, modality: str, rows: pd.DataFrame) -> list[dict[str, Any]]:
    """The hub's entry of evaluation results."""
    results = [
        {
            "task": {"type": "text-generation"},
            "dataset": {"name": f"{display_name(str(task))} of {origin.experiment}", "type": task},
            "metrics": [
                {"name": METRICS[row["metric"]][0], "type": row["metric"], "value": round(row["value"], 4)}
                for row in records(part)
            ],
        }
        for task, part in rows.groupby("task", sort=False)
    ]
    return [{"name": f"{origin.experiment}-{modality}", "results": results}]


def section(title: str, *lines: str) -> str:
    """A section of Markdown."""
    return "\n\n".join([f"## {title}", *lines])


def code(lines: Sequence[str]) -> str:
    """A block of Python."""
    return "\n".join(["```python", *lines, "```"])


def provenance(origin: Origin) -> str:
    """Where it comes from, the last section of every card."""
    made = (
        f"Experiment {origin.experiment}, seed {origin.seed}, of a workflow that trains language models on the"
        " modalities between text and speech (after arXiv:2412.17048)."
    )
    return section("Data and licence", origin.data, made, f"Licence: {origin.license}.")


def read_origin(text: str) -> Origin:
    """An origin from the JSON of a rule's parameter."""
    return Origin(**json.loads(text))


def copy_files(sources: Iterable[str | Path], folder: Path) -> None:
    """Copy files into a folder, and the content of folders, without hidden files (Snakemake's marks)."""
    for source in map(Path, sources):
        if source.is_dir():
            shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*"))
        else:
            shutil.copyfile(source, folder / source.name)
