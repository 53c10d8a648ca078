"""Imported units have as many units as frames, or an error names the cut."""

from pathlib import Path

import numpy as np
import pytest

from scripts.common.external import Store
from scripts.common.files import write_jsonl
from scripts.common.frames import frame_count
from scripts.common.ragged import load_npz
from scripts.units import external, import_external
from tests.factories.cuts import make_cut

FRAMES = frame_count(16_000)


def run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, int], cuts: list[dict]
) -> dict[str, np.ndarray]:
    """Import units of these lengths for these cuts or items, both by command line."""
    rows = [{"id": name, "units": [7] * (length - 1) + [9]} for name, length in given.items()]
    write_jsonl(folder / "given/a.jsonl.gz", rows)
    write_jsonl(folder / "cuts.jsonl.gz", cuts)
    store = str(folder / "store")
    monkeypatch.setattr("sys.argv", ["x", "--folder", str(folder / "given"), "--clusters", "10", "--out", store])
    external.main()
    flags = ["--cuts", str(folder / "cuts.jsonl.gz"), "--store", store, "--output", str(folder / "out.npz")]
    monkeypatch.setattr("sys.argv", ["x", *flags])
    import_external.main()
    return load_npz(folder / "out.npz").by_id()


def test_units_are_as_many_as_frames_in_the_order_of_the_cuts(tmp_path: Path, monkeypatch, capsys):
    given = {"short": FRAMES - 1, "whole": FRAMES, "long": FRAMES + 1, "of another split": 3}
    found = run(tmp_path, monkeypatch, given, [make_cut("whole"), make_cut("long"), make_cut("short")])
    assert list(found) == ["whole", "long", "short"]
    assert {len(units) for units in found.values()} == {FRAMES}
    assert found["whole"][-1] == 9
    assert found["long"][-1] == 7
    assert found["short"][-2:].tolist() == [9, 9]
    assert "2 corrected by one unit" in capsys.readouterr().err


def test_cuts_without_their_units_are_named(tmp_path: Path, monkeypatch):
    given = {"a": FRAMES, "b": FRAMES - 2, "c": FRAMES + 2}
    with pytest.raises(ValueError, match=r"4 of 5 cuts of .*cuts\.jsonl\.gz have nothing there that fits") as error:
        run(tmp_path, monkeypatch, given, [make_cut(name) for name in "abcde"])
    assert f"'b' has {FRAMES - 2}, its 1.000 s make {FRAMES}" in str(error.value)
    assert f"'d' has none, its 1.000 s make {FRAMES}; and 1 more" in str(error.value)
    assert not (tmp_path / "out.npz").exists()


def test_a_store_is_read_without_loading_it(tmp_path: Path, monkeypatch):
    run(tmp_path, monkeypatch, {"a": FRAMES}, [make_cut("a")])
    assert isinstance(Store(tmp_path / "store")._stream, np.memmap)


def test_a_side_without_its_units_is_left_empty_and_named(tmp_path: Path, monkeypatch, capsys):
    items = [
        {"positive": make_cut("a"), "negative": make_cut("b")},
        {"positive": make_cut("c"), "negative": make_cut("d")},
    ]
    found = run(tmp_path, monkeypatch, {"a": FRAMES, "b": FRAMES - 2, "c": FRAMES}, items)
    assert {name: len(units) for name, units in found.items()} == {"a": FRAMES, "b": 0, "c": FRAMES, "d": 0}
    assert f"2 left empty, e.g. 'b' has {FRAMES - 2}" in capsys.readouterr().err
