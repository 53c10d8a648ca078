"""Imported sequences are found by id in every format, and errors name file and line."""

import json
from pathlib import Path

import numpy as np
import pytest

from scripts.common.external import Store, build
from scripts.common.files import read_json, write_jsonl

GIVEN = {f"large/{i}/b_{i}": [i, i, 99 - i][: i % 4] for i in range(50)}


def store(folder: Path, key: str = "units", limit: int = 100) -> Store:
    build(folder, key, limit, "units.external", folder.parent / "store")
    return Store(folder.parent / "store")


def fairseq(folder: Path, name: str, given: dict[str, list[int]]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.tsv").write_text("/root\n" + "".join(f"{path}.wav\t16000\n" for path in given))
    (folder / f"{name}.km").write_text("".join(" ".join(map(str, row)) + "\n" for row in given.values()))


@pytest.mark.parametrize("form", ["jsonl", "jsonl.gz", "text", "fairseq"])
def test_sequences_come_back_by_id(tmp_path: Path, form: str):
    folder = tmp_path / "given"
    halves = [dict(list(GIVEN.items())[place::2]) for place in (0, 1)]
    for name, half in zip("ab", halves, strict=True):
        if form == "fairseq":
            fairseq(folder, name, half)
            continue
        rows = [{"id": i, "units": " ".join(map(str, row)) if form == "text" else row} for i, row in half.items()]
        write_jsonl(folder / name / f"units.{form if form != 'text' else 'jsonl'}", rows)
    found = store(folder)
    for name, row in GIVEN.items():
        units = found.get(name)
        assert units is not None
        assert units.dtype == np.uint16
        assert units.tolist() == row
    assert found.get("large/50/b_50") is None
    tail = found.get("b_7")
    assert (tail is not None) == (form == "fairseq")
    assert read_json(tmp_path / "store/about.json")["clusters"] == 100


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_line_ends_of_windows_and_blank_lines_at_the_end(tmp_path: Path, line_end: str):
    (tmp_path / "given").mkdir()
    for name, lines in {"a.tsv": ["/root", "x.wav\t9", "d.e/y\t9", "", " "], "a.km": ["1 2", "", "", ""]}.items():
        (tmp_path / "given" / name).write_bytes(b"\xef\xbb\xbf" + line_end.join(lines).encode())
    found = store(tmp_path / "given")
    assert [row.tolist() for row in (found.get("x"), found.get("d.e/y")) if row is not None] == [[1, 2], []]


def test_the_last_part_of_several_paths_is_nobodys_id(tmp_path: Path):
    fairseq(tmp_path / "given", "a", {"x/one": [1], "y/one": [2], "two": [3]})
    found = store(tmp_path / "given")
    assert [found.get(name).tolist() for name in ("x/one", "y/one", "two")] == [[1], [2], [3]]
    with pytest.raises(ValueError, match="'one' is the last part of 2 paths"):
        found.get("one")


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, r"units\.external: .*given must hold .* it holds neither"),
        ({"a.jsonl": "", "b.tsv": "/\n"}, "it holds both"),
        ({"a.jsonl": '{"id": "x"}\n'}, r"a\.jsonl:1: needs id and units, found id"),
        ({"a.jsonl": '{"id": 3, "units": []}\n'}, r"a\.jsonl:1: needs id and units"),
        (
            {"a.jsonl": '{"id": "x", "units": [1]}\n{"id": "y", "units": [1, 100]}\n'},
            r"a\.jsonl:2: holds 100; .* 0 to 99",
        ),
        ({"a.jsonl": '{"id": "x", "units": [-1]}\n'}, r"a\.jsonl:1: '\[-1\]' is not a row of whole numbers"),
        ({"a.jsonl": '{"id": "x", "units": [1.5]}\n'}, r"a\.jsonl:1: .* is not a row"),
        ({"a.jsonl": '{"id": "x", "units": [[1], [2]]}\n'}, r"a\.jsonl:1: .* is not a row"),
        ({"a.jsonl": '{"id": "x", "units": [[1], 2]}\n'}, r"a\.jsonl:1: .* is not a row"),
        ({"a.jsonl": '{"id": "x", "units": "1 b"}\n'}, r"a\.jsonl:1: '1 b' is not a row"),
        ({"a.jsonl": '{"id": "x", "units": null}\n'}, r"a\.jsonl:1: 'None' is not a row"),
        (
            {"a.jsonl": '{"id": "x", "units": [1]}\n', "b.jsonl": '{"id": "x", "units": [2]}\n'},
            r"'x' is in .*a\.jsonl:1 and again in .*b\.jsonl:1",
        ),
        ({"a.tsv": "/\nx.wav\t9\n"}, r"a\.km: no such file; a\.tsv needs one"),
        ({"a.tsv": "/\nx.wav\t9\ny.wav\t9\n", "a.km": "1 2\n"}, r"a\.km: ends after line 1"),
        ({"a.tsv": "/\nx.wav\t9\n", "a.km": "1 2\n3\n"}, r"a\.km: has more lines than the 1 files that a\.tsv lists"),
        (
            {"a.tsv": "x.wav\t9\ny.wav\t9\n", "a.km": "1\n2\n"},
            r"a\.tsv:1: expected the folder .* found a file, 'x\.wav'",
        ),
        ({"a.tsv": "\r\nx.wav\t9\r\n", "a.km": "1\n"}, r"a\.tsv:1: expected the folder .* found nothing"),
        ({"a.tsv": "", "a.km": ""}, r"a\.tsv:1: expected the folder .* found nothing"),
        ({"a.tsv": "/\nx.wav\t9\n\ny.wav\t9\n", "a.km": "1\n\n2\n"}, r"a\.tsv:3: names no file; expected 'path"),
        ({"a.tsv": "/\n\r\nx.wav\t9\n", "a.km": "1\n"}, r"a\.tsv:2: names no file"),
        ({"a.tsv": "/\n\t9\n", "a.km": "1\n"}, r"a\.tsv:2: names no file"),
        ({"a.tsv": "/\n./\t9\n", "a.km": "1\n"}, r"a\.tsv:2: names no file"),
        ({"a.jsonl": '\n{"id": "x"}\n'}, r"a\.jsonl:2: needs id and units, found id"),
        ({"a.tsv": "/\nx.wav\t9\n", "a.km": "1 two\n"}, r"a\.km:1: '1 two' is not a row"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, files: dict[str, str], says: str):
    (tmp_path / "given").mkdir()
    for name, content in files.items():
        (tmp_path / "given" / name).write_text(content)
    with pytest.raises(ValueError, match=says) as error:
        store(tmp_path / "given")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("form", ["jsonl", "fairseq"])
