"""A disk that fails for a moment costs a wait; one that stays silent ends the job with the file's name."""

import gzip
import os
from pathlib import Path

import pytest

from scripts.alignment import textgrid
from scripts.common import audio_errors
from scripts.common.audio_errors import UnreachableError
from scripts.common.files import read_jsonl, text_lines
from scripts.common.steady_file import SteadyFile, read_bytes
from tests.factories.sounds import UNREADABLE

READERS = {"a.tsv": text_lines, "a.jsonl": read_jsonl, "a.jsonl.gz": read_jsonl, "a.TextGrid": textgrid.read}


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []
    monkeypatch.setattr(audio_errors.time, "sleep", waited.append)
    return waited


@pytest.mark.parametrize("name", READERS)
def test_every_reader_waits_and_then_names_the_file(tmp_path: Path, waits: list[float], name: str):
    (tmp_path / name).symlink_to(UNREADABLE)
    with pytest.raises(UnreachableError, match=rf"{name} is there but cannot be read \(Input/output error\)"):
        list(READERS[name](tmp_path / name))
    assert waits == list(audio_errors.WAITS)


@pytest.mark.parametrize("name", ["a.tsv", "a.jsonl", "a.jsonl.gz"])
def test_a_passing_error_costs_a_wait_and_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    path, good = tmp_path / name, tmp_path / f"good{Path(name).suffix}"
    content = b"".join(b'{"id": %d}\n' % number for number in range(9))
    good.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    path.symlink_to(UNREADABLE)
    waited: list[float] = []

    def mend(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 1:
            path.unlink()  # for a moment the server knows no such file
        else:
            path.symlink_to(good)

    monkeypatch.setattr(audio_errors.time, "sleep", mend)
    assert len(list(READERS[name](path))) == 9
    assert waited == list(audio_errors.WAITS[:2])


def test_reading_goes_on_where_the_disk_failed(tmp_path: Path, waits: list[float]):
    path = tmp_path / "a"
    path.write_bytes(bytes(range(256)) * 4096)
    with SteadyFile(path) as file:
        start = file.read(1000)
        assert file._file is not None
        broken = os.open(UNREADABLE, os.O_RDONLY)
        os.dup2(broken, file._file.fileno())  # from here on every read of the open file fails with EIO
        os.close(broken)
        assert start + file.readall() == path.read_bytes()
    assert waits == list(audio_errors.WAITS[:1])


def test_what_is_absent_forbidden_or_a_folder_is_known_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(audio_errors.time, "sleep", lambda _: pytest.fail("waited"))
    with pytest.raises(FileNotFoundError, match="none"):
        read_bytes(tmp_path / "none")
    with pytest.raises(IsADirectoryError, match=str(tmp_path)):
        read_bytes(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="loop"):
        read_bytes(tmp_path / "loop")
