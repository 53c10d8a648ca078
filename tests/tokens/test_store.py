import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.common.ragged import Ragged, load_bin
from scripts.tokens import store

sequences = st.lists(st.lists(st.integers(0, 65535), max_size=6).map(lambda inner: [1, *inner, 2]), max_size=5)


def columns(count, first=0):
    return {name: [first + i for i in range(count)] for name in store.COLUMNS}


@settings(max_examples=40, deadline=None)
@given(st.lists(sequences, min_size=1, max_size=4))
def test_joining_is_saving_at_once(tmp_path_factory, parts):
    folder = tmp_path_factory.mktemp("join")
    every, number = [], 0
    for index, part in enumerate(parts):
        ids = [f"{'long' * index}-{i}" for i in range(len(part))]
        store.save(folder / f"{index}.bin", Ragged.join(ids, [np.array(s) for s in part]), columns(len(part), number))
        every += list(zip(ids, part, strict=True))
        number += len(part)
    store.join([folder / f"{index}.bin" for index in range(len(parts))], folder / "joined.bin")
    ids, streams = [name for name, _ in every], [np.array(s) for _, s in every]
    store.save(folder / "once.bin", Ragged.join(ids, streams), columns(len(ids)))
    joined, once = load_bin(folder / "joined.bin"), load_bin(folder / "once.bin")
    np.testing.assert_array_equal(joined.ids, once.ids)
    np.testing.assert_array_equal(joined.offsets, once.offsets)
    assert (folder / "joined.bin").read_bytes() == (folder / "once.bin").read_bytes()
    assert store.totals(folder / "joined.bin") == store.totals(folder / "once.bin")
    assert store.totals(folder / "joined.bin")["tokens"] == sum(len(s) - 2 for s in streams)


def test_same_bytes_twice(tmp_path):
    store.save(tmp_path / "a.bin", Ragged.join(["x"], [np.array([1, 5, 2])]), columns(1))
    for name in ("one", "two"):
        store.join([tmp_path / "a.bin"], tmp_path / f"{name}.bin")
    assert (tmp_path / "one.idx.npz").read_bytes() == (tmp_path / "two.idx.npz").read_bytes()


def test_an_id_in_two_shards(tmp_path):
    for name in ("a", "b"):
        store.save(tmp_path / f"{name}.bin", Ragged.join([name, "twin"], [np.array([1, 2])] * 2), columns(2))
    with pytest.raises(ValueError, match=r"id 'twin' is in .*a\.bin and again in .*b\.bin; ids must be unique"):
        store.join([tmp_path / "a.bin", tmp_path / "b.bin"], tmp_path / "c.bin")
    assert not (tmp_path / "c.bin").exists()
    assert not (tmp_path / "c.idx.npz").exists()


def test_a_shard_that_was_cut_off(tmp_path):
    store.save(tmp_path / "a.bin", Ragged.join(["x"], [np.array([1, 5, 2])]), columns(1))
    (tmp_path / "a.bin").write_bytes((tmp_path / "a.bin").read_bytes()[:-2])
    with pytest.raises(ValueError, match=re.escape("a.bin: holds 2 tokens, its index says 3; delete both and run")):
        store.join([tmp_path / "a.bin"], tmp_path / "b.bin")
    assert [path.name for path in tmp_path.glob("*b.*")] == []
