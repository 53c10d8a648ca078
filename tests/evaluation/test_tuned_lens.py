"""The tuned lens: without fitting it is the plain one, fitting brings layers closer to the model."""

import numpy as np
import pytest
import torch

from scripts.common.ragged import Ragged
from scripts.evaluation import tuned_lens
from scripts.evaluation.logprobs import score_layers
from tests.factories.models import random_sequence, tiny_llama


@pytest.fixture
def dev() -> Ragged:
    rng = np.random.default_rng(4)
    return Ragged.join(
        [f"d{i}" for i in range(40)], [random_sequence(rng, int(rng.integers(20, 60))) for _ in range(40)]
    )


def test_maps_that_change_nothing_are_the_plain_projection(dev: Ragged) -> None:
    model = tiny_llama(seed=2)
    sequences = dict(list(dev.by_id().items())[:5])
    plain = score_layers(model, sequences, 256, "x")
    mapped = score_layers(model, sequences, 256, "x", [tuned_lens.Affine(32) for _ in range(3)])
    for name in sequences:
        assert mapped[name][:4] == pytest.approx(plain[name], abs=1e-4)
        assert mapped[name][4:] == pytest.approx(plain[name][:3], abs=1e-4)
    with pytest.raises(ValueError, match="2 maps were given for 3 layers"):
        score_layers(model, sequences, 256, "x", [tuned_lens.Affine(32)] * 2)


def test_fitting_brings_every_layer_nearer_to_the_model_on_unseen_text(dev: Ragged) -> None:
    model = tiny_llama(seed=2)
    states = tuned_lens.hidden_states(model, dev)
    assert states.shape == (4, int(dev.lengths.sum()) - len(dev), 32)
    held_out = states.shape[1] // 4
    maps = tuned_lens.fit(model, states[:, held_out:], 150, 1, "x")
    with torch.no_grad():
        for layer, affine in enumerate(maps):
            unseen, final = states[layer, :held_out], states[-1, :held_out]
            before, after = (float(tuned_lens.divergence(model, s, final)) for s in (unseen, affine(unseen)))
            assert after < 0.8 * before
            assert tuned_lens.mean_divergence(model, unseen, final, affine) == pytest.approx(after, rel=1e-4)
    assert all(not p.requires_grad for p in model.parameters())


def test_every_modality_is_fitted_on_as_many_tokens(dev: Ragged) -> None:
    for limit in (1, 100, 777):
        chosen = tuned_lens.tokens_of(dev, limit, 1)
        assert int(chosen.lengths.sum()) - len(chosen) == limit
        by_id = dev.by_id()
        for name, ids in zip(chosen.ids[:-1], chosen, strict=False):
            assert np.array_equal(ids, by_id[name])
        assert np.array_equal(chosen[len(chosen) - 1], by_id[chosen.ids[-1]][: chosen.lengths[-1]])
    assert set(tuned_lens.tokens_of(dev, 100, 1).ids) != set(tuned_lens.tokens_of(dev, 100, 2).ids)
    assert sorted(tuned_lens.tokens_of(dev, 10**6, 1).ids) == sorted(dev.ids)


def test_a_small_train_is_said_and_dev_is_what_is_measured(dev: Ragged, monkeypatch, capsys) -> None:
    monkeypatch.setattr(tuned_lens, "STEPS", 100)
    train = Ragged.join(["t"], [dev[0]])
    maps = tuned_lens.fit_lens(tiny_llama(seed=2), train, dev, 10**6, 1, "x")
    told = capsys.readouterr().err
    assert f"x: train holds {len(dev[0]) - 1} tokens, fewer than evaluation.lens_tokens (1,000,000)" in told
    assert "nats per token of dev by layer" in told
    assert len(maps) == 3


def test_padded_passes_give_the_states_of_each_sequence(dev: Ragged, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_llama(seed=2)
    together = tuned_lens.hidden_states(model, dev)
    monkeypatch.setattr(tuned_lens, "ROWS", 1)
    assert torch.allclose(together, tuned_lens.hidden_states(model, dev), atol=1e-4)
    shortest = min(dev, key=len)
    with torch.no_grad():
        expected = model(torch.from_numpy(shortest[None, :-1].astype("int64")), output_hidden_states=True).hidden_states
    assert torch.allclose(together[:, : len(shortest) - 1], torch.cat(expected), atol=1e-4)