def test_links_lead_to_every_file_once(tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]):
    """Splits on another disk, linked into one folder; links to a parent, to a folder again and to a file again."""
    for split in ("train", "dev"):
        if form == "fairseq":
            (tmp_path / "disk").mkdir(exist_ok=True)
            fairseq(tmp_path / "disk" / split, "a", {f"{split}/x": [1, 2]})
        else:
            write_jsonl(tmp_path / "disk" / split / "a.jsonl", [{"id": f"{split}/x", "units": [1, 2]}])
        (tmp_path / "given").mkdir(exist_ok=True)
        (tmp_path / "given" / split).symlink_to(tmp_path / "disk" / split)
    (tmp_path / "disk/dev/up").symlink_to("..")
    (tmp_path / "given/again").symlink_to("dev")
    for file in (tmp_path / "disk/dev").glob("a.*"):
        (tmp_path / f"given/b{file.suffix}").symlink_to(file)
        (tmp_path / f"given/C{file.suffix.upper()}").hardlink_to(file)
    found = store(tmp_path / "given")
    assert [found.get(f"{split}/x").tolist() for split in ("train", "dev")] == [[1, 2], [1, 2]]
    assert "under another name; it is read once" in capsys.readouterr().err


def test_one_list_of_files_may_have_two_kinds_of_numbers(tmp_path: Path):
    """A second name of a .tsv beside another .km is no second name of both."""
    fairseq(tmp_path / "given", "a", {"x": [1]})
    (tmp_path / "given/b.tsv").symlink_to("a.tsv")
    (tmp_path / "given/b.km").write_text("2\n")
    with pytest.raises(ValueError, match=r"'x' is in .*a\.km:1 and again in .*b\.km:1"):
        store(tmp_path / "given")


def test_a_link_that_leads_nowhere_is_named(tmp_path: Path):
    write_jsonl(tmp_path / "given/a.jsonl", [{"id": "x", "units": [1]}])
    (tmp_path / "given/b.jsonl").symlink_to("/nowhere/b.jsonl")
    with pytest.raises(ValueError, match=r"b\.jsonl does not exist"):
        store(tmp_path / "given")


def test_a_folder_that_is_not_there(tmp_path: Path):
    with pytest.raises(ValueError, match=r"units\.external: .*given is not a folder"):
        store(tmp_path / "given")


@pytest.mark.parametrize(
    "files",
    [{"a.jsonl": ""}, {"a.jsonl": "\n \n"}, {"a.tsv": "/root\n", "a.km": ""}],
    ids=["empty", "blank", "root alone"],
)
def test_a_folder_without_sequences_is_named(tmp_path: Path, files: dict[str, str]):
    (tmp_path / "given").mkdir()
    for name, content in files.items():
        (tmp_path / "given" / name).write_text(content)
    with pytest.raises(ValueError, match=r"units\.external: .*given holds no sequences"):
        build(tmp_path / "given", "units", 9, "units.external", tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_nothing_said_is_an_empty_sequence(tmp_path: Path):
    write_jsonl(tmp_path / "given/a.jsonl", [{"id": "x", "units": []}])
    found = store(tmp_path / "given").get("x")
    assert found is not None
    assert json.dumps(found.tolist()) == "[]"
