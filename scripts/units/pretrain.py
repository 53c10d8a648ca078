"""Train a small HuBERT from scratch by masked prediction, or fetch the one the config names.

Notable: one iteration of HuBERT (targets are clusters of MFCC); the loss counts unmasked frames as much
as masked ones, since masked prediction alone learns too slowly for a miniature; crops of one fixed
length; bf16 where the processor computes in it; every random choice is a function of (seed, step), so a killed
run that resumes from its newest checkpoint ends with the same bytes as one that was not killed.
Source: HuBERT (Hsu et al. 2021), sections III and IV-B.
"""

import argparse
import hashlib
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import HubertConfig, HubertModel

from scripts.common import audio, cpu
from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.cuts import Cut, num_samples, read_cuts
from scripts.common.files import atomic_directory, atomic_path
from scripts.common.frames import frame_count
from scripts.common.progress import Progress
from scripts.common.seeds import derive, generator
from scripts.units import encoder
from scripts.units.backend import fetch_fairseq
from scripts.units.clustering import k_means, nearest
from scripts.units.config import POSITION_GROUPS, Encoder, EncoderSource, Pretraining
from scripts.units.crops import CropPlan, grid_frames, read_part
from scripts.units.frame_sampling import drop_supervisions, sample_frames, sample_utterances
from scripts.units.mfcc_features import mfcc
from scripts.units.positional import compute_narrow_groups_in_float32
from scripts.units.waveforms import normalise

SAMPLE_FRAMES = 100_000  # frames that the targets' k-means sees
UNKNOWN = -100  # target of a grid step without a whole window; cross-entropy ignores it
CHECKPOINT_STEPS = 200  # steps between checkpoints


def build(config: Pretraining, seed: int) -> HubertModel:
    """A HubertModel of the configured size with random weights; no dropout anywhere."""
    torch.manual_seed(derive(seed, "units", "weights"))
    shape = HubertConfig(
        hidden_size=config.hidden_size,
        intermediate_size=4 * config.hidden_size,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        conv_dim=list(config.conv_dim),
        conv_kernel=encoder.KERNELS,
        conv_stride=encoder.STRIDES,
        feat_extract_norm="group",
        num_conv_pos_embeddings=32,
        num_conv_pos_embedding_groups=POSITION_GROUPS,
        # The corpus is small and passed over a few times only: nothing to regularise.
        hidden_dropout=0.0,
        attention_dropout=0.0,
        activation_dropout=0.0,
        feat_proj_dropout=0.0,
        layerdrop=0.0,
        mask_time_prob=config.mask_start,
        mask_time_length=config.mask_span,
    )
    # On a CPU, flash attention in bf16 costs half as much again per step at this length.
    model = HubertModel._from_config(shape, attn_implementation="eager")
    compute_narrow_groups_in_float32(model)
    return model


def make_targets(
    manifests: Sequence[str], cuts: Sequence[Cut], root: str, clusters: int, seed: int, threads: int
) -> tuple[np.ndarray, np.ndarray]:
    """Cluster of the MFCC frame at every grid step of the corpus.

    Returns:
        targets int32 [all grid steps], UNKNOWN where a cut's last step is no whole window; and the
        cuts' first steps, int64 [S + 1].
    """
    sample = sample_utterances(manifests, SAMPLE_FRAMES, seed)
    kept = sample_frames([frame_count(num_samples(cut)) for cut in sample], SAMPLE_FRAMES, seed)
    frames = np.concatenate([mfcc(audio.read(cut, root))[rows] for cut, rows in zip(sample, kept, strict=True)])
    centroids, _ = k_means(
        frames, clusters, seed=derive(seed, "units", "targets"), redo=2, iterations=20, threads=threads
    )
    starts = np.cumsum([0, *map(grid_frames, cuts)])
    targets = np.full(int(starts[-1]), UNKNOWN, np.int32)
    progress = Progress("units/encoder targets", float(starts[-1]), "frames")
    for cut, start in zip(cuts, starts, strict=False):
        units = nearest(mfcc(audio.read(cut, root)), centroids)
        targets[start : start + len(units)] = units
        progress.update(float(start))
    return targets, starts


