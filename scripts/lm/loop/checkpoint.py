"""Resumable training states: atomic files, the newest two kept, a damaged one skipped.

A state holds the model, the optimizer and the `TrainState`. It needs no random state and no scheduler: after the
weights are drawn nothing in training is random but the order, which is a function of seed and epoch, and the learning
rate is a function of the step. The model with the lowest dev loss is a folder of its own, `best-<step>`: it stays as
long as a state names its step, so a run that continues from a state finds the best model of that state's past, never
one of steps that were lost.
"""

import os
import re
import shutil
import sys
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import torch

from scripts.common.files import atomic_path

FORMAT = 2  # of a state file; 1 (no "format", but "position") was written before 2026-12
DONE = ".checkpoints.done"  # what the folder is called while it is removed
NUM_STATES = 2  # newest states that are kept; the older one is for when the newest cannot be read


@dataclass
class TrainState:
    """How far training has come.

    Attributes:
        step: optimizer steps done.
        tokens: tokens trained on.
        seconds: time spent, over all runs.
        loss_sum: nats since the last row of the log.
        loss_tokens: tokens since the last row of the log.
        row_seconds: `seconds` at the last row of the log.
        rows: the log so far.
        computed: tokens that went through the model, padding included.
        flops: operations that the model needed for them.
        row_computed, row_flops: both at the last row of the log.
        best_dev_loss, best_step: the lowest dev loss so far and the step after which it was measured.
        evaluations_since_best: how often the dev loss has not fallen below it since.
    """

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    loss_sum: float = 0.0
    loss_tokens: int = 0
    row_seconds: float = 0.0
    rows: list[dict[str, Any]] = field(default_factory=list)
    computed: int = 0
    row_computed: int = 0
    flops: float = 0.0
    row_flops: float = 0.0
    best_dev_loss: float = float("inf")
    best_step: int = 0
    evaluations_since_best: int = 0


class Checkpointer:
    """Writes states while training goes on: `save` copies the state at once, a thread writes the copy.

    As a context it finishes, at the end, what is being written; a failure is raised unless another is on its way.
    """

    def __init__(self, folder: Path, identity: dict[str, Any]):
        self.folder, self.identity = folder, identity
        self._thread: Thread | None = None
        self._failure: BaseException | None = None
        self._pinned: dict[str, torch.Tensor] = {}

    def __enter__(self) -> "Checkpointer":
        return self

    def __exit__(self, kind: type[BaseException] | None, *args: object) -> None:
        if self._thread is not None:
            self._thread.join()
        if kind is None:
            self.wait()

    @property
    def failed(self) -> bool:
        """Whether a state could not be written; `wait` or the next `save` raises the reason."""
        return self._failure is not None

    def save(self, train_state: TrainState, model: dict[str, Any], optimizer: dict[str, Any]) -> None:
        """Begin to write a state; waits until the one before is written.

        Args:
            train_state: of this moment.
            model: its state dict.
            optimizer: its state dict, of all ranks.

        Raises:
            ValueError: the state before could not be written.
        """
        self.wait()
        state = {"format": FORMAT, "identity": self.identity, "train_state": asdict(train_state)}
        copy = self._copied({**state, "model": model, "optimizer": optimizer}, "")
        if self._pinned:
            torch.cuda.synchronize()  # the copies are asynchronous
        self._thread = Thread(target=self._write, args=(copy,))
        self._thread.start()

    def wait(self) -> None:
        """Return when the state that was begun is on the disk.

        Raises:
            ValueError: it cannot be written, e.g. because the disk is full; the states before it stay.
        """
        if self._thread is not None:
            self._thread.join()
        self._thread = None
        if self._failure is not None:
            raise self._failure

    def _write(self, state: dict[str, Any]) -> None:
        try:
            save_state(self.folder, state)
        except BaseException as error:  # the main thread raises it
            self._failure = error

    def _copied(self, value: Any, key: str) -> Any:
        """Copy a nested state to the CPU's memory.

        Tensors of a GPU go to page-locked memory, which all states of a run share: `save` waits until the state before
        is written.
        """
        if isinstance(value, torch.Tensor):
            if value.device.type != "cuda":
                return value.detach().clone()
            if key not in self._pinned:
                self._pinned[key] = torch.empty(value.shape, dtype=value.dtype, pin_memory=True)
            return self._pinned[key].copy_(value.detach(), non_blocking=True)
        if isinstance(value, dict):
            return {name: self._copied(item, f"{key}/{name}") for name, item in value.items()}
        if isinstance(value, list):
            return [self._copied(item, f"{key}/{index}") for index, item in enumerate(value)]
        return value


