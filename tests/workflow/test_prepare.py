"""Corpora of users: LibriHeavy, downloaded or present, and a folder of audio and texts."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
import yaml

from scripts.common.audio import read
from scripts.common.cuts import book_text, read_cuts, spoken_text
from scripts.common.files import read_csv, read_jsonl
from tests.download.conftest import tar_of
from tests.download.server import Server
from tests.factories.workflow import Workflow


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    served = Server({})
    http = served.start()
    yield served
    http.shutdown()
    http.server_close()


def overlay(
    workflow: Workflow, source: str, *, corpus: dict[str, object] | None = None, **keys: object
) -> tuple[str, str]:
    section = {"source": source, "shards": {"train": 2, "dev": 1}, source: keys, **(corpus or {})}
    return "--configfile", workflow.overlay(json.dumps({"name": "x", "corpus": section}))


def split(workflow: Workflow, name: str, shards: int) -> list[dict]:
    return [c for i in range(shards) for c in read_cuts(workflow.folder / f"results/x/corpus/cuts/{name}/{i}.jsonl.gz")]


def test_libriheavy_is_fetched_unless_it_is_at_hand(workflow: Workflow, tmp_path: Path):
    asked = workflow.snakemake("--dry-run", *overlay(workflow, "libriheavy", train=["small"]), "--", "corpus").stdout
    for name in ("libriheavy-small", "librilight-small", "libriheavy-dev", "librilight-large"):
        assert f"data/.state/{name}.done" in asked
    assert "librilight-medium" not in asked
    (tmp_path / "libriheavy_cuts_test_clean.jsonl.gz").touch()
    (tmp_path / "libriheavy_cuts_small.jsonl.gz").touch()
    config = overlay(workflow, "libriheavy", train=["small"], dev=["test-clean"], manifests=str(tmp_path))
    asked = workflow.snakemake("--dry-run", *config, "--", "corpus").stdout
    assert "libriheavy-" not in asked
    assert "data/.state/librilight-small.done" in asked


def test_libriheavy_that_is_nowhere_is_one_line(workflow: Workflow):
    config = overlay(workflow, "libriheavy", train=["small"], manifests="no-such-folder", audio_root="nowhere")
    done = workflow.snakemake("--dry-run", *config, "--", "corpus", check=False)
    assert done.returncode != 0
    assert "no-such-folder/libriheavy_cuts_small.jsonl.gz" in done.stdout + done.stderr


@pytest.mark.slow
def test_an4_as_libriheavy(workflow: Workflow, an4: Path):
    """Both texts tied, dev's speakers not in train, drops counted."""
    here = {"train": ["small"], "manifests": str(an4), "audio_root": str(an4)}
    workflow.snakemake(*overlay(workflow, "libriheavy", dev=["test-clean"], **here), "--", "corpus")
    train, dev = split(workflow, "train", 2), split(workflow, "dev", 1)
    assert (len(train), len(dev)) == (948, 130)
    assert not {c["supervisions"][0]["speaker"] for c in train} & {c["supervisions"][0]["speaker"] for c in dev}
    assert spoken_text(train[0]) == book_text(train[0]).upper().rstrip(".")
    assert read_csv(workflow.folder / "results/x/corpus/dropped.csv") == []

    workflow.snakemake(
        *overlay(workflow, "libriheavy", dev=[], held_out=0.2, split_exclusion=["speaker"], **here), "--", "corpus"
    )
    train, dev = split(workflow, "train", 2), split(workflow, "dev", 1)
    assert len(train) + len(dev) == 948
    assert 100 < len(dev) < 300
    assert not {c["supervisions"][0]["speaker"] for c in train} & {c["supervisions"][0]["speaker"] for c in dev}


