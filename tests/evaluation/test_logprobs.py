"""Scores equal transformers' own loss, whatever the batching, sharing and duplicates."""

import re

import numpy as np
import pytest
import torch
from transformers import LlamaForCausalLM

from scripts.evaluation import logprobs
from scripts.evaluation.logprobs import score, score_layers, score_layers_and_eos, score_tokens
from scripts.evaluation.packing import Row, pack_row, prefix_groups, rows
from scripts.lm.model.attention import attention_masks
from tests.factories.models import CONTEXT, VOCABULARY, random_sequence, tiny_llama


def own_loss(model: LlamaForCausalLM, ids: np.ndarray) -> float:
    """log p by transformers: minus the mean loss times the number of predicted tokens."""
    batch = torch.tensor(ids.astype(np.int64))[None]
    with torch.inference_mode():
        return -float(model(input_ids=batch, labels=batch).loss) * (len(ids) - 1)


@pytest.fixture
def sequences() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {f"s{i}": random_sequence(rng, int(n)) for i, n in enumerate(rng.integers(0, 60, 40))}


@pytest.mark.parametrize("batch_tokens", [1, 64, 512, 100_000])
def test_equals_transformers_loss(model: LlamaForCausalLM, sequences: dict, batch_tokens: int) -> None:
    scores = score(model, sequences, batch_tokens, "toy")
    assert list(scores) == list(sequences)
    for name, ids in sequences.items():
        assert scores[name] == pytest.approx(own_loss(model, ids), abs=1e-4)


def family(rng: np.random.Generator, shared: int, endings: list[int]) -> list[np.ndarray]:
    beginning = random_sequence(rng, shared)[:-1]
    return [np.concatenate([beginning, random_sequence(rng, n)[1:]]) for n in endings]


def test_shared_beginnings_change_nothing(model: LlamaForCausalLM) -> None:
    rng = np.random.default_rng(1)
    many = [*family(rng, 200, [5, 60, 31]), *family(rng, 140, [90, 90]), *family(rng, 20, [9, 9])]
    # One that is the whole beginning of another but for its EOS, and a pair that splits at the last token.
    long = random_sequence(rng, 250)
    many += [long, np.append(long[:180], 2), np.append(long[:-1], 7)]
    sequences = {str(i): ids.astype(np.uint16) for i, ids in enumerate(many)}
    scores = score(model, sequences, 4096, "toy")
    layers = score_layers(model, sequences, 4096, "toy")
    for name, ids in sequences.items():
        assert scores[name] == pytest.approx(own_loss(model, ids), abs=1e-3)  # some 250 tokens of -20 nats
        alone = score_layers(model, {name: ids}, 4096, "toy")[name]
        np.testing.assert_allclose(layers[name], alone, atol=1e-3)


