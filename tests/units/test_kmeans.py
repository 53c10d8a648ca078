"""The sample of frames is spread evenly and seeded; k-means refuses what it cannot cluster."""

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from scripts.common.cli import run
from scripts.common.cuts import audio_source, num_samples, read_cuts, speaker
from scripts.common.files import write_jsonl
from scripts.common.frames import frame_count
from scripts.units import encoder, kmeans
from scripts.units.clustering import k_means, nearest
from scripts.units.config import Chunking, Clustering
from scripts.units.frame_sampling import drop_supervisions, sample_frames, sample_utterances
from scripts.units.kmeans import sample_features
from scripts.units.mfcc_features import mfcc
from tests.factories.cuts import hummed_cut
from tests.factories.settings import settings


def test_k_means_finds_clusters_and_repeats_itself() -> None:
    random = np.random.default_rng(0)
    centres = np.array([[0, 0], [10, 0], [0, 10]], np.float32)
    frames = (centres[np.arange(300) % 3] + 0.1 * random.standard_normal((300, 2))).astype(np.float32)
    centroids, objective = k_means(frames, 3, seed=1, redo=3, iterations=10)
    assert len(set(nearest(centres, centroids))) == 3
    assert objective[-1] <= objective[0]
    exact = ((frames - centroids[nearest(frames, centroids)]) ** 2).sum()
    assert objective[-1] == pytest.approx(exact, rel=1e-3)
    again, _ = k_means(frames, 3, seed=1, redo=3, iterations=10)
    assert np.array_equal(centroids, again)


def test_spherical_k_means_clusters_directions() -> None:
    random = np.random.default_rng(0)
    frames = random.standard_normal((400, 5)).astype(np.float32) * random.uniform(0.1, 10, (400, 1)).astype(np.float32)
    given = frames / np.linalg.norm(frames, axis=1, keepdims=True)
    centroids, objective = k_means(frames.copy(), 6, seed=1, redo=3, iterations=20, spherical=True)
    np.testing.assert_allclose(np.linalg.norm(centroids, axis=1), 1, atol=1e-5)
    assert nearest(frames, centroids).tolist() == (given @ centroids.T).argmax(axis=1).tolist()
    assert objective[-1] < objective[0]
    assert objective[-1] == pytest.approx(((given - centroids[nearest(given, centroids)]) ** 2).sum(), rel=0.02)


def test_nearest_is_the_brute_force_one() -> None:
    random = np.random.default_rng(0)
    frames, centroids = random.standard_normal((50, 4)), random.standard_normal((7, 4))
    distances = np.linalg.norm(frames[:, None] - centroids[None], axis=2)
    assert nearest(frames, centroids).tolist() == distances.argmin(axis=1).tolist()


def test_more_clusters_than_frames() -> None:
    with pytest.raises(ValueError, match=r"units\.clusters is 11 but the sample holds only 10 frames"):
        k_means(np.zeros((10, 2), np.float32), 11, seed=1, redo=1, iterations=2)


def test_features_that_are_not_finite() -> None:
    with pytest.raises(ValueError, match="NaN"):
        k_means(np.full((10, 2), np.nan, np.float32), 2, seed=1, redo=1, iterations=2)


def test_speakers_take_turns(tmp_path: Path) -> None:
    """A speaker with ten times the speech does not get ten times the sample."""
    cuts = [hummed_cut(f"a{i}", "x.flac", 0, 16_080, "a") for i in range(20)]
    cuts += [hummed_cut(f"b{i}", "x.flac", 0, 16_080, "b") for i in range(2)]
    write_jsonl(tmp_path / "cuts.jsonl.gz", cuts)
    names = [cut["id"] for cut in sample_utterances([tmp_path / "cuts.jsonl.gz"], 4 * 50, 1)]
    assert sorted(name[0] for name in names) == ["a", "a", "b", "b"]
    assert names == [cut["id"] for cut in sample_utterances([tmp_path / "cuts.jsonl.gz"], 4 * 50, 1)]
    assert names != [cut["id"] for cut in sample_utterances([tmp_path / "cuts.jsonl.gz"], 4 * 50, 2)]
    assert len(sample_utterances([tmp_path / "cuts.jsonl.gz"], 10**9, 1)) == 22


def test_every_utterance_gives_the_same_share() -> None:
    sampled = list(sample_frames([100, 50, 0, 51], 100, seed=1))
    assert [len(rows) for rows in sampled] == [49, 25, 0, 26]
    assert all(len(set(rows)) == len(rows) for rows in sampled)
    assert sampled[0].max() > 60  # not the first frames only
    assert [len(rows) for rows in sample_frames([3, 2], 100, seed=1)] == [3, 2]


def test_audio_of_a_sampled_cut_is_that_of_its_channel() -> None:
    cut = hummed_cut("a", "x.flac", 0, 16_080, "a") | {"channel": 1}
    cut["recording"]["sources"] = [{"type": "file", "channels": [0, 1], "source": "x.flac"}]
    assert audio_source(drop_supervisions(cut)) == audio_source(cut) == ("x.flac", [1])


def test_sample_features(corpus: SimpleNamespace) -> None:
    features, speakers = sample_features(corpus.train, corpus.root, mfcc, 200, 1, "test")
    assert features.shape == (200, 39)
    assert np.bincount(speakers).min() > 40  # of three speakers
    everything, _ = sample_features(corpus.train, corpus.root, mfcc, 10**6, 1, "test")
    cuts = [cut for path in corpus.train for cut in read_cuts(path)]
    assert len(everything) == sum(frame_count(num_samples(cut)) for cut in cuts)
    assert {speaker(cut) for cut in cuts} == {"speaker-0", "speaker-1", "speaker-2"}


def test_long_utterances_of_the_sample_are_encoded_in_chunks(encoder_folder: str) -> None:
    network, _ = encoder.load(encoder_folder, 0)
    wave = np.random.default_rng(0).standard_normal(5 * 16_000).astype(np.float32)
    config = Chunking(60, 2.0, 0.4)
    rows: list[int] = []
    encode = network.encode
    network.encode = lambda batch, stats=(): rows.extend(batch.lengths) or encode(batch, stats)  # type: ignore
    features = kmeans.features_of(network, config)(wave)
    assert max(rows) == 99 * 320 + 400  # a chunk of 100 frames
    np.testing.assert_allclose(features, network.features([wave])[0], atol=3e-5)


def test_empty_manifest(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "cuts.jsonl.gz", [])
    with pytest.raises(ValueError, match="no cuts"):
        sample_utterances([tmp_path / "cuts.jsonl.gz"], 10, 1)


def test_command_line_error_is_one_line(
    corpus: SimpleNamespace, encoder_folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {"layer": 1, "clusters": 5000, "sample_frames": 6000, "kmeans_redo": 1, "kmeans_iterations": 2}
    command = ["kmeans", "--cuts", *corpus.train, "--audio-root", corpus.root, "--encoder", encoder_folder]
    command += ["--config", settings(Clustering, "units", **keys), "--seed", "1", "--threads", "1"]
    command += ["--output", str(tmp_path / "k.npy"), "--about", str(tmp_path / "k.json")]
    monkeypatch.setattr(sys, "argv", command)
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO()))
    with pytest.raises(SystemExit, match=r"^error: units\.clusters is 5000 but the sample holds only \d+ frames"):
        run(kmeans.main)
    assert list(tmp_path.iterdir()) == []
