"""One training: steps, evaluations, states and log rows, from the newest state or the start."""

import math
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from scripts.common.files import atomic_directory
from scripts.common.progress import Progress
from scripts.common.ragged import Ragged
from scripts.common.seeds import derive
from scripts.lm.batching.loader import Batch, Loader
from scripts.lm.batching.splits import steps_per_epoch
from scripts.lm.config import LMConfig
from scripts.lm.distributed.ranks import Ranks
from scripts.lm.loop.checkpoint import (
    Checkpointer,
    TrainState,
    best_path,
    load_newest,
    read_state,
    remove_leftovers,
    remove_lost,
)
from scripts.lm.loop.gradients import Gradients
from scripts.lm.loop.meter import Meter
from scripts.lm.loop.optimizer import Optimizer
from scripts.lm.loop.schedule import evaluation_steps, learning_rate, scaling_steps, warmup_steps
from scripts.lm.model.llama import build_model, prepare_for_device
from scripts.lm.model.start import Start

ROWS_PER_EPOCH = 20


class Trainer:
    """One model being trained: `Trainer(...).run()`.

    Args:
        train, dev: checked tokens of the two splits.
        vocab_size, bos, eos: of the tokenizer.
        config: model and recipe.
        seed: the experiment's seed.
        name: the modality, for progress lines.
        folder: of states, best models and models for the scaling figure.
        identity: values that must be equal in a run and in the state from which it continues.
        save_minutes: a state is written at every epoch's end and at least this often.
        ranks: the processes that train together; all hold the same `state`, only rank 0 prints and writes.
        peak, events: see `Meter`.
        start: the model to start from; None: random weights.
    """

    def __init__(
        self,
        *,
        train: Ragged,
        dev: Ragged,
        vocab_size: int,
        bos: int,
        eos: int,
        config: LMConfig,
        seed: int,
        name: str,
        folder: Path,
        identity: dict[str, Any],
        save_minutes: float,
        ranks: Ranks,
        peak: float | None = None,
        events: Path | None = None,
        start: Start | None = None,
    ):
        self.train, self.dev, self.config, self.seed = train, dev, config.training, seed
        self.name, self.folder, self.identity, self.save_minutes = name, folder, identity, save_minutes
        self.ranks = ranks
        self.start = start
        self.model = build_model(config.model, vocab_size, bos, eos, derive(seed, "lm", "init"))
        if start is not None:
            start.copy_into(self.model)
        self.model.to(ranks.device)
        if self.config.precision == "bf16":
            prepare_for_device(self.model, ranks.device, self.config.compile == "auto", self.config.row_tokens)
        self.optimizer = Optimizer(self.model, self.config, ranks)
        self.checkpointer = Checkpointer(folder, identity)
        self.state = TrainState()
        self.meter = Meter(
            config.model,
            vocab_size,
            self.config.precision,
            ranks.device,
            ranks.size,
            peak,
            events if ranks.is_main else None,
        )
        self.loader = Loader(self.config, seed, ranks)
        self.epoch_steps = steps_per_epoch(len(train), self.config.batch_utterances)
        self.steps = self.epoch_steps * self.config.epochs
        warmup = warmup_steps(self.steps, self.config)
        self.scaling_steps = set(scaling_steps(self.epoch_steps, self.config.checkpoints_in_epoch_1, warmup))
        self.evaluation_steps = set(evaluation_steps(self.epoch_steps, self.config.evaluations_per_epoch))
        self.row_every = max(1, self.epoch_steps // ROWS_PER_EPOCH)
        self.stopped_by = 0  # the signal that asked for an end

    @property
    def out_of_patience(self) -> bool:
        """Whether the dev loss has not fallen for `patience` evaluations."""
        patience = self.config.patience
        return patience is not None and self.state.evaluations_since_best >= patience

    def run(self) -> None:
        """Train to the end, from the newest state if there is one; with patience, end with the best model.

        Raises:
            ValueError: a loss or gradient that is not finite, a state of another run, or no room for a state.
        """
        with self.ranks.sync_errors():
            if self.ranks.is_main:
                self.folder.mkdir(parents=True, exist_ok=True)  # fails now rather than after minutes
                remove_leftovers(self.folder)
        self._resume()
        self.gradients = Gradients(self.model, self.config.precision, self.ranks)
        with self.checkpointer:
            self._steps()
            with self.ranks.sync_errors():
                self.checkpointer.wait()
        if self.config.patience is not None and self.ranks.is_main:
            best = best_path(self.folder, self.state.best_step) / "model.safetensors"
            self.model.load_state_dict(load_file(best, device=str(self.ranks.device)))

    def _steps(self) -> None:
        total = int(self.train.lengths.sum() - len(self.train)) * self.config.epochs
        progress = Progress(f"lm/{self.name}", total, "tokens")
        progress.resume(self.state.tokens)
        saved = time.monotonic()
        with self.loader.batches(self.train, self.state.step, self.steps) as batches:
            while not self.out_of_patience:
                start = time.monotonic()
                if (batch := next(batches, None)) is None:
                    break
                epoch, index = divmod(self.state.step, self.epoch_steps)
                loss = self._step(batch)
                dev_loss = self.dev_loss() if index + 1 in self.evaluation_steps else None
                if dev_loss is not None:
                    self._update_best(dev_loss)
                self.state.seconds += time.monotonic() - start
                if dev_loss is not None or (index + 1) % self.row_every == 0:
                    self._add_row(epoch, dev_loss)
                if self.state.step in self.scaling_steps:
                    self._export(self.folder / "scaling" / f"tokens-{self.state.tokens}")
                overdue = time.monotonic() - saved >= 60 * self.save_minutes or self.checkpointer.failed
                # The same on all ranks; a signal that arrives during the exchange is acted upon after the next step.
                stopped_by, save = self.ranks.all_reduce_max(self.stopped_by, self.ranks.is_main and overdue)
                if index + 1 == self.epoch_steps or self.out_of_patience or stopped_by or save:
                    self._save()
                    saved = time.monotonic()
                if stopped_by:
                    self._stop(stopped_by)
                if self.ranks.is_main:
                    note = f"epoch {epoch + 1}/{self.config.epochs}  loss {loss:.3f}  {self.meter.note}".rstrip()
                    progress.update(self.state.tokens, note if dev_loss is None else f"{note}  dev {dev_loss:.3f}")

    def _stop(self, number: int) -> None:
        """Exit because of a signal, once the state is on the disk."""
        with self.ranks.sync_errors():
            self.checkpointer.wait()
        if self.ranks.is_main:
            print(f"stopped by a signal after step {self.state.step}; the state is saved", file=sys.stderr)
        sys.exit(128 + number)

    def _update_best(self, dev_loss: float) -> None:
        """Count evaluations since the lowest dev loss; with patience, keep the model that has it."""
        state = self.state
        state.evaluations_since_best += 1
        if dev_loss < state.best_dev_loss:
            state.best_dev_loss, state.best_step, state.evaluations_since_best = dev_loss, state.step, 0
            if self.config.patience is not None:
                self._export(best_path(self.folder, state.step))

    def dev_loss(self) -> float:
        """Mean nats per token of the dev split; the same on every rank."""
        with self.loader.rows(self.dev) as rows:
            total = self.gradients.loss_sum(rows).item()
        return self.ranks.sum(total)[0] / int(self.dev.lengths.sum() - len(self.dev))

    def _step(self, batch: Batch) -> float:
        """One optimizer step; returns the mean loss per token of all ranks."""
        predicted = self.train.lengths[batch.indices] - 1
        count = int(predicted.sum())
        self.optimizer.zero_grad()
        loss_sum = self.gradients.add(batch.rows, count)
        grad_norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip_norm)
        own_loss, norm = torch.stack([loss_sum, grad_norm.double()]).tolist()  # the only wait for the device
        total, computed = self.ranks.sum(own_loss, batch.computed)
        if not (math.isfinite(total) and math.isfinite(norm)):  # the same on every rank
            self._refuse_step(batch, total / count, norm)
        self.optimizer.step(learning_rate(self.state.step, self.steps, self.config))
        self.state.step += 1
        self.state.tokens += count
        self.state.computed += int(computed)
        self.state.loss_sum += total
        self.state.loss_tokens += count
        self.meter.step(self.state, predicted)
        return total / count

    def _refuse_step(self, batch: Batch, loss: float, norm: float) -> None:
        """End with an error that names the utterances, once the last good state is on the disk."""
        with self.ranks.sync_errors():
            self.checkpointer.wait()
        with self.ranks.sync_errors():
            raise ValueError(
                f"lm/{self.name}: step {self.state.step + 1}: the loss is {loss} and the gradient's"
                f" norm {norm} on {', '.join(map(str, self.train.ids[batch.indices]))}; a lower"
                " lm.training.learning_rate or precision fp32 may help; the last good state is in"
                f" {self.folder}"
            )

    def _add_row(self, epoch: int, dev_loss: float | None) -> None:
        """Add a row to the log: the loss is the mean since the row before."""
        state = self.state
        state.rows.append(
            {
                "step": state.step,
                "epoch": epoch + 1,
                "tokens": state.tokens,
                "seconds": round(state.seconds, 2),
                "train_loss": round(state.loss_sum / state.loss_tokens, 6),
                "dev_loss": "" if dev_loss is None else round(dev_loss, 6),
                "lr": float(f"{learning_rate(state.step - 1, self.steps, self.config):.6g}"),
                "tokens_per_second": round(state.loss_tokens / max(state.seconds - state.row_seconds, 1e-9)),
                **self.meter.row(state),
            }
        )
        self.meter.write(state.rows[-1])
        state.loss_sum, state.loss_tokens, state.row_seconds = 0.0, 0, state.seconds

    def _export(self, folder: Path) -> None:
        """Write the model as it is now; ValueError if there is no room for it or for the state before."""
        with self.ranks.sync_errors():
            if self.ranks.is_main:
                self.checkpointer.wait()
                try:
                    with atomic_directory(folder) as aside:
                        self.model.save_pretrained(aside)
                except SafetensorError as error:
                    raise ValueError(f"{folder}: the model cannot be written ({error})") from None

    def _save(self) -> None:
        optimizer = self.optimizer.state_dict()
        with self.ranks.sync_errors():
            if self.ranks.is_main:
                self.checkpointer.save(self.state, self.model.state_dict(), optimizer)

    def _resume(self) -> None:
        """Continue from the newest state, if there is one; remove what was written after it."""
        with self.ranks.sync_errors():
            newest = load_newest(self.folder, self.identity) if self.ranks.is_main else None
        path = self.ranks.broadcast(newest and newest[0])
        with self.ranks.sync_errors():
            if path is not None:
                loaded = newest[1] if newest else read_state(path)
                self.state = TrainState(**loaded["train_state"])
                self.model.load_state_dict(loaded["model"])
                self.optimizer.load_state_dict(loaded["optimizer"])
            if self.ranks.is_main:
                remove_lost(self.folder, self.state)
                best = best_path(self.folder, self.state.best_step)
                if self.config.patience is not None and self.state.best_step and not best.exists():
                    raise ValueError(f"{best}: the best model so far is missing; delete {self.folder} to train anew")
        if path is not None and self.ranks.is_main:
            print(f"lm/{self.name}: going on after step {self.state.step} of {self.steps}", file=sys.stderr)


@contextmanager
def stop_on_signals(training: Trainer) -> Iterator[None]:
    """SIGTERM, SIGINT and SIGUSR1 (Slurm's warning) end the training after the running step, its state saved."""

    def stop(number: int, frame: Any) -> None:
        training.stopped_by = number

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
