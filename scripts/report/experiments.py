"""Finished experiments that are compared: what is read of each, and the content of the items that it scored."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from scripts.common.cuts import Cut, sides, supervision
from scripts.common.files import read_csv, read_json
from scripts.evaluation.common_items import Dropped
from scripts.evaluation.items import read_items
from scripts.evaluation.text_items import read_text_items
from scripts.report import table_results
from scripts.report.result_files import item_scores, read_table, records

DEV = "dev"  # the task of bits
METRICS = ("accuracy", "couples", "bits_per_second")
ROUNDING = 1e-6  # between a score file's mean and the same mean in summary.csv
Content = tuple[Any, ...]  # what an item, or an utterance, consists of


@dataclass(frozen=True)
class Experiment:
    """A folder results/<name>, with its resolved configuration."""

    name: str
    folder: Path
    config: Mapping[str, Any]

    @classmethod
    def read(cls, folder: Path) -> "Experiment":
        """The experiment in a folder, under the folder's name."""
        return cls(folder.name, folder, read_json(folder / "config.json"))

    @property
    def seed(self) -> int:
        """The seed of the models that are compared."""
        return self.config["seed"]

    @property
    def score_normalization(self) -> str:
        """What decides a pair."""
        return self.config["evaluation"]["score_normalization"]

    @property
    def external_systems(self) -> list[str]:
        """Names of the other systems whose scores it holds."""
        return list(self.config["evaluation"]["external_systems"])

    @property
    def systems(self) -> list[str]:
        """Modalities, then external systems."""
        return [*self.config["modalities"], *self.external_systems]

    @cached_property
    def dropped(self) -> Dropped:
        """Items that it left out of its comparisons."""
        return Dropped.read(self.folder / "evaluation/dropped.csv")

    @cached_property
    def summary(self) -> pd.DataFrame:
        """The rows of METRICS in evaluation/summary.csv, by modality and task in the configuration's order.

        Raises:
            ValueError: names the file, if the accuracy of a cell is not the mean of its score file: the table was made
                from other scores.
        """
        path = self.folder / "evaluation/summary.csv"
        data = read_table(path, table_results.TEXT, table_results.NUMBERS)
        data = data[data["metric"].isin(METRICS)].reset_index(drop=True)
        for row in records(data[data["metric"] == "accuracy"]):
            scores = self.scores(row["task"], row["modality"])
            mean = float(item_scores(scores, self.dropped)["correct"].mean())
            if not abs(mean - row["value"]) < ROUNDING:
                raise ValueError(
                    f"{path}: the accuracy of {row['modality']} on {row['task']} is {row['value']:.6f}, but {scores}"
                    f" gives {mean:.6f}; {self.folder} is unfinished: run it to its end"
                )
        return data

    @property
    def tasks(self) -> list[str]:
        """Tasks with scores, `dev` last."""
        found = list(dict.fromkeys(self.summary["task"]))
        return [task for task in found if task != DEV] + [DEV] * (DEV in found)

    @property
    def corpus_tasks(self) -> list[str]:
        """Tasks of the corpus, which factors and seeds are compared on."""
        return [task for task in self.tasks if task not in (DEV, *self.config["evaluation"]["text_tasks"])]

    def scores(self, task: str, system: str) -> Path:
        """The score file of a system."""
        return self.folder / "evaluation" / task / f"{system}.csv"

    def table(self, name: str) -> Path:
        """A table of its report."""
        return self.folder / "report/tables" / f"{name}.csv"

    def bits(self, modality: str) -> Path:
        """Bits of a modality by utterance of dev."""
        return self.folder / "evaluation/utterance_bits" / f"{modality}.csv"

    def items(self, task: str) -> dict[str, Content]:
        """What each item of a task consists of, by id: its couple and the texts of its sides, positive first.

        A text task is read from the file that the configuration names; the result is empty if that is gone.
        """
        texts = self.config["evaluation"]["text_tasks"]
        if task in texts:
            given = Path(texts[task])
            return {item.id: item.texts for item in read_text_items(given)} if given.exists() else {}
        share = self.config["share"]["with"] or self.name  # the corpus is the first stage of what is shared
        items = read_items(self.folder.parent / share / "corpus/tasks" / f"{task}.jsonl.gz")
        return {item["id"]: (item.get("couple", ""), *map(_spoken, sides(item))) for item in items}

    def utterances(self, modality: str) -> dict[str, Content]:
        """The duration and the number of words of each utterance of dev, by id."""
        rows = read_csv(self.bits(modality), ["id", "seconds", "words"])
        return {row["id"]: (row["seconds"], row["words"]) for row in rows}


def _spoken(cut: Cut) -> Content:
    """What is said in a cut: its texts, and how words are pronounced that no lexicon has."""
    custom = supervision(cut).get("custom", {})
    return tuple(custom.get("texts", ())), tuple(sorted(custom.get("pronunciations", {}).items()))


def in_order(experiments: Sequence[Experiment], attribute: str) -> Iterator[str]:
    """The values of a list-valued attribute of all experiments, each once, those of the first experiment first."""
    yield from dict.fromkeys(value for each in experiments for value in getattr(each, attribute))
