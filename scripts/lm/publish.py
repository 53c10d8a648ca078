"""The end of a training: its results go to their declared places, its gathering folder goes away."""

import platform
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
import transformers

from scripts.common.files import atomic_directory, write_csv, write_json
from scripts.lm.card import model_card
from scripts.lm.checkpoint import DONE
from scripts.lm.config import LMConfig
from scripts.lm.training import Training

COLUMNS = ["step", "epoch", "tokens", "seconds", "train_loss", "dev_loss", "lr", "tokens_per_second"]
COLUMNS += ["useful_token_share", "mfu", "memory_mib"]


def describe(training: Training, config: LMConfig) -> dict[str, Any]:
    """What `training.json` and the model card say of a training that has ended."""
    here = training.position
    last = here.rows[-1]
    return {
        "modality": training.name,
        "seed": training.seed,
        "vocab_size": training.model.config.vocab_size,
        "parameters": training.model.num_parameters(),
        "utterances": len(training.train),
        "epochs": last["epoch"],
        "best_step": here.best_step,
        "steps": here.step,
        "tokens": here.tokens,
        "useful_token_share": round(here.tokens / here.computed, 4),
        "train_loss": last["train_loss"],
        "dev_loss": last["dev_loss"],
        "best_dev_loss": round(here.best_dev_loss, 6),
        "device": training.ranks.device.type,
        "config": asdict(config),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        },
    }


def summary(training: Training) -> str:
    """The line that a training ends with."""
    here = training.position
    return (
        f"lm/{training.name}: {here.step} steps, {here.tokens:,} tokens in {here.seconds:.0f} s"
        f" ({here.tokens / here.seconds:,.0f} per second), dev loss {here.rows[-1]['dev_loss']:.4f} nats per token,"
        f" {here.tokens / here.computed:.1%} of the computed tokens useful"
    )


def publish(training: Training, out: Path, tokenizer: Path, about: dict[str, Any]) -> None:
    """Move what the training gathered to its declared places; the gathering folder goes."""
    exports = training.folder / "scaling"
    found = len(list(exports.glob("tokens-*")))
    if found != len(training.kept):
        raise ValueError(
            f"{exports}: {found} models instead of {len(training.kept)}; delete {training.folder}, train anew"
        )
    with atomic_directory(out / "scaling") as aside:
        shutil.copytree(exports, aside, dirs_exist_ok=True)
    write_csv(out / "log.csv", COLUMNS, training.position.rows)
    with atomic_directory(out / "model") as aside:
        training.model.save_pretrained(aside)
        for file in sorted(tokenizer.iterdir()):
            shutil.copyfile(file, aside / file.name)
        write_json(aside / "training.json", about)
        (aside / "README.md").write_text(model_card(about), encoding="utf-8")
    done = training.folder.with_name(DONE)
    training.folder.rename(done)  # in one go: half a folder must not be taken for a state
    shutil.rmtree(done)
