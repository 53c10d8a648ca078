"""Training, saving and loading of the acoustic model, and their parts."""

import numpy as np
import pytest
import soundfile

from scripts.alignment.config import Training
from scripts.alignment.features import FeatureExtractor, add_deltas, mfcc
from scripts.alignment.lexicon import phones_of, read_lexicon
from scripts.alignment.model import group_phones, load, save
from scripts.alignment.train import split_gaussians
from scripts.common.audio import AudioError
from scripts.common.files import read_json, write_jsonl
from scripts.common.sample import draw_sample
from tests.factories.aligner import CONFIG
from tests.factories.cuts import make_cut
from tests.factories.settings import settings
from tests.factories.steps import step


def test_frames_are_samples_over_hop():
    wave = np.random.default_rng(1).normal(0, 0.1, 16080).astype(np.float32)
    assert mfcc(wave, 10.0).shape == (101, 13)
    assert add_deltas(mfcc(np.zeros(10, np.float32), 10.0)).shape == (0, 39)


def write_noise(path, level, seconds=1.0, seed=2):
    wave = np.random.default_rng(seed).normal(0, level, round(16000 * seconds)).astype(np.float32)
    soundfile.write(path, wave, 16000, subtype="FLOAT")
    return mfcc(wave, 10.0)


def test_the_mean_is_over_readable_cuts(tmp_path):
    statics = {name: write_noise(tmp_path / f"{name}.wav", level) for name, level in {"a": 0.02, "b": 0.2}.items()}
    cuts = [
        make_cut(f"{name}-{n}", speaker=name, source=source)
        for name in statics
        for n, source in enumerate(["missing.wav", f"{name}.wav"])
    ]
    extractor = FeatureExtractor(cuts, tmp_path, 10.0)
    for cut, static in zip(cuts[1::2], statics.values(), strict=True):
        first, again = extractor(cut), extractor(cut)  # from the cache, then computed again
        np.testing.assert_array_equal(first, again)
        assert first.shape == (100, 39)
        np.testing.assert_allclose(first[:, :13], static - static.mean(axis=0), rtol=1e-4, atol=1e-3)
    with pytest.raises(AudioError):
        extractor(cuts[0])


def in_recording(name, source, speaker="a", duration=1.0):
    cut = make_cut(name, speaker=speaker, source=source, duration=duration)
    cut["recording"]["id"] = source
    return cut


