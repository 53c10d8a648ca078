"""Ragged arrays: written sequences are read back, and inconsistent arrays are refused."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.common.ragged import Ragged, index_path, load_bin, load_npz, save_bin, save_npz

sequences = st.lists(st.lists(st.integers(0, 65535), max_size=20), max_size=8)


@given(sequences)
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, values: list[list[int]]):
    folder = tmp_path_factory.mktemp("ragged")
    ragged = Ragged.join([f"id-{i}" for i in range(len(values))], [np.array(v) for v in values])
    save_npz(folder / "a.npz", ragged)
    save_bin(folder / "a.bin", ragged)
    for back in (load_npz(folder / "a.npz"), load_bin(folder / "a.bin")):
        assert [list(s) for s in back] == values
        assert list(back.ids) == list(ragged.ids)


def test_same_bytes_each_time(tmp_path: Path):
    ragged = Ragged.join(["a", "b"], [np.arange(5), np.arange(3)])
    for name in ("one", "two"):
        save_npz(tmp_path / f"{name}.npz", ragged)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_values_and_ids_are_checked():
    with pytest.raises(ValueError, match=r"b: a value is outside 0\.\.65535"):
        Ragged.join(["a", "b"], [np.array([1]), np.array([65536])])
    with pytest.raises(ValueError, match="id 'a' appears twice"):
        Ragged.join(["a", "a"], [np.array([1]), np.array([2])])


def test_damage_is_named(tmp_path: Path):
    path = tmp_path / "a.bin"
    save_bin(path, Ragged.join(["a", "b"], [np.arange(5), np.arange(3)]))
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(ValueError, match=r"a\.bin: offsets end at 8 but the stream holds 7 values"):
        load_bin(path)
    np.savez(index_path(path), ids=np.array(["a", "b"]), offsets=np.array([0, 9, 7]))
    with pytest.raises(ValueError, match="offsets are not a rising list"):
        load_bin(path)
    (tmp_path / "b.npz").write_bytes(b"not a zip")
    with pytest.raises(ValueError, match=r"b\.npz: not a unit file"):
        load_npz(tmp_path / "b.npz")
