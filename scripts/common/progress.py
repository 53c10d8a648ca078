"""Print progress as separate lines, which stay readable in log files and with parallel jobs."""

import sys
import time


class Progress:
    """Prints at most one line per `every` seconds: bar, share, rate and time left.

    Args:
        name: prefix of the lines, e.g. "lm/phone-raw".
        total: the final count, in `unit`.
        unit: what is counted ("tokens", "cuts", "s of audio").
        every: seconds between lines.
    """

    def __init__(self, name: str, total: float, unit: str, every: float = 10.0):
        self.name, self.total, self.unit, self.every = name, total, unit, every
        self.start = self.last = time.monotonic()
        self.first: float | None = None  # where this run began: what an earlier run did does not count for the rate

    def update(self, done: float, note: str = "") -> None:
        """Report that `done` of the total is done; `note` (a loss, a count) ends the line."""
        if self.first is None:
            self.first = 0.0
        now = time.monotonic()
        if now - self.last >= self.every or (done >= self.total and now - self.start >= self.every):
            self.last = now
            self._print(done, now, note)

    def resume(self, done: float) -> None:
        """Report that an earlier run has already done `done`."""
        self.first = done

    def _print(self, done: float, now: float, note: str) -> None:
        rate = max(done - (self.first or 0.0), 1e-9) / max(now - self.start, 1e-9)
        share = min(1.0, done / self.total) if self.total else 1.0
        left = max(0.0, self.total - done) / rate
        bar = "#" * round(20 * share) + "." * (20 - round(20 * share))
        print(
            f"{self.name:<24} [{bar}] {100 * share:3.0f}%  {rate:,.0f} {self.unit}/s"
            f"  {int(left) // 60}:{int(left) % 60:02d} left  {note}",
            file=sys.stderr,
            flush=True,
        )