def span_mask(shape: tuple[int, int], config: Pretraining, random: np.random.Generator) -> np.ndarray:
    """Masked frames, bool [B, T]: a span starts at each frame with probability `mask_start`."""
    starts = random.random(shape) < config.mask_start
    starts[:, 0] |= ~starts.any(axis=1)  # never a row without anything to predict
    mask = np.zeros(shape, bool)
    for shift in range(config.mask_span):
        mask[:, shift:] |= starts[:, : shape[1] - shift]
    return mask


class Trainer:
    """Model, head and optimizer, and what one step does to them.

    Args:
        targets, starts: from `make_targets`.
    """

    def __init__(
        self, config: Pretraining, cuts: Sequence[Cut], root: str, targets: np.ndarray, starts: np.ndarray, seed: int
    ):
        self.config, self.cuts, self.root, self.seed = config, cuts, root, seed
        self.targets, self.starts = targets, starts
        self.plan = CropPlan(np.diff(starts), round(config.crop_seconds * 50), seed)
        self.model = build(config, seed)
        self.head = nn.Linear(config.hidden_size, config.targets)
        self.parameters = [*self.model.parameters(), *self.head.parameters()]
        self.optimizer = torch.optim.AdamW(self.parameters, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
        self.precision = cpu.precision("auto", torch.device("cpu"))
        self.step = 0

    def batch(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """This step's waveforms float32 [B, N], targets int64 [B, T] and mask bool [B, T]."""
        count = self.config.batch_crops
        waves, targets = [], []
        for number in range(self.step * count, (self.step + 1) * count):
            parts = self.plan.parts(number)
            wave = np.concatenate([read_part(self.cuts[u], first, n, self.root) for u, first, n in parts])
            waves.append(normalise(wave))
            steps = [(self.starts[u] + first, n) for u, first, n in parts]
            targets.append(np.concatenate([self.targets[step : step + n] for step, n in steps]))
        frames = frame_count(len(waves[0]))
        mask = span_mask((count, frames), self.config, generator(self.seed, "units", "mask", self.step))
        labels = np.stack(targets)[:, :frames].astype(np.int64)
        return torch.from_numpy(np.stack(waves)), torch.from_numpy(labels), torch.from_numpy(mask)

    def learning_rate(self) -> float:
        """Linear warm-up to the peak, then linearly to 0 at the last step."""
        config = self.config
        rise = (self.step + 1) / max(1, config.warmup_steps)
        fall = (config.steps - self.step) / max(1, config.steps - config.warmup_steps)
        return config.learning_rate * min(rise, fall, 1.0)

    def train_step(self) -> tuple[float, float]:
        """One optimizer step; loss per masked and per unmasked frame in nats."""
        waves, targets, mask = self.batch()
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.precision == "bf16"):
            hidden = self.model(waves, mask_time_indices=mask).last_hidden_state  # [B, T, D]
            logits = self.head(hidden)  # [B, T, targets]
        logits = logits.float()
        masked = nn.functional.cross_entropy(logits[mask], targets[mask])
        unmasked = nn.functional.cross_entropy(logits[~mask], targets[~mask])
        loss = masked + unmasked
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        return masked.item(), unmasked.item()

    def state(self) -> dict[str, Any]:
        """All that training changes."""
        return {
            "step": self.step,
            "model": self.model.state_dict(),
            "head": self.head.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from `state()`."""
        self.step = state["step"]
        self.model.load_state_dict(state["model"])
        self.head.load_state_dict(state["head"])
        self.optimizer.load_state_dict(state["optimizer"])


def newest_checkpoint(folder: Path, about: str) -> dict[str, Any] | None:
    """State in the newest checkpoint that was made for the same result, if there is one."""
    paths = sorted(folder.glob("step-*.pt"), reverse=True)
    for path in paths:
        try:
            saved = torch.load(path, weights_only=True)
        except Exception:  # a damaged file is skipped: an older one, or the start, gives the same result
            print(f"{path.name}: damaged, not resumed from", file=sys.stderr)
            continue
        if saved.get("about") == about:
            return saved["state"]
        print(f"{path.name}: made with other settings or data, not resumed from", file=sys.stderr)
    if paths:
        print(f"warning: none of {len(paths)} checkpoints can be resumed from; training starts anew", file=sys.stderr)
    return None


def train(trainer: Trainer, checkpoints: Path, about: str, every: int) -> None:
    """Train to the last step, resuming from `checkpoints` and leaving the newest two there."""
    state = newest_checkpoint(checkpoints, about)
    progress = Progress("units/encoder", trainer.config.steps, "steps")
    if state is not None:
        trainer.load_state(state)
        progress.resume(trainer.step)
        print(f"resumed at step {trainer.step}", file=sys.stderr)
    while trainer.step < trainer.config.steps:
        masked, unmasked = trainer.train_step()
        if not np.isfinite(masked + unmasked):
            raise ValueError(
                f"units.encoder: the loss is {masked + unmasked} at step {trainer.step};"
                " a lower learning_rate is needed"
            )
        progress.update(trainer.step, f"masked {masked:.2f} unmasked {unmasked:.2f}")
        if trainer.step % every == 0 and trainer.step < trainer.config.steps:
            with atomic_path(checkpoints / f"step-{trainer.step:08d}.pt") as aside:
                torch.save({"about": about, "state": trainer.state()}, aside)
            for old in sorted(checkpoints.glob("step-*.pt"))[:-2]:
                old.unlink()


def run_fingerprint(config: Pretraining, seed: int, threads: int, manifests: Sequence[str]) -> str:
    """Hash of all that the weights depend on; a checkpoint with another one is not resumed from."""
    precision = cpu.precision("auto", torch.device("cpu"))
    digest = hashlib.sha256(
        json.dumps([asdict(config), seed, threads, precision, torch.__version__], sort_keys=True).encode()
    )
    for manifest in manifests:
        digest.update(hashlib.sha256(Path(manifest).read_bytes()).digest())
    return digest.hexdigest()


def pretrain(
    config: Pretraining, manifests: Sequence[str], root: str, checkpoints: Path, seed: int, threads: int
) -> HubertModel:
    """The trained model; ValueError if the cuts are too few or training diverges."""
    cpu.prepare(threads)
    cuts = [drop_supervisions(cut) for manifest in manifests for cut in read_cuts(manifest)]
    targets, starts = make_targets(manifests, cuts, root, config.targets, seed, threads)
    trainer = Trainer(config, cuts, root, targets, starts, seed)
    speech = len(targets) / 50
    seen = config.steps * config.batch_crops * config.crop_seconds
    print(f"{len(cuts)} utterances, {speech / 3600:.2f} h, seen {seen / speech:.1f} times", file=sys.stderr)
    train(trainer, checkpoints, run_fingerprint(config, seed, threads, manifests), CHECKPOINT_STEPS)
    return trainer.model


def main() -> None:
    """Command line of rule units_encoder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", nargs="*", default=[], help="aligned training cuts")
    parser.add_argument("--audio-root", required=True)
    parser.add_argument("--config", required=True, help="section units.encoder as JSON")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--output", required=True, help="Hugging Face folder to write")
    args = parser.parse_args()

    config_type = Encoder if json.loads(args.config).get("source") == "pretrain" else EncoderSource
    config = parse(config_type, args.config, "units.encoder")
    # Undeclared on purpose: the workflow deletes a failed job's outputs, and these must survive it.
    checkpoints = Path(args.output).with_name(Path(args.output).name + ".checkpoints")
    if config.backend == "fairseq":
        with atomic_directory(args.output) as aside:
            fingerprint = fetch_fairseq(config.source, config.fairseq_python, aside)
        print(f"fairseq encoder {fingerprint[:12]}", file=sys.stderr)
        return
    if isinstance(config, Encoder):
        model = pretrain(config, args.cuts, args.audio_root, checkpoints, args.seed, args.threads)
        do_normalise = True
    else:
        model = encoder.load_model(config.source)
        do_normalise = encoder.wants_normalisation(config.source)
    with atomic_directory(args.output) as aside:
        encoder.save(model, do_normalise, aside)
    shutil.rmtree(checkpoints, ignore_errors=True)
    print(f"encoder {encoder.fingerprint(model, do_normalise)[:12]}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
