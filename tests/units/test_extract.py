"""Units keep the alignment file's ids and order, and a k-means of another encoder is refused."""

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch

from scripts.common.audio import AudioError
from scripts.common.cuts import num_samples, read_cuts
from scripts.common.files import read_csv, read_json, write_jsonl
from scripts.common.frames import frame_count
from scripts.common.progress import Progress
from scripts.common.ragged import load_npz
from scripts.units import batching, encoder, extract, kmeans, quality, sweep
from scripts.units.abx import unit_columns
from scripts.units.abx_task import build_task
from scripts.units.assignment import Assigner
from scripts.units.config import Choice, Chunking, Clustering, Extraction, Measuring, Sweeping
from scripts.units.encoder import WaveBatch
from scripts.units.extract import check_kmeans
from scripts.units.fingerprint import kmeans_fingerprint
from scripts.units.measures import measure
from tests.factories.cuts import hummed_cut
from tests.factories.models import tiny_hubert
from tests.factories.settings import configured, settings

KMEANS = {"layer": 2, "clusters": 12, "sample_frames": 600, "kmeans_redo": 1, "kmeans_iterations": 5}
EXTRACT = settings(Extraction, "units", layer=2, clusters=12, batch_seconds=6)


WHOLE = configured(Extraction, "units", layer=1, clusters=2)


def call(monkeypatch: pytest.MonkeyPatch, main, *flags: str) -> None:
    monkeypatch.setattr(sys, "argv", ["step", *map(str, flags)])
    main()


