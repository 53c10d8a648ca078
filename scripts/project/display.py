"""What `make run` prints: a line for the whole run, one per running job, warnings and errors; a file gets the rest.

A logger plugin of Snakemake, which `scripts.project.terminal` registers. In a terminal the lines are renewed in place;
elsewhere (a file, a pipe) each finished job has a line.
"""

import logging
import os
import re
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from snakemake.logging import ColorizingTextHandler, DefaultFilter, DefaultFormatter
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from scripts.project.time_left import Expected, seconds_left

EVERY = 1.0  # seconds between renewals in a terminal
TAIL_BYTES = 4000  # of a running job's log, of which the last line is shown
FAILED_LINES = 20  # of a failed job's log
KEPT = (
    "Nothing to be done",
    "Shutting down",
    "Trying to restart",
    "Terminating processes",
)  # messages without an event
# Messages around the error of a job, which is shown by itself: its command, and that all errors come again.
AROUND = ("RuleException:\nCalledProcessError", "Exiting because a job execution failed")
BAR = re.compile(r"\[[#.]+\].*")  # of scripts.common.progress: the name before it is the job's
WARNING = re.compile(r"\s*warning: ", re.IGNORECASE)


class Running(NamedTuple):
    """A job that has begun: its name, its log files and the time."""

    name: str
    logs: list[Path]
    since: float


class Display:
    """The state of a run and what is shown of it.

    Args:
        stream: the terminal or file to write to.
        log: the file that holds everything else, named at the end.
    """

    def __init__(self, stream: TextIO, log: Path) -> None:
        self.stream, self.log = stream, log
        self.live = stream.isatty() and os.environ.get("TERM") != "dumb"
        self.began = time.time()
        self.total = 0
        self.cores = 1
        self.expected: dict[int, Expected] = {}
        self.running: dict[int, Running] = {}
        self.done: dict[int, float] = {}
        self.failed: set[int] = set()
        self.ending: list[str] = []
        self.said = False  # whether a message has been shown, which explains why a run failed
        self._drawn = 0  # lines below which the cursor stands
        self._lock = threading.RLock()

    # ---- what happens ----

    def expect(self, expected: dict[int, Expected], cores: int) -> None:
        """Take over what each job will take, and say how long the run will be."""
        with self._lock:
            self.expected, self.cores = expected, cores
            if not self.live:
                self._write([f"{self.total} steps on {cores} cores, {self._left(time.time())}; log: {self.log}"])

    def begin(self, number: int, name: str, logs: Iterable[str]) -> None:
        """A job has begun."""
        with self._lock:
            self.failed.discard(number)
            self.running[number] = Running(name, [Path(log) for log in logs], time.time())

    def finish(self, number: int) -> None:
        """A job has ended well."""
        with self._lock:
            job = self.running.pop(number, None)
            if job is None:
                return
            now = time.time()
            self.done[number] = now - job.since
            self.say(f"{job.name}: {line}" for line in warnings_in(job.logs))
            if not self.live:
                self._write([f"{self._whole(now)}: {job.name}, {clock(now - job.since)}"])

    def fail(self, number: int, name: str, logs: Iterable[str], message: str) -> None:
        """A job has failed: the end of its log, or Snakemake's own message if it left none."""
        with self._lock:
            if number in self.failed:
                return
            self.failed.add(number)
            job = self.running.pop(number, None)
            lines = [f"failed: {job.name if job else name}"]
            for log in map(Path, logs):
                found = last_lines(log)[-FAILED_LINES:]
                lines += [f"    {log}:", *(f"        {line}" for line in found)] if found else []
            self.say(lines if len(lines) > 1 else [*lines, message])

    def say(self, lines: Iterable[str]) -> None:
        """Show a message, above the lines that are renewed."""
        with self._lock:
            shown = list(lines)
            if shown:
                self.said = True
                self._erase()
                self._write(shown)
                self.draw()

    def close(self, success: bool) -> None:
        """The last lines: the whole, what the run's end has to say, where the log is."""
        with self._lock:
            self._erase()
            self.live = False
            took = clock(time.time() - self.began)
            if self.total:
                self._write([f"{len(self.done)} of {self.total} steps done in {took}"])
            self._write([*self.ending, *([f"log: {self.log}"] if self.total or not success else [])])
            if not success and not self.said:
                self._write(last_lines(self.log)[-FAILED_LINES:])

    # ---- what is shown ----

    def draw(self) -> None:
        """Renew the lines in a terminal."""
        with self._lock:
            if self.live and self.total:
                self._erase()
                width, height = (size or default for size, default in zip(self._size(), (80, 24), strict=True))
                lines = [line[: width - 1] for line in self.lines(time.time())][: max(1, height - 1)]
                self._write(lines)
                self._drawn = len(lines)

    def lines(self, now: float) -> list[str]:
        """The whole run, and the jobs that run now."""
        running = sorted(self.running.values(), key=lambda job: job.since)
        width = max((len(job.name) for job in running), default=0)
        jobs = [f"  {job.name:<{width}} {clock(now - job.since):>6}  {self._last(job)}" for job in running]
        return [self._whole(now), *(line.rstrip() for line in jobs)]

    def _whole(self, now: float) -> str:
        done = f"{len(self.done):>{len(str(self.total))}} of {self.total} steps"
        return f"{done}, {clock(now - self.began)}, {self._left(now)}"

    def _left(self, now: float) -> str:
        if not self.expected:
            return "time left unknown"
        running = {number: now - job.since for number, job in self.running.items()}
        return about(seconds_left(self.expected, self.done, running, self.cores))

    def _last(self, job: Running) -> str:
        """The last line of a job's log if the job wrote it; from its bar on, if it has one."""
        for log in job.logs:
            if log.is_file() and log.stat().st_mtime >= job.since - 1:
                line = (last_lines(log) or [""])[-1]
                bar = BAR.search(line)
                return bar[0] if bar else line
        return ""

    def _size(self) -> tuple[int, int]:
        return os.get_terminal_size(self.stream.fileno())  # zeros where the terminal does not tell

    def _write(self, lines: list[str]) -> None:
        self.stream.write("".join(f"{line}\n" for line in lines))
        self.stream.flush()

    def _erase(self) -> None:
        if self._drawn:
            self.stream.write(f"\x1b[{self._drawn}F\x1b[J")
            self._drawn = 0