def save_state(folder: Path, state: dict[str, Any]) -> None:
    """Write a state; remove all but the newest `NUM_STATES`, and best models that no state names any more.

    Raises:
        ValueError: it cannot be written, e.g. because the disk is full; the states before it stay.
    """
    path = folder / f"step-{state['train_state']['step']:09d}.pt"
    try:
        with atomic_path(path) as aside, open(aside, "wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())  # a state that is named must outlive a machine that goes down
    except (OSError, RuntimeError) as error:  # torch's zip writer turns a full disk into a RuntimeError
        before = next((str(p) for p in states(folder)), None)
        raise ValueError(
            f"{path}: the training state cannot be written ({str(error).splitlines()[0]}; {_free(folder)});"
            f" {f'the state before it, {before}, is intact' if before else 'there is none before it'};"
            " make room and start the same command again"
        ) from None
    for old in states(folder)[NUM_STATES:]:
        old.unlink()
    _remove_old_best(folder)


def best_path(folder: Path, step: int) -> Path:
    """The folder of the model that had the lowest dev loss after this step."""
    return folder / f"best-{step:09d}"


def _remove_old_best(folder: Path) -> None:
    """Remove best models that no state names: a state names the last one up to its own step."""
    best = {int(path.name[5:]): path for path in folder.glob("best-*")}
    named = {max((step for step in best if step <= _step(path)), default=0) for path in states(folder)}
    newest = max(map(_step, states(folder)))
    for step, path in best.items():
        if step not in named and step < newest:  # a later one is of training that goes on
            shutil.rmtree(path)


def _step(path: Path) -> int:
    return int(path.name[5:14])


def _free(folder: Path) -> str:
    return f"{shutil.disk_usage(folder).free / 2**20:,.0f} MiB free there"


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed run had begun to write or to remove: a state of 1.1 billion parameters is 13 GB."""
    for leftover in [*folder.glob(".*"), *folder.glob("scaling/.*"), *folder.parent.glob(DONE)]:
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()


def remove_lost(folder: Path, train_state: TrainState) -> None:
    """Remove what a run wrote after the state that is continued: its steps will be done again, maybe differently."""
    for path in states(folder):
        if _step(path) > train_state.step:  # it cannot be read, or it would be the one that is continued
            path.unlink()
    for path in folder.glob("best-*"):
        if int(path.name[5:]) > train_state.step:
            shutil.rmtree(path)
    for path in folder.glob("scaling/tokens-*"):
        if int(path.name[7:]) > train_state.tokens:
            shutil.rmtree(path)


def states(folder: Path) -> list[Path]:
    """State files, newest first."""
    return sorted((p for p in folder.glob("step-*.pt") if re.fullmatch(r"step-\d{9}\.pt", p.name)), reverse=True)


def load_newest(folder: Path, identity: dict[str, Any]) -> tuple[Path, dict[str, Any]] | None:
    """The newest state that can be read and its file, or None if there is none.

    Raises:
        ValueError: the state belongs to another run (another configuration, seed or other tokens), or was written
            by an earlier version, or there are states and none of them can be read.
    """
    damaged: list[Path] = []
    for path in states(folder):
        try:
            _check_sums(path)
            state = read_state(path)
            written_with = state["identity"]
            complete = {"model", "optimizer"} <= state.keys() and bool({"train_state", "position"} & state.keys())
        except Exception as error:  # a damaged zip or pickle raises nearly anything
            _warn_damaged(path, str(error).strip().splitlines()[0] if str(error) else type(error).__name__)
            damaged.append(path)
            continue
        if not complete:
            _warn_damaged(path, "incomplete")
            damaged.append(path)
            continue
        if state.get("format", 1) != FORMAT:
            raise ValueError(
                f"{path}: a training state in format {state.get('format', 1)}, of another version of this project;"
                f" this version reads format {FORMAT}: delete {folder} to train anew, or end the training with that one"
            )
        for key in [*identity, *written_with]:
            if identity.get(key) != written_with.get(key):
                raise ValueError(
                    f"{path}: a training begun with {key} = {written_with.get(key)!r} cannot go on with"
                    f" {identity.get(key)!r}; set it back, or delete {folder} to train anew"
                )
        if damaged:
            print(f"warning: training goes on from the state before it, {path}", file=sys.stderr)
        return path, state
    if damaged:
        raise ValueError(
            f"{folder}: none of its {len(damaged)} training states can be read ({', '.join(p.name for p in damaged)});"
            f" restore one of them from a copy, or delete {folder} to train anew from the first step"
        )
    return None


def read_state(path: Path) -> dict[str, Any]:
    """A state file's content, tensors on the CPU."""
    return dict(torch.load(path, map_location="cpu", weights_only=True, mmap=torch.cuda.is_available()))


def _check_sums(path: Path) -> None:
    """Raise if a byte of a state has changed: torch writes checksums but does not read them."""
    with zipfile.ZipFile(path) as archive:
        if (damaged := archive.testzip()) is not None:
            raise ValueError(f"the checksum of {damaged} is wrong")


def _warn_damaged(path: Path, why: str) -> None:
    print(f"warning: {path} is damaged ({why[:120]})", file=sys.stderr)