@pytest.mark.slow
def test_an4_fetched_as_libriheavy(workflow: Workflow, an4: Path, server: Server):
    """From nothing to shards in one command: manifest and archive from a server, verified, unpacked, prepared."""
    manifest = (an4 / "libriheavy_cuts_small.jsonl.gz").read_bytes()
    audio = [path for path in sorted((an4 / "download/librilight").rglob("*.flac")) if path.name == "train.flac"]
    archive = tar_of({str(path.relative_to(an4 / "download/librilight")): path.read_bytes() for path in audio})
    paths = ["/libriheavy_cuts_small.jsonl.gz", "/small.tar"]
    server.files |= dict(zip(paths, (manifest, archive), strict=True))
    digest = hashlib.sha256(manifest).hexdigest()
    server.always(paths[0], lambda answer: answer.headers.update({"X-Linked-Etag": f'"{digest}"'}))
    registry = workflow.folder / "resources/datasets.yaml"
    known = yaml.safe_load(registry.read_text())
    known["datasets"]["librilight-small"] |= {
        "about_bytes": len(archive),
        "checksum": {"md5": hashlib.md5(archive).hexdigest()},
    }
    registry.write_text(yaml.safe_dump(known))
    config = {
        "name": "x",
        "download": {"hosts": {"libriheavy": [server.base], "librilight": [server.base]}, "spare_gb": 0},
        "corpus": {
            "source": "libriheavy",
            "shards": {"train": 2, "dev": 1},
            "libriheavy": {"train": ["small"], "dev": [], "held_out": 0.2, "split_exclusion": ["speaker"]},
        },
    }
    workflow.snakemake("--configfile", workflow.overlay(json.dumps(config)), "--", "corpus", "audio_check")
    assert sorted(path for path, _ in server.requests) == paths  # once each
    train, dev = split(workflow, "train", 2), split(workflow, "dev", 1)
    assert len(train) + len(dev) == 948
    assert read(train[0], workflow.folder / "data").shape
    assert read_csv(workflow.folder / "results/x/corpus/dropped.csv") == []
    assert read_csv(workflow.folder / "results/x/corpus/audio_check.csv") == []


@pytest.mark.slow
def test_a_folder_of_audio_and_texts(workflow: Workflow, an4: Path, tmp_path_factory: pytest.TempPathFactory):
    root = tmp_path_factory.mktemp("mine")
    cuts = list(read_jsonl(an4 / "libriheavy_cuts_test_clean.jsonl.gz"))[:60]
    for number, cut in enumerate(cuts):
        speaker = cut["supervisions"][0]["speaker"]
        place = root / ("dev" if number % 5 == 0 else "train") / speaker / f"utterance {number}.wav"
        place.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(place, read(cut, an4), 16_000)
        place.with_suffix(".txt").write_text(book_text(cut))
    (root / "train/empty.txt").touch()
    done = workflow.snakemake(*overlay(workflow, "folder", audio_root=str(root)), "--", "corpus", check=False)
    assert done.returncode != 0
    assert "1 of 49 files (2.041%) are without usable audio: 1 no-audio, e.g. train/empty" in done.stdout + done.stderr
    config = overlay(workflow, "folder", corpus={"max_missing_audio": 0.03}, audio_root=str(root))
    workflow.snakemake(*config, "--", "corpus")
    train, dev = split(workflow, "train", 2), split(workflow, "dev", 1)
    assert (len(train), len(dev)) == (48, 12)
    assert {spoken_text(c) for c in train + dev} == {spoken_text(c) for c in cuts}
    dropped = read_csv(workflow.folder / "results/x/corpus/dropped.csv")
    assert [(row["id"], row["reason"]) for row in dropped] == [("train/empty", "no-audio")]

    lost = next((root / "dev").rglob("*.wav"))
    lost.write_bytes(lost.read_bytes()[:1000])
    workflow.snakemake(*config, "--", "audio_check")
    (row,) = read_csv(workflow.folder / "results/x/corpus/audio_check.csv")
    assert row["file"] == str(lost.relative_to(root))
    assert row["problem"] in ("damaged", "length")
