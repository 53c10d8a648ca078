"""Tokens made elsewhere are imported cut by cut, and cuts without any are named."""

from pathlib import Path

import pytest

from scripts.common.files import write_jsonl
from scripts.common.ragged import load_npz
from scripts.tokens import external, import_external
from tests.factories.cuts import make_cut


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, list[int]], cuts: list[dict]) -> dict:
    """Import these tokens for these cuts or items, both by command line."""
    write_jsonl(folder / "given/a.jsonl", [{"id": name, "tokens": row} for name, row in given.items()])
    write_jsonl(folder / "cuts.jsonl.gz", cuts)
    store = str(folder / "store")
    flags = ["--folder", str(folder / "given"), "--size", "32000", "--out", store]
    monkeypatch.setattr("sys.argv", ["x", "--modality", "text-llama", *flags])
    external.main()
    flags = ["--cuts", str(folder / "cuts.jsonl.gz"), "--store", store, "--output", str(folder / "out.npz")]
    monkeypatch.setattr("sys.argv", ["x", "--modality", "text-llama", *flags])
    import_external.main()
    return load_npz(folder / "out.npz").by_id()


def test_tokens_come_in_the_order_of_the_cuts(tmp_path: Path, monkeypatch):
    found = run(
        tmp_path,
        monkeypatch,
        {"b": [5], "a": [31_999, 0], "c": []},
        [make_cut("a"), make_cut("b"), make_cut("c", text="")],
    )
    assert {name: row.tolist() for name, row in found.items()} == {"a": [31_999, 0], "b": [5], "c": []}


def test_cuts_without_tokens_are_named(tmp_path: Path, monkeypatch):
    says = r"modalities\.text-llama\.external: 2 of 3 cuts of .*cuts\.jsonl\.gz have nothing there that fits: 'b' has w"
    with pytest.raises(ValueError, match=says):
        run(tmp_path, monkeypatch, {"a": [1], "b": []}, [make_cut("a"), make_cut("b"), make_cut("c")])


def test_a_token_too_large_names_the_modality(tmp_path: Path, monkeypatch):
    says = r"a\.jsonl:1: holds 32000; modalities\.text-llama\.external \(with its vocab_size\) allows 0 to 31999"
    with pytest.raises(ValueError, match=says):
        run(tmp_path, monkeypatch, {"a": [32_000]}, [make_cut("a"), make_cut("b")])


def test_a_side_without_tokens_is_left_empty_and_named(tmp_path: Path, monkeypatch, capsys):
    items = [{"positive": make_cut("a"), "negative": [make_cut("b"), make_cut("c")]}]
    found = run(tmp_path, monkeypatch, {"a": [1], "c": [2, 3]}, items)
    assert {name: row.tolist() for name, row in found.items()} == {"a": [1], "b": [], "c": [2, 3]}
    assert "3 utterances, 3 tokens, 1 left empty, e.g. 'b' has none" in capsys.readouterr().err