current: Display | None = None  # of this process, where `scripts.project.terminal` has begun one


def say_at_end(line: str) -> None:
    """Print a line when the run has ended, or now where there is no display."""
    if current is None:
        print(line, file=sys.stderr)
    else:
        current.ending.append(line)


class LogHandler(LogHandlerBase):
    """Passes Snakemake's events to the display, and all that Snakemake would print to the log."""

    def __post_init__(self) -> None:
        """Begin to renew the lines."""
        settings = self.common_settings
        self.format_plainly = DefaultFormatter(None, settings.show_failed_logs)
        self.plain = ColorizingTextHandler(nocolor=True, stream=sys.stderr, formatter=self.format_plainly)
        self.plain.addFilter(
            DefaultFilter(None, settings.debug_dag, settings.verbose, settings.dryrun, settings.printshellcmds)
        )
        self.ended = threading.Event()
        threading.Thread(target=self._renew, daemon=True).start()

    def _renew(self) -> None:
        while current is not None and not self.ended.wait(EVERY):
            current.draw()

    def close(self) -> None:
        """Stop renewing the lines."""
        self.ended.set()
        super().close()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a message in the log and show what belongs on the terminal."""
        self.plain.handle(record)
        if current is not None:
            self._show(record, current)

    def _show(self, record: Any, display: Display) -> None:
        event, text = getattr(record, "event", None), str(record.msg)
        if event == LogEvent.RUN_INFO:
            display.total = record.stats["total"]
        elif event == LogEvent.JOB_INFO:
            name = " ".join([record.rule_name, *map(str, (record.wildcards or {}).values())])
            display.begin(record.jobid, name, record.log)
        elif event == LogEvent.JOB_FINISHED:
            display.finish(record.job_id)
        elif event == LogEvent.JOB_ERROR:
            display.fail(record.jobid, record.rule_name, record.log, self.format_plainly.format(record))
        elif (event is None and text.startswith(KEPT)) or (
            record.levelno >= logging.WARNING and not text.startswith(AROUND)
        ):
            display.say(self.format_plainly.format(record).splitlines())

    @property
    def writes_to_stream(self) -> bool:
        """Whether it takes the place of Snakemake's own output: yes."""
        return True

    @property
    def writes_to_file(self) -> bool:
        """Whether Snakemake is to name its file: no."""
        return False

    @property
    def has_filter(self) -> bool:
        """Whether it chooses among messages itself: yes."""
        return True

    @property
    def has_formatter(self) -> bool:
        """Whether it formats messages itself: yes."""
        return True

    @property
    def needs_rulegraph(self) -> bool:
        """Whether it draws the graph of the rules: no."""
        return False


def warnings_in(logs: Iterable[Path]) -> list[str]:
    """Lines that a step marked as warnings, each once."""
    found = [line.strip() for log in logs if log.is_file() for line in _text(log).splitlines() if WARNING.match(line)]
    return list(dict.fromkeys(found))


def last_lines(log: Path) -> list[str]:
    """The lines with text at the end of a file, none if there is no such file."""
    if not log.is_file():
        return []
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL_BYTES))
        text = file.read().decode(errors="replace")
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def clock(seconds: float) -> str:
    """Seconds as 1:02 or 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def about(seconds: float) -> str:
    """Seconds that are an estimate: minutes below two hours, hours above."""
    if seconds < 60:
        return "less than a minute left"
    return f"about {seconds / 60:.0f} min left" if seconds < 7200 else f"about {seconds / 3600:.0f} h left"
