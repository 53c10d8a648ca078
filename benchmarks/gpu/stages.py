"""The stages in their order and the seconds that each may take."""

from pathlib import Path
from typing import NamedTuple

COLUMNS = ("stage", "case", "measure", "value", "unit", "low", "high", "n", "passed", "note")  # of results.csv
GRACE = 20.0  # seconds beyond its budget after which a stage's process is ended
START = 40.0  # seconds that a new process may take to import torch and to set up the device, beyond its stage's budget
LIMIT = 335.0  # seconds after which no stage begins


class Budget(NamedTuple):
    """Seconds of a stage at the sizes for a GPU and at the tiny ones for a CPU."""

    full: float
    tiny: float

    def seconds(self, full: bool) -> float:
        """Those of the chosen sizes."""
        return self.full if full else self.tiny


# A stage is the module of the same name. The full budgets add up to less than `LIMIT`; the short ones come first.
BUDGETS = {
    "ceilings": Budget(10, 10),
    "correctness": Budget(25, 20),
    "nccl": Budget(10, 20),
    "training": Budget(100, 30),
    "train_run": Budget(110, 60),
    "extraction": Budget(25, 20),
    "clustering": Budget(22, 20),
    "scoring": Budget(26, 20),
}


def result_path(out: Path, stage: str) -> Path:
    """Where a stage's process leaves its results while it runs; the parent takes them from there."""
    return out / "running" / f"{stage}.json"
