"""Units keep the alignment file's ids and order, and strangers' k-means are refused."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from scripts.common.audio import AudioError
from scripts.common.cuts import num_samples, read_cuts
from scripts.common.files import read_json, write_jsonl
from scripts.common.frames import frame_count
from scripts.common.progress import Progress
from scripts.common.ragged import load_npz
from scripts.units import encoder, extract, kmeans, quality
from scripts.units.extract import MAX_PADDING, Config, batches, check_kmeans
from tests.units.conftest import make_cut, tiny_model

KMEANS = '{"layer": 2, "clusters": 12, "sample_frames": 600, "kmeans_redo": 1, "kmeans_iterations": 5%s}'
EXTRACT = '{"layer": 2, "clusters": 12, "batch_seconds": 6}'


def call(monkeypatch: pytest.MonkeyPatch, main, *flags: str) -> None:
    monkeypatch.setattr(sys, "argv", ["step", *map(str, flags)])
    main()


@pytest.fixture
def clustered(corpus: SimpleNamespace, encoder_folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Flags that name the tiny encoder and a k-means made from it."""
    flags = ["--audio-root", corpus.root, "--encoder", encoder_folder, "--threads", "1"]
    out = ["--output", tmp_path / "kmeans.npy", "--about", tmp_path / "kmeans.json"]
    call(monkeypatch, kmeans.main, "--cuts", *corpus.train, *flags, "--config", KMEANS % "", "--seed", "1", *out)
    return [*flags, "--kmeans", tmp_path / "kmeans.npy", "--about", tmp_path / "kmeans.json"]


