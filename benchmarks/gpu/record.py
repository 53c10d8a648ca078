"""What a stage measured: rows, failures and skipped measurements, written to a file after every change.

A row is one number of one case: its median, its smallest and largest value, and how many there were. A check is a row
that also says whether the number is as it must be.
"""

import gc
import math
import statistics
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu.stages import COLUMNS
from scripts.common.files import write_json

OUT_OF_MEMORY = "out of memory"


@dataclass
class Recorder:
    """The results of one stage.

    Args:
        stage: its name.
        path: JSON file that always holds what is known so far.
        deadline: `time.time()` at which the stage should end.
    """

    stage: str
    path: Path
    deadline: float
    rows: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, str]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return self.deadline - time.time()

    def add(
        self,
        case: str,
        measure: str,
        values: float | Sequence[float],
        unit: str,
        *,
        note: str = "",
        headline: bool = False,
    ) -> float:
        """Record the median of the values with their spread; returns the median. A `headline` is in the last table.

        Raises:
            ValueError: a value is not a finite number.
        """
        numbers = [float(value) for value in (values if isinstance(values, Sequence) else [values])]
        if not all(map(math.isfinite, numbers)):
            raise ValueError(f"{self.stage}, {case}: {measure} is {numbers}; finite numbers are expected")
        middle = statistics.median(numbers)
        self._row(case, measure, middle, unit, min(numbers), max(numbers), len(numbers), None, note)
        self.rows[-1]["headline"] = headline
        return middle

    def check(self, case: str, measure: str, value: float, unit: str, passed: bool, note: str = "") -> None:
        """Record a number that must satisfy a condition; the stage fails where it does not."""
        self._row(case, measure, float(value), unit, float(value), float(value), 1, bool(passed), note)

    def run(self, case: str, step: Callable[[], None], needs: float = 0.0) -> bool:
        """Do one measurement: skipped if less time than it needs is left, recorded as failed if it raises.

        Args:
            case: what is measured, for the record.
            step: measures, and records by `add` and `check`.
            needs: seconds that it is expected to take.

        Returns:
            Whether it was done to its end.
        """
        done, exhausted = False, False
        if self.left < needs:
            self.skipped.append(f"{case}: needs about {needs:.0f} s, {max(self.left, 0):.0f} s of the budget are left")
        else:
            try:
                step()
                done = True
            except torch.OutOfMemoryError as error:
                exhausted, text = True, str(error).splitlines()[0]
            except Exception as error:
                self.failures.append(
                    {
                        "case": case,
                        "exception": f"{type(error).__name__}: {error}",
                        "traceback": traceback.format_exc(),
                    }
                )
        if exhausted:  # outside of the except block, whose exception holds the tensors of every frame
            self._row(case, OUT_OF_MEMORY, 1.0, "", 1.0, 1.0, 1, None, text)
        gc.collect()
        if torch.cuda.is_available() and torch.cuda.is_initialized():
            try:
                torch.cuda.empty_cache()
            except RuntimeError:  # a failed kernel leaves no working device behind; the failure is recorded already
                done = False
        self.write(ended=False)
        return done

    def write(self, ended: bool) -> None:
        """Write what is known; `ended`: nothing will follow."""
        content = {name: value for name, value in asdict(self).items() if name not in ("path", "deadline")}
        write_json(self.path, {**content, "ended": ended})

    def _row(self, *values: Any) -> None:
        self.rows.append(dict(zip(COLUMNS, (self.stage, *values), strict=True)))
