"""Publish a finished training: write its results to their declared places, remove its folder of states."""

import platform
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
import transformers

from scripts.common.files import atomic_directory, write_csv, write_json
from scripts.lm.config import LMConfig
from scripts.lm.loop.card import model_card
from scripts.lm.loop.checkpoint import DONE
from scripts.lm.loop.trainer import Trainer

COLUMNS = ["step", "epoch", "tokens", "seconds", "train_loss", "dev_loss", "lr", "tokens_per_second"]
COLUMNS += ["useful_token_share", "mfu", "memory_mib"]


def describe(training: Trainer, config: LMConfig) -> dict[str, Any]:
    """The content of `training.json`, which the model card shows too."""
    state = training.state
    last = state.rows[-1]
    return {
        "modality": training.name,
        "seed": training.seed,
        "init": training.start and training.start.about(),
        "vocab_size": training.model.config.vocab_size,
        "parameters": training.model.num_parameters(),
        "utterances": len(training.train),
        "epochs": last["epoch"],
        "best_step": state.best_step,
        "steps": state.step,
        "tokens": state.tokens,
        "useful_token_share": round(state.tokens / state.computed, 4),
        "train_loss": last["train_loss"],
        "dev_loss": last["dev_loss"],
        "best_dev_loss": round(state.best_dev_loss, 6),
        "device": training.ranks.device.type,
        "config": asdict(config),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        },
    }


def summary(training: Trainer) -> str:
    """The last line that a training prints."""
    state = training.state
    return (
        f"lm/{training.name}: {state.step} steps, {state.tokens:,} tokens in {state.seconds:.0f} s"
        f" ({state.tokens / state.seconds:,.0f} per second), dev loss {state.rows[-1]['dev_loss']:.4f} nats per token,"
        f" {state.tokens / state.computed:.1%} of the computed tokens useful"
    )


def publish(training: Trainer, out: Path, tokenizer: Path, about: dict[str, Any]) -> None:
    """Move the results of a training to their declared places and remove its folder of states."""
    exports = training.folder / "scaling"
    written = len(list(exports.glob("tokens-*")))
    expected = sum(step <= training.state.step for step in training.scaling_steps)  # patience may end in epoch 1
    if written != expected:
        raise ValueError(f"{exports}: {written} models instead of {expected}; delete {training.folder}, train anew")
    with atomic_directory(out / "scaling") as aside:
        shutil.copytree(exports, aside, dirs_exist_ok=True)
    write_csv(out / "log.csv", COLUMNS, training.state.rows)
    with atomic_directory(out / "model") as aside:
        training.model.save_pretrained(aside)
        for file in sorted(tokenizer.iterdir()):
            shutil.copyfile(file, aside / file.name)
        write_json(aside / "training.json", about)
        (aside / "README.md").write_text(model_card(about), encoding="utf-8")
    done = training.folder.with_name(DONE)
    training.folder.rename(done)  # atomic: a later run must not continue from half a folder
    shutil.rmtree(done)
