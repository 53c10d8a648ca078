"""The tuned lens: without fitting it is the plain one, fitting brings layers nearer to the model, the last stays."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from scripts.common.files import read_csv
from scripts.common.ragged import Ragged, save_bin
from scripts.evaluation import tuned
from scripts.evaluation.scoring import score_layers
from tests.evaluation.conftest import build_model, sequence

CONFIG = {"decide_by": "total", "bootstrap_samples": 20, "batch_tokens": 256, "threads": 1}


@pytest.fixture
def dev() -> Ragged:
    rng = np.random.default_rng(4)
    return Ragged.join([f"d{i}" for i in range(40)], [sequence(rng, int(rng.integers(20, 60))) for _ in range(40)])


def test_maps_that_change_nothing_are_the_plain_projection(dev: Ragged) -> None:
    model = build_model(2)
    sequences = dict(list(dev.by_id().items())[:5])
    plain = score_layers(model, sequences, 256, "x")
    mapped = score_layers(model, sequences, 256, "x", [tuned.Affine(32) for _ in range(3)])
    for name in sequences:
        assert mapped[name] == pytest.approx(plain[name], abs=1e-4)
    with pytest.raises(ValueError, match="2 maps were given for 3 layers"):
        score_layers(model, sequences, 256, "x", [tuned.Affine(32)] * 2)


def test_fitting_brings_every_layer_nearer_to_the_model_on_unseen_text(dev: Ragged) -> None:
    model = build_model(2)
    states = tuned.hidden_states(model, dev)
    assert states.shape == (4, int(dev.lengths.sum()) - len(dev), 32)
    held_out = states.shape[1] // 4
    maps = tuned.fit(model, states[:, held_out:], 150, 1, "x")
    with torch.no_grad():
        for layer, affine in enumerate(maps):
            unseen, final = states[layer, :held_out], states[-1, :held_out]
            before, after = (float(tuned.divergence(model, s, final)) for s in (unseen, affine(unseen)))
            assert after < 0.8 * before
    assert all(not p.requires_grad for p in model.parameters())


def test_the_step_leaves_the_last_layer_as_it_is(
    tmp_path: Path,
    toy_task: Callable,
    run_step: Callable,
    model_folder: Path,
    dev: Ragged,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    toy_task()
    save_bin(tmp_path / "dev.bin", dev)
    monkeypatch.setattr(tuned, "STEPS", 3)
    flags = ["--modality", "m", "--model", model_folder, "--tasks", "toy", "--items", tmp_path / "toy.jsonl.gz"]
    flags += ["--tokens", tmp_path / "toy.bin", "--config", json.dumps(CONFIG), "--seed", 1]
    for out in ("a.csv", "b.csv"):
        run_step(tuned.main, *flags, "--dev", tmp_path / "dev.bin", "--out", tmp_path / out)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    from scripts.evaluation import layers

    run_step(layers.main, *flags, "--out", tmp_path / "plain.csv")
    plain, found = read_csv(tmp_path / "plain.csv"), read_csv(tmp_path / "a.csv")
    assert [row["layer"] for row in found] == ["0", "1", "2", "3"]
    assert found[-1] == plain[-1]