@pytest.fixture
def clustered(corpus: SimpleNamespace, encoder_folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Flags that name the tiny encoder and a k-means made from it."""
    flags = ["--audio-root", corpus.root, "--encoder", encoder_folder, "--threads", "1"]
    out = ["--output", tmp_path / "kmeans.npy", "--about", tmp_path / "kmeans.json"]
    flags_of_kmeans = ["--config", settings(Clustering, "units", **KMEANS), "--seed", "1", *out]
    call(monkeypatch, kmeans.main, "--cuts", *corpus.train, *flags, *flags_of_kmeans)
    return [*flags, "--kmeans", tmp_path / "kmeans.npy", "--about", tmp_path / "kmeans.json"]


def test_shard(corpus: SimpleNamespace, clustered: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    about = read_json(tmp_path / "kmeans.json")
    assert (about["layer"], about["clusters"], about["frames"], about["seed"]) == (2, 12, 600, 1)
    assert len(about["objective"]) == 5
    centroids = np.load(tmp_path / "kmeans.npy")
    assert about["kmeans"] == kmeans_fingerprint(about["encoder"], 2, centroids)

    call(
        monkeypatch, extract.main, "--cuts", corpus.dev, *clustered, "--config", EXTRACT, "--output", tmp_path / "0.npz"
    )
    units = load_npz(tmp_path / "0.npz")
    cuts = list(read_cuts(corpus.dev))
    assert units.ids.tolist() == [cut["id"] for cut in cuts]
    assert units.lengths.tolist() == [frame_count(num_samples(cut)) for cut in cuts]
    assert units.stream.dtype == np.uint16
    assert units.made_by == about["kmeans"]
    assert units.stream.max() < 12

    # One by one: the same units, but for frames between two centroids up to rounding.
    alone = settings(Extraction, "units", layer=2, clusters=12, batch_seconds=0.01)
    call(monkeypatch, extract.main, "--cuts", corpus.dev, *clustered, "--config", alone, "--output", tmp_path / "1.npz")
    assert (load_npz(tmp_path / "1.npz").stream == units.stream).mean() > 0.999

    call(
        monkeypatch, quality.main, "--train-cuts", *corpus.train, "--dev-cuts", corpus.dev,
        "--dev-units", tmp_path / "0.npz", *clustered[:6], "--seed", "1",
        "--config", settings(Measuring, "units", **KMEANS), "--output", tmp_path / "quality.csv",
    )  # fmt: skip
    rows = quality_rows(tmp_path / "quality.csv")
    assert list(rows) == ["hubert", "mfcc", "random-init"]
    assert {row["frames"] for row in rows.values()} == {str(len(units.stream))}
    assert float(rows["mfcc"]["pnmi"]) > 0.3  # five hummed phones are easy
    assert all(0 <= float(row["speaker_pnmi"]) < 0.5 for row in rows.values())  # all hum alike
    assert {row["abx_across_cells"] for row in rows.values()} == {"0"}  # phones in one order are no minimal pairs


def test_a_sweep_measures_what_extraction_would_give(
    corpus: SimpleNamespace, clustered: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "0.npz"
    call(monkeypatch, extract.main, "--cuts", corpus.dev, *clustered, "--config", EXTRACT, "--output", out)
    ours = load_npz(out)
    chosen = settings(Sweeping, "units", **KMEANS, batch_seconds=6)
    flags = ["--train-cuts", *corpus.train, "--dev-cuts", corpus.dev, *clustered[:6], "--seed", "1"]
    flags += ["--layer", "2", "--clusters", "12", "5", "--config", chosen]
    call(monkeypatch, sweep.main, *flags, "--output", tmp_path / "sweep.csv")
    rows = read_csv(tmp_path / "sweep.csv")
    assert [(row["layer"], row["clusters"]) for row in rows] == [("2", "12"), ("2", "5")]
    cuts = list(read_cuts(corpus.dev))
    counts = quality.count_pairs(cuts, quality.phone_indices(cuts, [corpus.dev]), ours.by_id(), 12)
    assert float(rows[0]["pnmi"]) == pytest.approx(measure(counts, 50)["pnmi"], abs=0.01)
    assert int(rows[0]["frames"]) == int(rows[1]["frames"]) == len(ours.stream)
    assert int(rows[1]["used_units"]) <= 5


def test_abx_errors_are_those_of_the_units_and_features_at_hand(
    corpus: SimpleNamespace, clustered: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "0.npz"
    call(monkeypatch, extract.main, "--cuts", corpus.dev, *clustered, "--config", EXTRACT, "--output", out)
    random = np.random.default_rng(0)
    cuts = list(read_cuts(corpus.dev))
    for cut in cuts:  # minimal pairs, which hummed phones in one order lack
        for phone in cut["supervisions"][0]["alignment"]["phone"]:
            phone[0] = str(random.choice(["B", "AE1", "S"]))
    dev = tmp_path / "dev.jsonl.gz"
    write_jsonl(dev, cuts)
    flags = ["--train-cuts", *corpus.train, "--dev-cuts", dev, *clustered[:6], "--seed", "1"]
    call(
        monkeypatch, sweep.main, *flags, "--layer", "2", "--clusters", "12", "5",
        "--config", settings(Sweeping, "units", **KMEANS), "--output", tmp_path / "sweep.csv",
    )  # fmt: skip
    call(
        monkeypatch, quality.main, *flags, "--dev-units", out,
        "--config", settings(Measuring, "units", **KMEANS), "--output", tmp_path / "quality.csv",
    )  # fmt: skip
    swept, rows = read_csv(tmp_path / "sweep.csv"), quality_rows(tmp_path / "quality.csv")
    task = build_task(cuts, 1)
    found = unit_columns(task, [cut["id"] for cut in cuts], load_npz(out).by_id(), 1)
    assert found["abx_across_cells"] > 20
    for name, value in found.items():
        assert float(rows["hubert"][name]) == value
        assert float(swept[0][name]) == pytest.approx(value, abs=0.05)  # other batches: some units differ by rounding
    for name in (name for name in swept[0] if name.startswith("feature_")):
        assert swept[0][name] == swept[1][name]
        assert float(swept[0][name]) == pytest.approx(float(rows["hubert"][name]), abs=0.001)
    errors = [float(row["feature_abx_across"]) for row in rows.values()]
    assert len(set(errors)) == 3
    assert all(0.2 < error < 0.8 for error in errors)  # the labels are random


def test_a_sweep_takes_speakers_out_once(
    corpus: SimpleNamespace, clustered: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a K gives does not depend on which others are asked for."""
    chosen = settings(Sweeping, "units", **KMEANS, speaker_directions=1)
    flags = ["--train-cuts", *corpus.train, "--dev-cuts", corpus.dev, *clustered[:6], "--seed", "1", "--layer", "2"]
    tables = []
    for clusters in (["12", "5"], ["5"]):
        out = tmp_path / f"{len(clusters)}.csv"
        call(monkeypatch, sweep.main, *flags, "--clusters", *clusters, "--config", chosen, "--output", out)
        tables.append(read_csv(out))
    assert tables[0][1:] == tables[1]


def quality_rows(path: Path) -> dict[str, dict[str, str]]:
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
    encoder.save(tiny_hubert(seed=1), True, tmp_path / "other")
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
        check_kmeans(centroids, about, "a" * 64, Choice(2, 3), "kmeans.npy")


def test_centroids_under_anothers_name() -> None:
    centroids = np.zeros((3, 2), np.float32)
    about = {"encoder": "a" * 64, "layer": 2, "clusters": 3, "kmeans": kmeans_fingerprint("a" * 64, 2, centroids + 1)}
    with pytest.raises(ValueError, match=r"kmeans\.npy: its centroids are not those that its \.json was written for"):
        check_kmeans(centroids, about, "a" * 64, Choice(2, 3), "kmeans.npy")


def test_damaged_k_means(tmp_path: Path) -> None:
    (tmp_path / "k.npy").write_bytes(b"\x93NUMPY\x01")
    with pytest.raises(ValueError, match=r"k\.npy: not a k-means file"):
        extract.load_centroids(str(tmp_path / "k.npy"))


def test_audio_that_vanished(corpus: SimpleNamespace) -> None:
    cut = hummed_cut("x", "gone.flac", 0.0, 16_000)
    network = encoder.prepare(tiny_hubert(), 1, True)
    with pytest.raises(AudioError, match=r"x: .* does not exist"):
        list(extract.extract([cut], corpus.root, network, np.zeros((2, 16), np.float32), WHOLE, Progress("t", 1, "s")))


def test_shorter_than_a_frame(corpus: SimpleNamespace) -> None:
    cut = hummed_cut("x", "gone.flac", 0.0, 399)
    network = encoder.prepare(tiny_hubert(), 1, True)
    found = list(
        extract.extract([cut], corpus.root, network, np.zeros((2, 16), np.float32), WHOLE, Progress("t", 1, "s"))
    )
    assert [(name, len(units)) for name, units in found] == [("x", 0)]


def long_wave(seconds: float) -> np.ndarray:
    samples = round(seconds * 16_000)
    wave = 0.1 * np.random.default_rng(0).standard_normal(samples) + np.sin(np.arange(samples) ** 1.3 / 900)
    return (wave * np.linspace(0.2, 1, samples)).astype(np.float32)


@pytest.mark.parametrize(("norm", "normalise"), [("group", True), ("group", False), ("layer", True)])
def test_chunks_differ_from_the_whole_by_attention_alone(norm: str, normalise: bool) -> None:
    """Layer 0 sees 16 frames to either side: there chunks are exact, normalisations included."""
    network = encoder.prepare(tiny_hubert(feat_extract_norm=norm), 0, normalise)
    wave = long_wave(7.003)
    config = Chunking(60, 2.0, 0.4)
    ((rows, features),) = extract.encode_rows(WaveBatch.of([wave], normalise=normalise), network, config)
    assert len(rows) > 4
    together = np.empty((frame_count(len(wave)), 16), np.float32)
    for row, chunk in zip(rows, features, strict=True):
        together[slice(*row.chunk.keep)] = chunk[row.kept]
    np.testing.assert_allclose(together, network.features([wave])[0], atol=3e-5)


def test_chunked_units_are_nearly_the_whole_ones() -> None:
    network = encoder.prepare(tiny_hubert(), 2, True)
    wave = long_wave(12)
    centroids = network.features([wave])[0][::50].copy()
    assign = Assigner(centroids)
    (whole,) = extract.encode_batch([wave], network, assign, Chunking(60, 30.0, 2.0))
    chunked = Chunking(60, 4.0, 1.0)
    (parts,) = extract.encode_batch([wave], network, assign, chunked)
    assert len(parts) == len(whole) == frame_count(len(wave))
    assert (parts == whole).mean() > 0.9


@pytest.mark.slow
def test_two_hours_in_one_cut(tmp_path: Path) -> None:
    wave = np.random.default_rng(0).integers(-3000, 3000, 7200 * 16_000, dtype=np.int16)
    soundfile.write(tmp_path / "long.flac", wave, 16_000)
    cut = hummed_cut("long", "long.flac", 0.0, 16_000) | {"duration": 7200.0}
    network = encoder.prepare(tiny_hubert(conv_dim=[2] * 7, num_hidden_layers=1, num_attention_heads=1), 1, True)
    ((name, units),) = extract.extract(
        [cut], str(tmp_path), network, np.eye(3, 16, dtype=np.float32), WHOLE, Progress("t", 1, "s")
    )
    assert (name, len(units)) == ("long", frame_count(7200 * 16_000))


def test_features_that_are_not_numbers(corpus: SimpleNamespace) -> None:
    model = tiny_hubert()
    model.encoder.layers[0].final_layer_norm.bias.data[0] = torch.nan
    network = encoder.prepare(model, 1, True)
    cut = next(read_cuts(corpus.dev))
    with pytest.raises(ValueError, match=rf"^{cut['id']} or a cut beside it: the encoder's features hold NaN"):
        list(extract.extract([cut], corpus.root, network, np.zeros((2, 16), np.float32), WHOLE, Progress("t", 1, "s")))


def test_bf16_gives_nearly_the_same_units(encoder_folder: str) -> None:
    wave = long_wave(4)
    exact, _ = encoder.load(encoder_folder, 2)
    rough, _ = encoder.load(encoder_folder, 2, precision="bf16")
    (a,), (b,) = exact.features([wave]), rough.features([wave])
    assert 0 < np.abs(a - b).max() < 0.2 * np.abs(a).max()


def test_a_window_without_a_frame(corpus: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cuts without a frame fill a whole window; those after it keep their own units."""
    monkeypatch.setattr(batching, "MIN_WINDOW", 2)
    monkeypatch.setattr(batching, "WINDOW_PER_SECOND", 0)
    cuts = [hummed_cut(f"b{i}", "gone.flac", 0.0, 300) for i in range(4)] + list(read_cuts(corpus.dev))
    network = encoder.prepare(tiny_hubert(), 1, True)
    centroids = np.eye(2, 16, dtype=np.float32)
    found = dict(extract.extract(cuts, corpus.root, network, centroids, WHOLE, Progress("t", 1, "s")))
    assert {name: len(units) for name, units in found.items()} == {
        cut["id"]: frame_count(num_samples(cut)) for cut in cuts
    }


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("window", [1, 2, 5])
def test_units_do_not_depend_on_window_or_workers(
    corpus: SimpleNamespace, window: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = encoder.prepare(tiny_hubert(), 2, True)
    cuts = [cut for path in corpus.train for cut in read_cuts(path)]
    centroids = np.concatenate(network.features([long_wave(3)]))[::10].copy()
    config = configured(
        Extraction, "units", layer=2, clusters=len(centroids), batch_seconds=6, chunk_seconds=2.0, overlap_seconds=0.4
    )

    def units(config: Extraction) -> dict[str, np.ndarray]:
        return dict(extract.extract(cuts, corpus.root, network, centroids, config, Progress("t", 1e9, "s")))

    expected = units(config)
    monkeypatch.setattr(batching, "MIN_WINDOW", window)
    monkeypatch.setattr(batching, "WINDOW_PER_SECOND", 0)
    found = units(replace(config, decode_workers=workers))
    assert list(found) == list(expected) == [cut["id"] for cut in cuts]
    same = np.concatenate([found[name] == expected[name] for name in expected])
    assert same.mean() > 0.999  # a frame between two centroids up to rounding may differ


def test_a_queued_batch_gives_the_same_units(corpus: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way of a GPU, on a CPU: batches are assigned at once, and one is queued while another is waited for."""
    network = encoder.prepare(tiny_hubert(), 2, True)
    cuts = [cut for path in corpus.train for cut in read_cuts(path)]
    centroids = np.concatenate(network.features([long_wave(3)]))[::10].copy()
    config = configured(
        Extraction, "units", layer=2, clusters=len(centroids), batch_seconds=6, chunk_seconds=2.0, overlap_seconds=0.4
    )
    expected = dict(extract.extract(cuts, corpus.root, network, centroids, config, Progress("t", 1e9, "s")))
    monkeypatch.setattr(Assigner, "start", Assigner.start_batch)
    monkeypatch.setattr(extract, "queue_depth", lambda network: 1)
    found = dict(extract.extract(cuts, corpus.root, network, centroids, config, Progress("t", 1e9, "s")))
    assert list(found) == list(expected)
    assert all(np.array_equal(found[name], expected[name]) for name in expected)
