"""Resumable training states: atomic files, the newest two kept, a damaged one skipped.

A state holds the model, the optimizer and the `Position`. It needs no random state and no scheduler:
after the weights are drawn nothing in training is random but the order, which is a function of seed
and epoch, and the learning rate is a function of the step.
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

DONE = ".checkpoints.done"  # what the folder is called while it is removed
EXPORTS = ("scaling", "best")
KEPT = 2  # newest states; the older one is for when the newest cannot be read


@dataclass
class Position:
    """How far training has come.

    Attributes:
        step: optimizer steps done.
        tokens: tokens trained on.
        seconds: time spent, over all runs.
        loss_sum: nats since the last row of the log.
        loss_tokens: tokens since the last row of the log.
        row_seconds: `seconds` at the last row of the log.
        rows: the log so far.
        computed: tokens that went through the model, those that only fill up a row among them.
        flops: operations that the model needed for them.
        row_computed, row_flops: both at the last row of the log.
        best_dev_loss, best_step: the lowest dev loss so far and the step it was measured after.
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


class Saver:
    """Writes states while training goes on: a copy of this moment is taken at once, a thread writes it.

    Used as a context: at its end what is being written is finished, and a failure raised unless another is on its way.
    """

    def __init__(self, folder: Path, identity: dict[str, Any]):
        self.folder, self.identity = folder, identity
        self._thread: Thread | None = None
        self._failure: ValueError | None = None

    def __enter__(self) -> "Saver":
        return self

    def __exit__(self, kind: type[BaseException] | None, *args: object) -> None:
        if self._thread is not None:
            self._thread.join()
        if kind is None:
            self.wait()

    @property
    def failed(self) -> bool:
        """Whether a state could not be written; `wait` or the next `save` says why."""
        return self._failure is not None

    def save(self, position: Position, model: dict[str, Any], optimizer: dict[str, Any]) -> None:
        """Begin to write a state; waits for the one before.

        Args:
            position: of this moment.
            model: its state dict.
            optimizer: its state dict, of all ranks.

        Raises:
            ValueError: the state before could not be written.
        """
        self.wait()
        state = {"identity": self.identity, "position": asdict(position), "model": model, "optimizer": optimizer}
        self._thread = Thread(target=self._write, args=(_copied(state),))
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
        except ValueError as error:
            self._failure = error


def _copied(value: Any) -> Any:
    """The same with every tensor copied to the CPU's memory, and lists and dicts with it."""
    if isinstance(value, torch.Tensor):
        return value.detach().to("cpu", copy=True)
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copied(item) for item in value]
    return value


def save_state(folder: Path, state: dict[str, Any]) -> None:
    """Write a state; remove all but the newest `KEPT`.

    Raises:
        ValueError: it cannot be written, e.g. because the disk is full; the states before it stay.
    """
    path = folder / f"step-{state['position']['step']:09d}.pt"
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
    for old in states(folder)[KEPT:]:
        old.unlink()


def _free(folder: Path) -> str:
    return f"{shutil.disk_usage(folder).free / 2**20:,.0f} MiB free there"


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed run had begun to write or to remove: a state of 1.1 billion parameters is 13 GB."""
    for begun in [*folder.glob(".*"), *folder.glob("scaling/.*"), *folder.parent.glob(DONE)]:
        if begun.is_dir():
            shutil.rmtree(begun)
        else:
            begun.unlink()


def remove_exports(folder: Path) -> None:
    """Remove the models inside epoch 1 and the best one of a run that left no state: the next makes its own."""
    for name in EXPORTS:
        shutil.rmtree(folder / name, ignore_errors=True)


def states(folder: Path) -> list[Path]:
    """State files, newest first."""
    return sorted((p for p in folder.glob("step-*.pt") if re.fullmatch(r"step-\d{9}\.pt", p.name)), reverse=True)


def load_newest(folder: Path, identity: dict[str, Any]) -> tuple[Path, dict[str, Any]] | None:
    """The newest state that can be read and its file, or None if there is none.

    Raises:
        ValueError: the state belongs to another run: another configuration, seed or other tokens.
    """
    for path in states(folder):
        try:
            _check_sums(path)
            state = read_state(path)
            found = state["identity"]
            complete = {"position", "model", "optimizer"} <= state.keys()
        except Exception as error:  # a damaged zip or pickle raises nearly anything
            _skip(path, str(error).strip().splitlines()[0] if str(error) else type(error).__name__)
            continue
        if not complete:
            _skip(path, "incomplete")
            continue
        for key in [*identity, *found]:
            if identity.get(key) != found.get(key):
                raise ValueError(
                    f"{path}: a training begun with {key} = {found.get(key)!r} cannot go on with"
                    f" {identity.get(key)!r}; set it back, or delete {folder} to train anew"
                )
        return path, state
    return None


def read_state(path: Path) -> dict[str, Any]:
    """A state file's content, tensors on the CPU."""
    return dict(torch.load(path, map_location="cpu", weights_only=True, mmap=torch.cuda.is_available()))


def _check_sums(path: Path) -> None:
    """Raise if a byte of a state has changed: torch writes checksums but does not read them."""
    with zipfile.ZipFile(path) as archive:
        if (damaged := archive.testzip()) is not None:
            raise ValueError(f"the checksum of {damaged} is wrong")


def _skip(path: Path, why: str) -> None:
    print(f"warning: {path} is damaged ({why[:120]}); taking the one before", file=sys.stderr)