def test_a_recordings_own_mean_counts_the_more_the_longer_it_is(tmp_path):
    long = write_noise(tmp_path / "long.wav", 0.2, seconds=90.0)
    short = write_noise(tmp_path / "short.wav", 0.02, seed=3)
    cuts = [in_recording("0", "long.wav", duration=90.0), in_recording("1", "short.wav")]
    extractor = FeatureExtractor(cuts, tmp_path, 10.0)
    drawn = (short.sum(axis=0) + 1000 * long.mean(axis=0)) / (len(short) + 1000)
    # MEAN_SECONDS of the speaker are in the first cut.
    np.testing.assert_allclose(extractor(cuts[1])[:, :13], short - drawn, rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(extractor(cuts[0])[:, :13], long - long.mean(axis=0), rtol=1e-3, atol=1e-2)


def test_two_speakers_in_one_recording_have_two_means(tmp_path):
    statics = [write_noise(tmp_path / f"{n}.wav", level, seconds=30.0, seed=n) for n, level in enumerate((0.02, 0.2))]
    cuts = [in_recording(str(n), f"{n}.wav", speaker=f"s{n}", duration=30.0) for n in range(2)]
    for cut in cuts:
        cut["recording"]["id"] = "one"
    extractor = FeatureExtractor(cuts, tmp_path, 10.0)
    for cut, static in zip(cuts, statics, strict=True):
        np.testing.assert_allclose(extractor(cut)[:, :13], static - static.mean(axis=0), rtol=1e-3, atol=1e-2)


def test_deltas_are_slopes():
    line = np.arange(20, dtype=np.float32)[:, None] * 3.0
    result = add_deltas(line)
    np.testing.assert_allclose(result[4:-4, 1], 3.0, rtol=1e-5)
    np.testing.assert_allclose(result[4:-4, 2], 0.0, atol=1e-5)


def test_rare_phones_share_states_with_phones_that_differ_in_stress():
    phones = ["SIL", "AH0", "AH1", "AH2", "B", "OY1"]
    assert group_phones(phones, [100, 90, 50, 2, 70, 1], 20) == [[0], [1, 3], [2], [4], [5]]


def test_splitting_keeps_weights_and_reaches_the_target():
    mixtures = [(np.ones(1), np.ones((1, 3)), np.zeros((1, 3)))] * 4
    result = split_gaussians(mixtures, np.array([1000.0, 1000.0, 30.0, 0.0]), 12, np.random.default_rng(1))
    counts = [len(weights) for weights, _, _ in result]
    assert counts == [5, 5, 1, 1]  # 30 frames are too few for two
    assert all(weights.sum() == pytest.approx(1.0) for weights, _, _ in result)


def test_the_sample_is_balanced_over_speakers_and_independent_of_order(tmp_path):
    cuts = [make_cut(f"a{i}", duration=5.0, speaker="many") for i in range(200)] + [
        make_cut(f"b{i}", duration=5.0, speaker="few") for i in range(30)
    ]
    write_jsonl(tmp_path / "0.jsonl.gz", cuts)
    write_jsonl(tmp_path / "1.jsonl.gz", reversed(cuts[:100]))
    write_jsonl(tmp_path / "2.jsonl.gz", cuts[100:])
    hours = 250 / 3600
    sample = draw_sample([tmp_path / "0.jsonl.gz"], hours, 1)
    names = [c["id"] for c in sample]
    assert sum(c["duration"] for c in sample) == 250
    assert sum(name.startswith("b") for name in names) == 25
    assert names == [c["id"] for c in draw_sample([tmp_path / "2.jsonl.gz", tmp_path / "1.jsonl.gz"], hours, 1)]
    assert names != [c["id"] for c in draw_sample([tmp_path / "0.jsonl.gz"], hours, 2)]
    assert len(draw_sample([tmp_path / "0.jsonl.gz"], 100, 1)) == 230


def test_a_saved_model_loads_exactly(trained, tmp_path):
    model = load(trained)
    save(model, tmp_path)
    for name in ("model.npz", "model.json", "phones.txt"):
        assert (tmp_path / name).read_bytes() == (trained / name).read_bytes(), name
    assert model.phones[0] == "SIL"
    assert model.num_gaussians <= CONFIG["gaussians"]


def test_training_writes_its_history(trained, world):
    about = read_json(trained / "about.json")
    likelihoods = [each["log_likelihood"] for each in about["iterations"]]
    assert len(likelihoods) == CONFIG["iterations"]
    assert likelihoods[-1] > likelihoods[0] + 10
    assert about["seed"] == 7
    assert about["sample"]["seconds"] > 400
    assert (trained / "phones.txt").read_text().split() == phones_of(read_lexicon(world / "lexicon.txt"))


def test_damaged_models_are_refused(trained, tmp_path):
    model = load(trained)
    save(model, tmp_path)
    (tmp_path / "model.npz").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="not an acoustic model"):
        load(tmp_path)
    (tmp_path / "model.json").unlink()
    with pytest.raises(OSError, match=r"model\.json"):
        load(tmp_path)


def test_training_twice_gives_the_same_bytes(world, tmp_path):
    config = settings(Training, "alignment", sample_hours=0.02, gaussians=250, iterations=6)
    for name in ("one", "two"):
        step("scripts.alignment.train", "--cuts", world / "dev.jsonl.gz", "--audio-root", world / "audio",
             "--lexicon", world / "lexicon.txt", "--config", config, "--seed", 3, "--out", tmp_path / name)  # fmt: skip
    for file in ("model.npz", "model.json", "about.json", "phones.txt", "lexicon.txt", "thresholds.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file


def test_training_without_usable_cuts_is_an_error(world, tmp_path):
    def train(cuts, root):
        return step("scripts.alignment.train", "--cuts", cuts, "--audio-root", root, "--lexicon",
                    world / "lexicon.txt", "--config", settings(Training, "alignment"), "--seed", 1, "--out",
                    tmp_path / "model", ok=False)  # fmt: skip

    write_jsonl(tmp_path / "none.jsonl.gz", [])
    assert "no cut to train the aligner on" in train(tmp_path / "none.jsonl.gz", world / "audio")
    assert "the most frequent reason is audio-missing" in train(world / "dev.jsonl.gz", tmp_path)
    assert not (tmp_path / "model").exists()
