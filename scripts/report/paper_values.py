"""The paper's published numbers (resources/paper.yaml), looked up by the config's names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.common.files import read_yaml


@dataclass(frozen=True)
class Paper:
    """The values that the paper prints; a lookup of a cell that it lacks gives None.

    Attributes:
        source: where the numbers come from.
        modalities: Table 2, modality -> column -> value.
        results: Table 4, modality -> task -> accuracy in %.
        factors: Table 3, (factor, baseline, modality) -> task -> change in %.
        meanings: factor -> its description.
    """

    source: str
    modalities: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    results: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    factors: Mapping[tuple[str, str, str], Mapping[str, float]] = field(default_factory=dict)
    meanings: Mapping[str, str] = field(default_factory=dict)

    def modality(self, modality: str, column: str) -> float | None:
        """A cell of Table 2."""
        return self.modalities.get(modality, {}).get(column)

    def accuracy(self, modality: str, task: str) -> float | None:
        """A cell of Table 4, in %."""
        return self.results.get(modality, {}).get(task)

    def change(self, factor: str, baseline: str, modality: str, task: str) -> float | None:
        """A cell of Table 3, in %, as printed."""
        return self.factors.get((factor, baseline, modality), {}).get(task)


def read_paper(path: str | Path) -> Paper:
    """Read resources/paper.yaml; ValueError names the file if it is not YAML or lacks a section."""
    content: dict[str, Any] = read_yaml(path)
    sections = ("source", "modalities", "results", "factors", "meanings")
    missing = [key for key in sections if not isinstance(content, dict) or key not in content]
    if missing:
        raise ValueError(f"{path}: no section {', '.join(missing)}")
    return Paper(
        source=content["source"],
        modalities=content["modalities"],
        results=content["results"],
        factors={(row["factor"], row["baseline"], row["modality"]): row["change"] for row in content["factors"]},
        meanings=content["meanings"],
    )
