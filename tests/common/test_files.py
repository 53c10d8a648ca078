"""Outputs appear atomically, and errors about damaged files name file and line."""

import gzip
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.common.files import (
    atomic_directory,
    atomic_path,
    check_writable,
    read_json,
    read_jsonl,
    read_yaml,
    text_lines,
    write_csv,
    write_jsonl,
)


def test_a_failing_writer_leaves_the_old_file_and_nothing_else(tmp_path: Path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(target) as aside:
        aside.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_is_replaced_whole(tmp_path: Path):
    target = tmp_path / "model"
    for content in ("first", "second"):
        with atomic_directory(target) as aside:
            (aside / content).write_text(content)
    assert [p.name for p in target.iterdir()] == ["second"]
    with pytest.raises(RuntimeError), atomic_directory(target) as aside:
        raise RuntimeError
    assert [p.name for p in target.iterdir()] == ["second"]
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


def test_jsonl_round_trip_has_the_same_bytes_each_time(tmp_path: Path):
    items = [{"id": "a", "text": "déjà"}, {"id": "b"}]
    for name in ("one.jsonl.gz", "two.jsonl.gz"):
        assert write_jsonl(tmp_path / name, items) == 2
    assert (tmp_path / "one.jsonl.gz").read_bytes() == (tmp_path / "two.jsonl.gz").read_bytes()
    assert list(read_jsonl(tmp_path / "one.jsonl.gz")) == items


def test_truncated_gzip_is_named(tmp_path: Path):
    whole = gzip.compress(b"".join(json.dumps({"id": i, "x": i**7}).encode() + b"\n" for i in range(2000)))
    (tmp_path / "cut.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"cut\.jsonl\.gz: damaged or truncated gzip after line \d+"):
        list(read_jsonl(tmp_path / "cut.jsonl.gz"))


def test_not_gzip_and_not_json_and_not_an_object(tmp_path: Path):
    (tmp_path / "a.jsonl.gz").write_bytes(b"\x1f\x8bxx")
    with pytest.raises(ValueError, match=r"a\.jsonl\.gz: damaged or truncated gzip"):
        list(read_jsonl(tmp_path / "a.jsonl.gz"))
    (tmp_path / "b.jsonl").write_text('{"id": 1}\n{"id": \n')
    with pytest.raises(ValueError, match=r"b\.jsonl:2: not JSON"):
        list(read_jsonl(tmp_path / "b.jsonl"))
    (tmp_path / "c.jsonl").write_text("[1]\n")
    with pytest.raises(ValueError, match=r"c\.jsonl:1: expected a JSON object"):
        list(read_jsonl(tmp_path / "c.jsonl"))
    with pytest.raises(FileNotFoundError, match="no such file"):
        list(read_jsonl(tmp_path / "none.jsonl"))


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2\nsize 12345\n"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (LFS, r"is a pointer of Git LFS, not the file itself; run `git lfs pull`"),
        (b"/annex/objects/SHA256E-s9--4d7a2.csv\n", r"is a pointer of git-annex"),
        (b"<!-- a cache said -->\n<html>", r"is a web page .*: fetch it again"),
        (b"\xef\xbb\xbf\r\n<!DOCTYPE html>\n<html>", r"is a web page .*: fetch it again"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", r"is a web page"),
        (b"PK\x03\x04\0\0", r"is compressed with zip"),
        (b"\xfd7zXZ\x00\0", r"is compressed with xz"),
    ],
)
def test_what_stands_in_a_files_place_is_named(tmp_path: Path, content: bytes, says: str):
    for name, read in (("a.jsonl", read_jsonl), ("a.jsonl.gz", read_jsonl), ("a.txt", text_lines)):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=rf"/{name}: {says}"):
            list(read(tmp_path / name))
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(ValueError, match=rf"a\.json: {says}"):
        read_json(tmp_path / "a.json")


def test_a_name_and_its_content_must_agree(tmp_path: Path):
    (tmp_path / "a.jsonl").write_bytes(gzip.compress(b"{}\n"))
    with pytest.raises(ValueError, match=r"a\.jsonl: is compressed with gzip; unpack it"):
        list(read_jsonl(tmp_path / "a.jsonl"))
    (tmp_path / "a.jsonl.gz").write_bytes(b"{}\n")
    with pytest.raises(ValueError, match=r"a\.jsonl\.gz: is not compressed with gzip, though its name ends in \.gz"):
        list(read_jsonl(tmp_path / "a.jsonl.gz"))
    (tmp_path / "a.jsonl.gz").write_bytes(b"")
    with pytest.raises(ValueError, match=r"a\.jsonl\.gz: is empty \(0 bytes\)"):
        list(read_jsonl(tmp_path / "a.jsonl.gz"))
    (tmp_path / "a.txt").write_bytes("id score".encode("utf-16-le"))
    with pytest.raises(ValueError, match=r"a\.txt: holds zero bytes, so it is binary data or UTF-16"):
        list(text_lines(tmp_path / "a.txt"))


def test_csv_refuses_an_unknown_column(tmp_path: Path):
    with pytest.raises(ValueError, match="extra"):
        write_csv(tmp_path / "a.csv", ["id"], [{"id": 1, "extra": 2}])
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def other_user() -> Iterator[Path]:
    """A folder of one's own in which one may not write: to root, nothing is forbidden, so it becomes another."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            os.seteuid(user)
            folder.chmod(0o755)


def test_a_folder_that_cannot_be_written_is_named(other_user: Path):
    with pytest.raises(ValueError, match=f"results/mini: no permission to write in {other_user}; results need"):
        check_writable(other_user / "results/mini")
    assert not list(other_user.iterdir())


def test_a_folder_to_be_made_is_fine_and_a_file_in_its_place_is_not(tmp_path: Path):
    check_writable(tmp_path / "results/mini")
    assert not list(tmp_path.iterdir())
    (tmp_path / "results").touch()
    with pytest.raises(ValueError, match=f"{tmp_path}/results is not a folder"):
        check_writable(tmp_path / "results/mini")


@pytest.mark.parametrize(("read", "name"), [(read_json, "a.json"), (read_yaml, "a.yaml"), (read_jsonl, "a.jsonl")])
def test_nesting_without_end_is_named(tmp_path: Path, read: Callable[[Path], Any], name: str):
    (tmp_path / name).write_text('{"a": ' + "[" * 100_000)
    with pytest.raises(ValueError, match=rf"{name}.*nested too deeply"):
        list(read(tmp_path / name))


def test_half_a_character_is_named(tmp_path: Path):
    """As json.dumps writes a file name that is not UTF-8."""
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"id": "\U0001f600"}) + "\n" + json.dumps({"id": "caf\udce9"}) + "\n")
    lines = read_jsonl(path)
    assert next(lines) == {"id": "\U0001f600"}
    with pytest.raises(ValueError, match=r"a\.jsonl:2: has \\udce9, half of a character") as error:
        next(lines)
    assert str(error.value).isascii()