def test_shared_beginnings_are_passed_once(model: LlamaForCausalLM, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    sequences = {str(i): ids for i, ids in enumerate(family(rng, 200, [20, 20]))}
    passed = []
    forward = logprobs._row_logprobs

    def counted(network: LlamaForCausalLM, row: Row, *others: object) -> torch.Tensor:
        passed.append(len(row.inputs))
        return forward(network, row, *others)

    monkeypatch.setattr(logprobs, "_row_logprobs", counted)
    score(model, sequences, 4096, "toy")
    assert sum(passed) <= 200 + 2 * 22


def test_rows_hold_every_sequence_once_without_padding() -> None:
    rng = np.random.default_rng(1)
    many = [*family(rng, 150, [30] * 9), *(random_sequence(rng, int(n)) for n in rng.integers(1, 40, 50))]
    found = list(rows(sorted(many, key=np.ndarray.tolist), 400))
    held = [ids for row in found for ids in row.sequences]
    assert sorted(map(np.ndarray.tolist, held)) == sorted(map(np.ndarray.tolist, many))
    assert all(len(row.inputs) <= 400 for row in found)
    for row in found:
        assert sum(part.count * part.size for part in row.parts) == len(row.inputs)
        for ids, spans in zip(row.sequences, row.spans, strict=True):
            places = np.concatenate([np.arange(span.start, span.stop) for span in spans])
            assert row.inputs[places].tolist() == ids[:-1].tolist()
            assert row.targets[places].tolist() == ids[1:].tolist()
            assert row.positions[places].tolist() == list(range(len(ids) - 1))


def test_masks_are_made_once_per_shape_and_hide_the_future() -> None:
    rng = np.random.default_rng(1)
    many = sorted(family(rng, 60, [5, 5, 9]), key=np.ndarray.tolist)
    row = pack_row(list(prefix_groups(many, 400)))
    masks = attention_masks(row.parts, torch.float32, torch.device("cpu"))
    assert [part.before for part in row.parts] == [0, 60, 60, 60]
    assert masks[0] is None
    assert len({id(mask) for mask in masks[1:]}) == 2
    for part, mask in zip(row.parts[1:], masks[1:], strict=True):
        assert mask is not None
        assert mask.stride(0) % 8 == 0
        for place in range(part.size):
            assert (mask[place] == 0).tolist() == [i <= part.before + place for i in range(part.before + part.size)]


def test_grouped_heads_equal_transformers(sequences: dict) -> None:
    grouped = tiny_llama(seed=3, num_attention_heads=4, num_key_value_heads=2)
    shared = family(np.random.default_rng(1), 60, [5, 5, 9])
    sequences = {**sequences, **{f"f{i}": ids for i, ids in enumerate(shared)}}
    scores = score(grouped, sequences, 512, "toy")
    for name, ids in sequences.items():
        assert scores[name] == pytest.approx(own_loss(grouped, ids), abs=1e-3)


def test_scores_do_not_depend_on_how_many_rows_are_copied_at_once(
    model: LlamaForCausalLM, sequences: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = score_layers(model, sequences, 64, "toy")
    monkeypatch.setattr(logprobs, "ROWS_PER_COPY", 1)
    for name, one in score_layers(model, sequences, 64, "toy").items():
        assert np.array_equal(one, together[name])


def test_scoring_leaves_the_models_own_attention(model: LlamaForCausalLM) -> None:
    before = model.config._attn_implementation
    score(model, {"a": np.array([1, 3, 2])}, 64, "toy")
    assert model.config._attn_implementation == before


def test_an_utterance_without_symbols_is_the_end_alone(model: LlamaForCausalLM) -> None:
    ids = np.array([1, 2])
    assert score(model, {"empty": ids}, 64, "toy")["empty"] == pytest.approx(own_loss(model, ids), abs=1e-5)


def test_equal_sequences_score_exactly_equal(model: LlamaForCausalLM, sequences: dict) -> None:
    twin = {**sequences, "twin": sequences["s7"].copy()}
    scores = score(model, twin, 64, "toy")
    assert scores["twin"] == scores["s7"]


def test_order_of_sequences_changes_no_bit(model: LlamaForCausalLM, sequences: dict) -> None:
    backwards = dict(reversed(sequences.items()))
    assert score(model, sequences, 256, "toy") == score(model, backwards, 256, "toy")


def test_a_trained_model_prefers_what_it_saw() -> None:
    model = tiny_llama(seed=4).train()
    pattern = torch.tensor([[1, *([5, 6, 7] * 6), 2]])
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(60):
        loss = model(input_ids=pattern, labels=pattern).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    good = pattern[0].numpy().astype(np.uint16)
    bad = good.copy()
    bad[10] = 9
    scores = score(model.eval(), {"good": good, "bad": bad}, 64, "toy")
    assert scores["good"] > -1.0
    assert scores["good"] - scores["bad"] > 3.0


def test_last_layer_is_the_model(model: LlamaForCausalLM, sequences: dict) -> None:
    plain, layers = score(model, sequences, 256, "toy"), score_layers(model, sequences, 256, "toy")
    for name in sequences:
        assert layers[name].shape == (model.config.num_hidden_layers + 1,)
        assert layers[name][-1] == pytest.approx(plain[name], abs=1e-5)


def test_layers_against_a_loop_over_the_modules(model: LlamaForCausalLM) -> None:
    ids = random_sequence(np.random.default_rng(5), 20)
    batch = torch.tensor(ids.astype(np.int64))[None]
    states = [model.model.embed_tokens(batch)]
    hooks = [
        layer.register_forward_hook(lambda _m, _i, out: states.append(out[0] if isinstance(out, tuple) else out))
        for layer in model.model.layers
    ]
    with torch.inference_mode():
        model(input_ids=batch)
        for hook in hooks:
            hook.remove()
        expected = []
        for state in states:
            logp = model.lm_head(model.model.norm(state)).log_softmax(-1)[0]
            expected.append(sum(float(logp[t, ids[t + 1]]) for t in range(len(ids) - 1)))
    np.testing.assert_allclose(score_layers(model, {"a": ids}, 64, "toy")["a"], expected, atol=1e-4)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (np.array([1]), "has 1 tokens; a sequence is BOS ... EOS"),
        (np.full(CONTEXT + 1, 3), f"has {CONTEXT + 1} tokens, the model's context is {CONTEXT}"),
        (np.array([1, VOCABULARY, 2]), f"token {VOCABULARY} is outside the model's vocabulary of {VOCABULARY}"),
    ],
)
def test_impossible_sequences_name_modality_and_id(model: LlamaForCausalLM, ids: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"phone-raw: bad-one: {message}")):
        score(model, {"good": np.array([1, 3, 2]), "bad-one": ids}, 64, "phone-raw")


def test_a_sequence_as_long_as_the_context_is_scored(model: LlamaForCausalLM) -> None:
    ids = random_sequence(np.random.default_rng(2), CONTEXT - 2)
    assert score(model, {"a": ids}, 64, "toy")["a"] == pytest.approx(own_loss(model, ids), abs=2e-3)


def test_nan_names_modality_and_id() -> None:
    model = tiny_llama()
    with torch.no_grad():
        model.model.embed_tokens.weight[9] = float("nan")
    sequences = {"fine": np.array([1, 3, 2]), "hurt": np.array([1, 9, 2])}
    with pytest.raises(ValueError, match="phone-raw: hurt: the log-probability is nan"):
        score(model, sequences, 1, "phone-raw")


def test_the_log_probability_of_eos_is_the_last_tokens(model: LlamaForCausalLM) -> None:
    rng = np.random.default_rng(6)
    sequences = {f"s{i}": random_sequence(rng, int(length)) for i, length in enumerate(rng.integers(1, 30, 12))}
    by_token = score_tokens(model, sequences, 64, "toy")
    for name, value in score_layers_and_eos(model, sequences, 64, "toy").items():
        assert value.shape == (4, 2)
        assert value[-1] == pytest.approx([by_token[name].sum(), by_token[name][-1]], abs=1e-4)
