"""One model on its way: steps, evaluations, states and log rows, from the newest state or the start."""

import math
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from scripts.common.files import atomic_directory
from scripts.common.progress import Progress
from scripts.common.ragged import Ragged
from scripts.common.seeds import derive
from scripts.lm.batches import epoch_batches, steps_per_epoch
from scripts.lm.checkpoint import Position, Saver, load_newest, read_state, remove_exports, remove_leftovers
from scripts.lm.config import LMConfig
from scripts.lm.gradients import Gradients
from scripts.lm.meter import Meter
from scripts.lm.model import build_model
from scripts.lm.optimizer import Optimizer
from scripts.lm.ranks import Ranks
from scripts.lm.schedule import learning_rate, scaling_steps

ROWS_PER_EPOCH = 20


class Training:
    """One model on its way: `Training(...).run()`.

    Args:
        train, dev: checked tokens of the two splits.
        vocab_size, bos, eos: of the tokenizer.
        config: model and recipe.
        seed: the experiment's seed.
        name: the modality, for progress lines.
        folder: where states and exports gather.
        identity: what must not change between a state and its continuation.
        save_minutes: a state is written at every epoch's end and at least this often.
        ranks: the processes that train together; all hold the same position, rank 0 alone speaks and writes.
        peak, events: what `Meter` holds the speed against, and where it writes events.
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
    ):
        self.train, self.dev, self.config, self.seed = train, dev, config.training, seed
        self.name, self.folder, self.identity, self.save_minutes = name, folder, identity, save_minutes
        self.ranks = ranks
        init = derive(seed, "lm", "init")
        self.model = build_model(config.model, vocab_size, bos, eos, init).to(ranks.device)
        self.optimizer = Optimizer(self.model, self.config, ranks)
        self.saver = Saver(folder, identity)
        self.position = Position()
        self.meter = Meter(
            config.model,
            vocab_size,
            self.config.precision,
            ranks.device,
            ranks.size,
            peak,
            events if ranks.speaks else None,
        )
        self.epoch_steps = steps_per_epoch(len(train), self.config.batch_utterances)
        self.steps = self.epoch_steps * self.config.epochs
        self.kept = set(scaling_steps(self.epoch_steps, self.config.checkpoints_in_epoch_1))
        share = self.epoch_steps / self.config.evaluations_per_epoch
        self.evaluated = {max(1, round(share * n)) for n in range(1, self.config.evaluations_per_epoch + 1)}
        self.row_every = max(1, self.epoch_steps // ROWS_PER_EPOCH)
        self.stopped_by = 0  # the signal that asked for an end

    @property
    def out_of_patience(self) -> bool:
        """Whether the dev loss has not fallen for as many evaluations as were granted."""
        patience = self.config.patience
        return patience is not None and self.position.evaluations_since_best >= patience

    def run(self) -> None:
        """Train to the end, from the newest state if there is one; with patience, end with the best model.

        Raises:
            ValueError: a loss or gradient that is not finite, a state of another run, or no room for a state.
        """
        with self.ranks.together():
            if self.ranks.speaks:
                self.folder.mkdir(parents=True, exist_ok=True)  # fails now rather than after minutes
                remove_leftovers(self.folder)
        self._resume()
        self.gradients = Gradients(self.model, self.config, self.ranks)
        with self.saver:
            self._steps()
            with self.ranks.together():
                self.saver.wait()
        if self.config.patience is not None and self.ranks.speaks:
            best = load_file(self.folder / "best" / "model.safetensors", device=str(self.ranks.device))
            self.model.load_state_dict(best)

    def _steps(self) -> None:
        total = int(self.train.lengths.sum() - len(self.train)) * self.config.epochs
        progress = Progress(f"lm/{self.name}", total, "tokens")
        progress.resume(self.position.tokens)
        batches: list[np.ndarray] = []
        saved = time.monotonic()
        while self.position.step < self.steps and not self.out_of_patience:
            start = time.monotonic()
            epoch, index = divmod(self.position.step, self.epoch_steps)
            if index == 0 or not batches:
                batches = epoch_batches(self.train, self.config.batch_utterances, self.seed, epoch)
            loss = self._step(batches[index])
            last = index + 1 == self.epoch_steps
            dev_loss = self.dev_loss() if index + 1 in self.evaluated else None
            if dev_loss is not None:
                self._judge(dev_loss)
            self.position.seconds += time.monotonic() - start
            if dev_loss is not None or (index + 1) % self.row_every == 0:
                self._row(epoch, dev_loss)
            if self.position.step in self.kept:
                self._export(self.folder / "scaling" / f"tokens-{self.position.tokens}")
            late = self.ranks.speaks and (time.monotonic() - saved >= 60 * self.save_minutes or self.saver.failed)
            # What all ranks know now; a signal that comes during the exchange is theirs at the next step.
            stopped_by, due = self.ranks.most(self.stopped_by, late)
            if last or self.out_of_patience or stopped_by or due:
                self._save()
                saved = time.monotonic()
            if stopped_by:
                with self.ranks.together():
                    self.saver.wait()
                if self.ranks.speaks:
                    print(f"stopped by a signal after step {self.position.step}; the state is saved", file=sys.stderr)
                sys.exit(128 + stopped_by)
            if self.ranks.speaks:
                note = f"epoch {epoch + 1}/{self.config.epochs}  loss {loss:.3f}  {self.meter.note}".rstrip()
                progress.update(self.position.tokens, note if dev_loss is None else f"{note}  dev {dev_loss:.3f}")

    def _judge(self, dev_loss: float) -> None:
        """Count evaluations since the lowest dev loss; with patience, keep the model that has it."""
        here = self.position
        here.evaluations_since_best += 1
        if dev_loss < here.best_dev_loss:
            here.best_dev_loss, here.best_step, here.evaluations_since_best = dev_loss, here.step, 0
            if self.config.patience is not None:
                self._export(self.folder / "best")

    def dev_loss(self) -> float:
        """Mean nats per token of the dev split."""
        return self.gradients.mean_loss(self.dev)

    def _step(self, indices: np.ndarray) -> float:
        """One optimizer step on these utterances; returns their mean loss per token."""
        predicted = self.train.lengths[indices] - 1
        count = int(predicted.sum())
        self.optimizer.zero_grad()
        total, computed = self.gradients.add(self.train, indices)
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip_norm).item()
        if not (math.isfinite(total) and math.isfinite(norm)):  # the same on every rank
            with self.ranks.together():
                self.saver.wait()
            with self.ranks.together():
                raise ValueError(
                    f"lm/{self.name}: step {self.position.step + 1}: the loss is {total / count} and the gradient's"
                    f" norm {norm} on {', '.join(map(str, self.train.ids[indices]))}; a lower lm.training.learning_rate"
                    f" or precision fp32 may help; the last good state is in {self.folder}"
                )
        self.optimizer.step(learning_rate(self.position.step, self.steps, self.config))
        self.position.step += 1
        self.position.tokens += count
        self.position.computed += computed
        self.position.loss_sum += total
        self.position.loss_tokens += count
        self.meter.step(self.position, predicted)
        return total / count

    def _row(self, epoch: int, dev_loss: float | None) -> None:
        """Add a row to the log: the loss is the mean since the row before."""
        here = self.position
        here.rows.append(
            {
                "step": here.step,
                "epoch": epoch + 1,
                "tokens": here.tokens,
                "seconds": round(here.seconds, 2),
                "train_loss": round(here.loss_sum / here.loss_tokens, 6),
                "dev_loss": "" if dev_loss is None else round(dev_loss, 6),
                "lr": float(f"{learning_rate(here.step - 1, self.steps, self.config):.6g}"),
                "tokens_per_second": round(here.loss_tokens / max(here.seconds - here.row_seconds, 1e-9)),
                **self.meter.row(here),
            }
        )
        self.meter.write(here.rows[-1])
        here.loss_sum, here.loss_tokens, here.row_seconds = 0.0, 0, here.seconds

    def _export(self, folder: Path) -> None:
        """Write the model as it is now; ValueError if there is no room for it or for the state before."""
        with self.ranks.together():
            if self.ranks.speaks:
                self.saver.wait()
                try:
                    with atomic_directory(folder) as aside:
                        self.model.save_pretrained(aside)
                except SafetensorError as error:
                    raise ValueError(f"{folder}: the model cannot be written ({error})") from None

    def _save(self) -> None:
        optimizer = self.optimizer.state_dict()
        with self.ranks.together():
            if self.ranks.speaks:
                self.saver.save(self.position, self.model.state_dict(), optimizer)

    def _resume(self) -> None:
        with self.ranks.together():
            found = load_newest(self.folder, self.identity) if self.ranks.speaks else None
        path = self.ranks.told(found and found[0])
        if path is None:
            if self.ranks.speaks:
                remove_exports(self.folder)
            return
        with self.ranks.together():
            state = found[1] if found else read_state(path)
            self.position = Position(**state["position"])
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
        if self.ranks.speaks:
            print(f"lm/{self.name}: going on after step {self.position.step} of {self.steps}", file=sys.stderr)


@contextmanager
def stop_on_signals(training: Training) -> Iterator[None]:
    """SIGTERM, SIGINT and SIGUSR1 (Slurm's warning) end the training after the running step, its state saved."""

    def ask(number: int, frame: Any) -> None:
        training.stopped_by = number

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
