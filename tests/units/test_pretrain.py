"""Training depends only on seed and data, also after a kill; other encoders are used unchanged."""

import os
import shutil
import signal
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from scripts.common.cuts import num_samples, read_cuts
from scripts.units import encoder, pretrain
from scripts.units.config import Encoder, EncoderSource, Pretraining
from scripts.units.crops import HOP, CropPlan, grid_frames, read_part
from scripts.units.pretrain import UNKNOWN, make_targets, newest_checkpoint, span_mask
from tests.factories.settings import configured, settings

SECTION = {
    "source": "pretrain", "hidden_size": 16, "layers": 2, "heads": 2, "conv_dim": [8] * 7, "targets": 8,
    "steps": 12, "batch_crops": 2, "crop_seconds": 0.64, "learning_rate": 0.002, "warmup_steps": 3,
    "mask_start": 0.08, "mask_span": 4,
}  # fmt: skip
FILES = ["config.json", "model.safetensors", "preprocessor_config.json"]


def train(corpus: SimpleNamespace, folder: Path, seed: int = 1, every: int = 4, **changes: object) -> bytes:
    """Weights trained in this process."""
    config = replace(configured(Pretraining, "units.encoder", **SECTION), **changes)
    cuts = [cut for path in corpus.train for cut in read_cuts(path)]
    torch.set_num_threads(1)
    targets, starts = make_targets(corpus.train, cuts, corpus.root, config.targets, seed, 1)
    trainer = pretrain.Trainer(config, cuts, corpus.root, targets, starts, seed)
    pretrain.train(trainer, folder, "about", every)
    encoder.save(trainer.model, True, folder / "model")
    return (folder / "model" / "model.safetensors").read_bytes()


def test_same_seed_same_bytes(corpus: SimpleNamespace, tmp_path: Path) -> None:
    first = train(corpus, tmp_path / "a")
    assert first == train(corpus, tmp_path / "b")
    assert first != train(corpus, tmp_path / "c", seed=2)


