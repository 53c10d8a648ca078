"""Duplicate ids are detected, and the shards contain every cut."""

import gzip
import random
import resource
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchmarks import prepare
from scripts.common.files import read_jsonl
from scripts.corpus.speech import shards
from scripts.corpus.speech.seen_ids import SeenIds
from scripts.corpus.speech.shards import Shards
from tests.factories.cuts import make_cut


def test_met_says_what_a_set_says():
    rng = random.Random(1)
    names = [f"large/{rng.randint(0, 9000)}/{rng.randint(0, 9)}" for _ in range(60_000)]
    seen_ids, known = SeenIds(), set()
    for name in names:
        assert (name in seen_ids) == (name in known)
        assert seen_ids.add(name) == (name not in known)
        known.add(name)


def test_every_cut_is_written_once_in_order_and_in_the_same_bytes(tmp_path: Path):
    cuts = [make_cut(str(n), str(n // 7), "x" * 300, 1.0 + n // 7) for n in range(3000)]
    for name in ("a", "b"):
        with ExitStack() as stack:
            shards = Shards([tmp_path / name / f"{i}.jsonl.gz" for i in range(5)], stack)
            for one in cuts:
                shards.write(one)
            shards.finish()
    files = [list(read_jsonl(tmp_path / f"a/{i}.jsonl.gz")) for i in range(5)]
    assert sorted(int(c["id"]) for file in files for c in file) == list(range(3000))
    assert all(file == sorted(file, key=lambda c: int(c["id"])) for file in files)
    assert [len(file) for file in files] == shards.counts
    for i in range(5):
        whole = (tmp_path / f"a/{i}.jsonl.gz").read_bytes()
        assert whole == (tmp_path / f"b/{i}.jsonl.gz").read_bytes()
        assert gzip.decompress(whole)


def test_more_shards_than_open_files_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shards.resource, "getrlimit", lambda _: (100, 200))
    with ExitStack() as stack, pytest.raises(OSError, match=r"corpus\.shards: 150 shards need 214 open files"):
        Shards([tmp_path / str(i) for i in range(150)], stack)
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(shards.resource, "setrlimit", lambda _, limits: asked.append(limits))
    with ExitStack() as stack:
        Shards([tmp_path / str(i) for i in range(50)], stack)
    assert asked == [(114, 200)]
    assert resource.RLIMIT_NOFILE


def test_memory_does_not_grow_with_the_manifest(tmp_path: Path):
    """Ten times the cuts: a few bytes more for each of them and its recording, and nothing of their text."""
    peaks = []
    for count in (800, 8_000):
        folder = tmp_path / str(count)
        folder.mkdir()
        prepare.write_manifest(folder / "cuts.jsonl.gz", folder, count)
        peaks.append(prepare.run(folder, folder / "cuts.jsonl.gz", 4)[1])
    assert peaks[1] < peaks[0] + 8, peaks  # MiB; the second manifest's text is 25 MiB larger