def test_shard(corpus: SimpleNamespace, clustered: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    about = read_json(tmp_path / "kmeans.json")
    assert (about["layer"], about["clusters"], about["frames"], about["seed"]) == (2, 12, 600, 1)
    assert len(about["objective"]) == 5

    call(
        monkeypatch, extract.main, "--cuts", corpus.dev, *clustered, "--config", EXTRACT, "--output", tmp_path / "0.npz"
    )
    units = load_npz(tmp_path / "0.npz")
    cuts = list(read_cuts(corpus.dev))
    assert units.ids.tolist() == [cut["id"] for cut in cuts]
    assert units.lengths.tolist() == [frame_count(num_samples(cut)) for cut in cuts]
    assert units.stream.dtype == np.uint16
    assert units.stream.max() < 12

    # One by one: the same units, but for frames between two centroids up to rounding.
    alone = EXTRACT.replace("6}", "0.01}")
    call(monkeypatch, extract.main, "--cuts", corpus.dev, *clustered, "--config", alone, "--output", tmp_path / "1.npz")
    assert (load_npz(tmp_path / "1.npz").stream == units.stream).mean() > 0.999

    call(
        monkeypatch, quality.main, "--train-cuts", *corpus.train, "--dev-cuts", corpus.dev,
        "--dev-units", tmp_path / "0.npz", *clustered[:6], "--seed", "1",
        "--config", KMEANS % ', "frame_rate": 50', "--output", tmp_path / "quality.csv",
    )  # fmt: skip
    rows = quality_rows(tmp_path / "quality.csv")
    assert list(rows) == ["hubert", "mfcc", "random-init"]
    assert {row["frames"] for row in rows.values()} == {str(len(units.stream))}
    assert float(rows["mfcc"]["pnmi"]) > 0.3  # five hummed phones are easy


def quality_rows(path: Path) -> dict[str, dict[str, str]]:
    from scripts.common.files import read_csv

    return {row["encoder"]: row for row in read_csv(path)}


def test_task_items(corpus: SimpleNamespace, clustered: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cuts = list(read_cuts(corpus.dev))
    items = [{"id": "w", "task": "t", "subset": "s", "group": "g", "positive": cuts[1], "negative": cuts[0]}]
    write_jsonl(tmp_path / "t.jsonl.gz", items)
    out = tmp_path / "t.npz"
    call(monkeypatch, extract.main, "--cuts", tmp_path / "t.jsonl.gz", *clustered, "--config", EXTRACT, "--output", out)
    assert load_npz(out).ids.tolist() == [cuts[1]["id"], cuts[0]["id"]]


def test_no_items(clustered: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_jsonl(tmp_path / "t.jsonl.gz", [])
    out = tmp_path / "t.npz"
    call(monkeypatch, extract.main, "--cuts", tmp_path / "t.jsonl.gz", *clustered, "--config", EXTRACT, "--output", out)
    assert len(load_npz(out)) == 0


def test_k_means_of_another_encoder_is_refused(
    corpus: SimpleNamespace, clustered: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder.save(tiny_model(seed=1), True, tmp_path / "other")
    flags = [tmp_path / "other" if i == 3 else flag for i, flag in enumerate(clustered)]
    with pytest.raises(ValueError, match=r"kmeans\.npy: made with encoder .* but units/encoder is"):
        call(
            monkeypatch, extract.main, "--cuts", corpus.dev, *flags, "--config", EXTRACT, "--output", tmp_path / "0.npz"
        )
    assert not (tmp_path / "0.npz").exists()


@pytest.mark.parametrize(
    ("changed", "centroids", "message"),
    [
        ({"encoder": "b" * 64}, np.zeros((3, 2), np.float32), "made with encoder bbbbbbbbbbbb"),
        ({"layer": 1}, np.zeros((3, 2), np.float32), r"made with units\.layer 1, the config says 2"),
        ({"clusters": 4}, np.zeros((4, 2), np.float32), r"made with units\.clusters 4, the config says 3"),
        ({}, np.zeros((2, 2), np.float32), "holds float32"),
        ({}, np.zeros((3, 2), np.float64), "holds float64"),
    ],
)
def test_k_means_that_does_not_fit(changed: dict, centroids: np.ndarray, message: str) -> None:
    about = {"encoder": "a" * 64, "layer": 2, "clusters": 3, **changed}
    with pytest.raises(ValueError, match=message):
        check_kmeans(centroids, about, "a" * 64, Config(2, 3, 60), "kmeans.npy")


def test_damaged_k_means(tmp_path: Path) -> None:
    (tmp_path / "k.npy").write_bytes(b"\x93NUMPY\x01")
    with pytest.raises(ValueError, match=r"k\.npy: not a k-means file"):
        extract.load_centroids(str(tmp_path / "k.npy"))


def test_batches_hold_every_utterance_once_and_little_padding() -> None:
    lengths = [*np.random.default_rng(0).integers(400, 500_000, 300).tolist(), 10_000_000]
    found = list(batches(lengths, 960_000))
    assert sorted(index for batch in found for index in batch) == list(range(301))
    for batch in found:
        padded = max(lengths[i] for i in batch) * len(batch)
        assert len(batch) == 1 or padded <= 960_000
        assert padded - sum(lengths[i] for i in batch) <= MAX_PADDING * padded
    assert any(len(batch) > 3 for batch in found)
    assert list(batches([], 10)) == []


def test_audio_that_vanished(corpus: SimpleNamespace) -> None:
    cut = make_cut("x", "gone.flac", 0.0, 16_000)
    network = encoder.prepare(tiny_model(), 1, True)
    with pytest.raises(AudioError, match=r"x: .* does not exist"):
        list(extract.extract([cut], corpus.root, network, np.zeros((2, 16), np.float32), 60, Progress("t", 1, "s")))


def test_shorter_than_a_frame(corpus: SimpleNamespace) -> None:
    cut = make_cut("x", "gone.flac", 0.0, 399)
    network = encoder.prepare(tiny_model(), 1, True)
    found = list(extract.extract([cut], corpus.root, network, np.zeros((2, 16), np.float32), 60, Progress("t", 1, "s")))
    assert [(name, len(units)) for name, units in found] == [("x", 0)]