def test_resumed_ends_with_the_same_bytes(
    corpus: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(corpus, tmp_path / "whole")
    step = pretrain.Trainer.train_step

    def die(self: pretrain.Trainer) -> tuple[float, float]:
        if self.step == 9:
            raise KeyboardInterrupt
        return step(self)

    with monkeypatch.context() as patched:
        patched.setattr(pretrain.Trainer, "train_step", die)
        with pytest.raises(KeyboardInterrupt):
            train(corpus, tmp_path / "killed")
    checkpoints = sorted(path.name for path in (tmp_path / "killed").iterdir())
    assert checkpoints == ["step-00000004.pt", "step-00000008.pt"]
    # Even the newest one cut off in the middle: the one before it serves.
    newest = tmp_path / "killed" / checkpoints[-1]
    newest.write_bytes(newest.read_bytes()[:500])
    assert train(corpus, tmp_path / "killed") == whole


def test_killed_process_resumes(corpus: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGKILL between two checkpoints; the same command then ends with the bytes of an unkilled run."""
    monkeypatch.setattr(pretrain, "CHECKPOINT_STEPS", 4)
    step = pretrain.Trainer.train_step

    def command(name: str) -> None:
        config = settings(Encoder, "units.encoder", **SECTION)
        flags = ["--cuts", *corpus.train, "--audio-root", corpus.root, "--config", config, "--seed", "1"]
        monkeypatch.setattr(sys, "argv", ["step", *flags, "--threads", "1", "--output", str(tmp_path / name)])
        pretrain.main()

    def die(self: pretrain.Trainer) -> tuple[float, float]:
        if self.step == 10:
            os.kill(os.getpid(), signal.SIGKILL)
        return step(self)

    command("whole")
    child = os.fork()  # cheaper than a new process, which would import everything again
    if child == 0:
        pretrain.Trainer.train_step = die  # type: ignore[method-assign]
        try:
            command("killed")
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert not (tmp_path / "killed").exists()
    assert sorted(path.name for path in (tmp_path / "killed.checkpoints").iterdir()) == [
        "step-00000004.pt",
        "step-00000008.pt",
    ]
    command("killed")
    for file in FILES:
        assert (tmp_path / "killed" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes()
    assert not (tmp_path / "killed.checkpoints").exists()


def test_checkpoint_of_other_settings_is_not_resumed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"about": "mine", "state": {"step": 3}}, tmp_path / "step-00000003.pt")
    assert newest_checkpoint(tmp_path, "mine") == {"step": 3}
    capsys.readouterr()
    assert newest_checkpoint(tmp_path, "other") is None
    assert "none of 1 checkpoints can be resumed from; training starts anew" in capsys.readouterr().err
    assert newest_checkpoint(tmp_path / "nowhere", "mine") is None


def test_it_learns(corpus: SimpleNamespace, tmp_path: Path) -> None:
    config = configured(Pretraining, "units.encoder", **{**SECTION, "steps": 60, "learning_rate": 0.005})
    cuts = [cut for path in corpus.train for cut in read_cuts(path)]
    targets, starts = make_targets(corpus.train, cuts, corpus.root, config.targets, 1, 1)
    trainer = pretrain.Trainer(config, cuts, corpus.root, targets, starts, 1)
    losses = [sum(trainer.train_step()) for _ in range(60)]
    assert np.mean(losses[-10:]) < 0.85 * np.mean(losses[:5])


def test_divergence_is_said(corpus: SimpleNamespace, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a lower learning_rate is needed"):
        train(corpus, tmp_path, learning_rate=float("nan"))


def test_targets_sit_on_the_grid(corpus: SimpleNamespace) -> None:
    cuts = [cut for path in corpus.train for cut in read_cuts(path)]
    targets, starts = make_targets(corpus.train, cuts, corpus.root, 8, 1, 1)
    assert len(targets) == starts[-1] == sum(num_samples(cut) // HOP for cut in cuts)
    unknown = np.flatnonzero(targets == UNKNOWN)
    assert set(unknown) <= set(starts[1:] - 1)  # at most the last step of a cut
    assert targets.max() < 8


def test_every_frame_once_per_epoch() -> None:
    lengths = [7, 100, 1, 30, 64]
    plan = CropPlan(lengths, 16, seed=1)
    for epoch in range(3):
        seen = np.concatenate([np.zeros(n, int) for n in lengths])
        starts = np.cumsum([0, *lengths])
        for number in range(plan.per_epoch):
            parts = plan.parts(epoch * plan.per_epoch + number)
            assert sum(count for _, _, count in parts) == 16
            for utterance, first, count in parts:
                assert first >= 0
                assert first + count <= lengths[utterance]
                seen[starts[utterance] + first : starts[utterance] + first + count] += 1
        assert seen.max() == 1
        assert seen.sum() == plan.per_epoch * 16 > len(seen) - 32
    # A crop is a function of its number alone, whatever was asked before.
    assert CropPlan(lengths, 16, seed=1).parts(20) == plan.parts(20)


def test_too_little_speech_for_a_crop() -> None:
    assert CropPlan([16], 16, seed=1).parts(5) == [(0, 0, 16)]
    with pytest.raises(ValueError, match=r"crop_seconds is 0\.32 s but .* only 0\.30 s"):
        CropPlan([10, 5], 16, seed=1)


def test_part_is_the_cut_s_audio(corpus: SimpleNamespace) -> None:
    from scripts.common import audio

    cut = next(read_cuts(corpus.dev))
    wave = audio.read(cut, corpus.root)
    last = grid_frames(cut) - 3
    assert np.array_equal(read_part(cut, last, 3, corpus.root), wave[last * HOP : (last + 3) * HOP])


def test_masks_are_spans() -> None:
    config = configured(Pretraining, "units.encoder", **{**SECTION, "mask_start": 0.02})
    mask = span_mask((200, 50), config, np.random.default_rng(0))
    assert mask.any(axis=1).all()
    assert 0.05 < mask.mean() < 0.2
    edges = np.diff(mask.astype(int), axis=1)
    for row in range(200):
        begins, ends = np.flatnonzero(edges[row] == 1), np.flatnonzero(edges[row] == -1)
        ends = ends[ends > (begins[0] if len(begins) else 50)]
        assert all(end - begin >= config.mask_span for begin, end in zip(begins, ends, strict=False))


def test_local_encoder_is_taken_as_it_is(encoder_folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source"
    shutil.copytree(encoder_folder, source)
    flags = ["--audio-root", "unused", "--seed", "1", "--threads", "1", "--output", str(tmp_path / "encoder")]
    monkeypatch.setattr(
        sys, "argv", ["pretrain", *flags, "--config", settings(EncoderSource, "units.encoder", source=str(source))]
    )
    pretrain.main()
    assert encoder.load(tmp_path / "encoder", 1)[1] == encoder.load(source, 1)[1]

    (source / "model.safetensors").unlink()
    with pytest.raises(ValueError, match="source: cannot be loaded as a HuBERT encoder"):
        pretrain.main()
