import re

import numpy as np
import pytest

from scripts.common.ragged import Ragged, load_bin, save_bin
from scripts.lm.batching import splits
from scripts.lm.batching.batches import micro_batches
from scripts.lm.batching.splits import epoch_batches, load_split, steps_per_epoch
from scripts.tokens import store
from tests.lm.conftest import ragged

IDS = [f"u{i}" for i in range(37)]
UTTERANCES = Ragged.join(IDS, [np.array([1, 5, 2])] * 37)


def test_an_epoch_takes_each_utterance_once_in_steps_of_equal_size():
    steps = epoch_batches(UTTERANCES, 8, seed=1, epoch=0)
    assert sorted(np.concatenate(steps)) == list(range(37))
    assert len(steps) == steps_per_epoch(37, 8) == 5
    assert {len(batch) for batch in steps} == {7, 8}


def test_fewer_utterances_than_a_batch_make_one_step():
    assert [
        len(batch) for batch in epoch_batches(Ragged.join(IDS[:3], [np.array([1, 2])] * 3), 8, seed=1, epoch=0)
    ] == [3]


def test_the_order_is_a_function_of_seed_and_epoch():
    def order(seed, epoch):
        return np.concatenate(epoch_batches(UTTERANCES, 8, seed, epoch)).tolist()

    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(1, 1)
    assert order(1, 0) != order(2, 0)


def test_every_step_holds_the_same_utterances_however_they_are_stored():
    backwards = Ragged.join(IDS[::-1], [np.array([1, 2])] * 37)
    for a, b in zip(epoch_batches(UTTERANCES, 8, 1, 0), epoch_batches(backwards, 8, 1, 0), strict=True):
        assert UTTERANCES.ids[a].tolist() == backwards.ids[b].tolist()


def load(path, vocab_size=11, context=64):
    return load_split(path, vocab_size, context, bos=1, eos=2)


def test_a_good_split_is_read(tmp_path):
    save_bin(tmp_path / "train.bin", ragged([3, 9, 64]))
    assert load(tmp_path / "train.bin").lengths.tolist() == [3, 9, 64]


@pytest.mark.parametrize("lost", [1, 2, 11])
def test_truncated_tokens_are_refused(tmp_path, lost):
    path = tmp_path / "train.bin"
    save_bin(path, ragged([9, 9]))
    path.write_bytes(path.read_bytes()[:-lost])
    with pytest.raises(ValueError, match="train"):
        load(path)


def test_a_damaged_index_is_refused(tmp_path):
    path = tmp_path / "train.bin"
    save_bin(path, ragged([9, 9]))
    (tmp_path / "train.idx.npz").write_bytes(b"PK")
    with pytest.raises(ValueError, match="not a token index"):
        load(path)
    (tmp_path / "train.idx.npz").unlink()
    with pytest.raises(FileNotFoundError, match=r"train\.idx\.npz"):
        load(path)


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (Ragged.join([], []), "no utterances"),
        (Ragged(np.array(["a", "b"]), np.array([0, 4, 3]), np.array([1, 5, 2], np.uint16)), "not a rising list"),
        (Ragged(np.array(["a", "a"]), np.array([0, 2, 4]), np.array([1, 2, 1, 2], np.uint16)), "appears twice"),
        (Ragged.join(["a", "b"], [np.array([1, 5, 2]), np.array([1])]), "b (1 tokens) holds fewer than 2 tokens"),
        (Ragged.join(["a", "b"], [np.array([1, 5, 2]), np.array([], int)]), "b (0 tokens) holds fewer than 2 tokens"),
        (Ragged.join(["a"], [np.array([1, 11, 2])]), "a (3 tokens) holds a token outside the vocabulary of 11"),
        (Ragged.join(["a"], [np.array([1, 5, 5])]), "does not begin with 1 and end with 2"),
        (ragged([9, 65, 70]), "u1 (65 tokens) is longer than lm.model.context = 64 tokens (2 such in this file)"),
    ],
)
def test_tokens_that_cannot_be_trained_on_are_refused(tmp_path, tokens, message):
    save_bin(tmp_path / "train.bin", tokens)
    with pytest.raises(ValueError, match=r"train\.bin: .*" + re.escape(message)):
        load(tmp_path / "train.bin")


@pytest.fixture
def packed(tmp_path):
    """A split as packing leaves it: three utterances in two parts."""
    for name, lengths in (("a", [9, 5]), ("b", [64])):
        part = ragged(lengths)
        part = Ragged(np.char.add(name, part.ids), part.offsets, part.stream)
        store.save(tmp_path / f"{name}.bin", part, {column: [0] * len(part) for column in store.COLUMNS})
    store.join([tmp_path / "a.bin", tmp_path / "b.bin"], tmp_path / "train.bin")
    return tmp_path / "train.bin"


def test_a_packed_split_is_not_read_whole(packed, monkeypatch):
    monkeypatch.setattr(splits, "_read_whole", None)
    tokens = load(packed)
    assert tokens.ids.tolist() == ["au0", "au1", "bu0"]
    assert tokens.lengths.tolist() == [9, 5, 64]
    assert tokens.order.tolist() == Ragged(tokens.ids, tokens.offsets, tokens.stream).order.tolist()


def test_what_packing_noted_is_held_against_the_model(packed):
    with pytest.raises(ValueError, match=r"train\.bin: au0 \(9 tokens\) holds a token outside the vocabulary of 8"):
        load(packed, vocab_size=8)
    with pytest.raises(ValueError, match=r"train\.bin: bu0 \(64 tokens\) is longer than lm.model.context = 63"):
        load(packed, context=63)
    with pytest.raises(ValueError, match=r"train\.bin: au0 .* does not begin with 3 and end with 2"):
        load_split(packed, 11, 64, bos=3, eos=2)


def test_tokens_that_changed_after_packing_are_refused(packed, monkeypatch):
    content = bytearray(packed.read_bytes())
    content[4] ^= 1
    packed.write_bytes(content)
    with pytest.raises(ValueError, match=r"train\.bin: not the tokens that were packed; delete it"):
        load(packed)
    packed.write_bytes(content[:-2])
    with pytest.raises(ValueError, match=r"train\.bin: offsets end at 78 but the stream holds 77 values"):
        load(packed)


def test_a_token_that_no_look_found_is_refused_when_it_is_read(packed, monkeypatch):
    content = bytearray(packed.read_bytes())
    content[4] = 11
    packed.write_bytes(content)
    monkeypatch.setattr(splits, "sample_digest", lambda path: load_bin(path).record.sample)
    tokens = load(packed)
    with pytest.raises(ValueError, match=r"train\.bin: au0 holds a token outside the vocabulary of 11, which it did"):
        micro_batches(tokens, np.array([1, 0]), 128)
