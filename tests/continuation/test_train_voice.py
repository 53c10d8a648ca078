"""Training of speech models: their data, their speakers, and the same result every time."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from scripts.common.files import write_json, write_jsonl
from scripts.common.ragged import Ragged, save_npz
from scripts.continuation import network
from scripts.continuation.mel import BANDS
from scripts.continuation.synthesise import SpeechModel
from scripts.continuation.train_voice import duration_examples, duration_scale, main, run_lengths
from scripts.continuation.voice_data import Utterance, reference_speaker
from tests.factories.cuts import LETTER_PHONES, sentences_cut

CONFIG = {"reference_speaker": None, "sample_hours": 1.0, "width": 16, "layers": 2, "steps": 30, "batch_crops": 4,
          "learning_rate": 0.01, "threads": 1}  # fmt: skip


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Two speakers; each phone is a tone of its own."""
    cuts = [{**sentences_cut(f"u{i}", speaker=f"s{i % 2}"), "start": 10.0 * i} for i in range(4)]
    wave = np.zeros(16000 * 45, np.float32)
    streams = []
    for each in cuts:
        for name, start, length, _ in each["supervisions"][0]["alignment"]["phone"]:
            first, count = round((each["start"] + start) * 16000), round(length * 16000)
            wave[first : first + count] = 0.3 * np.sin(np.arange(count) * (0.05 + 0.02 * LETTER_PHONES.index(name)))
        frames = (round(each["duration"] * 16000) - 80) // 320
        streams.append(np.arange(frames) // 10 % 5)
    soundfile.write(tmp_path / "r.flac", wave, 16000)
    write_jsonl(tmp_path / "0.jsonl.gz", cuts)
    save_npz(tmp_path / "0.npz", Ragged.join([c["id"] for c in cuts], streams))
    (tmp_path / "lexicon.txt").write_text("".join(f"W{p} {p}\n" for p in LETTER_PHONES[1:]))
    write_json(tmp_path / "kmeans.json", {"clusters": 5})
    return tmp_path


@pytest.fixture
def train(corpus: Path, run_step):
    def call(source: str, out: str, **changes: object) -> Path:
        units = ["--units", corpus / "0.npz"] if source == "units" else []
        run_step(
            main, "--cuts", corpus / "0.jsonl.gz", *units, "--audio-root", corpus, "--source", source, "--inventory",
            corpus / ("kmeans.json" if units else "lexicon.txt"), "--config", json.dumps({**CONFIG, **changes}),
            "--seed", 1, "--out", corpus / out,
        )  # fmt: skip
        return corpus / out

    return call


def test_a_phone_voice_knows_sounds_durations_and_speakers(train):
    folder = train("phones", "voice", reference_speaker="s1", steps=150)
    loaded, about = network.load(folder)
    assert about["speakers"] == ["s0", "s1"]
    assert about["reference"] == 1
    assert about["inventory"] == ["SIL", *sorted(LETTER_PHONES[1:])]
    assert about["loss"] < 0.6, "in standard deviations; 0.8 is what knows nothing"
    assert loaded(torch.tensor([1, 2, 3]), 0).shape == (3, BANDS)
    mel = SpeechModel(folder, framed=False)(["SIL", "B", "D", "SIL"])
    seconds = len(mel) * 256 / 16000
    assert 0.4 < seconds < 1.3, "four phones of 0.1, 0.25, 0.25 and 0.1 s"


def test_units_keep_the_voice_they_carry(train):
    _, about = network.load(train("units", "voice"))
    assert about["speakers"] == ["everybody"]
    assert not (Path(train("units", "voice2")) / "durations").exists()


def test_the_same_seed_gives_the_same_bytes(train):
    first, second = train("phones", "a"), train("phones", "b")
    for file in ("model.safetensors", "model.json", "durations/model.safetensors", "durations/model.json"):
        assert (first / file).read_bytes() == (second / file).read_bytes()


def test_an_unknown_reference_speaker_is_refused(train):
    with pytest.raises(ValueError, match="reference_speaker is 'nobody'; speakers of the sample are s0, s1"):
        train("phones", "voice", reference_speaker="nobody")


def test_a_symbol_outside_the_inventory_is_refused(train, corpus: Path):
    (corpus / "lexicon.txt").write_text("WORD B D\n")
    with pytest.raises(ValueError, match=r"cut u\d: symbol '[A-Z]+' is not in the inventory"):
        train("phones", "voice")


def test_who_is_heard_most_is_the_reference():
    def said(name: str, frames: int) -> Utterance:
        return Utterance(name, np.zeros(frames, np.int64), np.zeros((1, BANDS), np.float32), np.zeros(1, np.int64))

    assert reference_speaker([said("b", 5), said("a", 3), said("a", 3)], None) == (["a", "b"], 0)
    with pytest.raises(ValueError, match="no utterance to train a speech model on"):
        reference_speaker([], None)


def test_runs_and_their_stretch():
    ids, frames = run_lengths(np.array([4, 4, 4, 2, 7, 7]))
    assert ids.tolist() == [4, 2, 7]
    assert frames.tolist() == [3, 1, 2]
    utterance = Utterance("a", np.repeat([1, 2, 1], [3, 5, 8]), np.zeros((1, BANDS)), np.zeros(1))
    examples = duration_examples([utterance], {"a": 0})
    silent = network.Network(3, 1, 8, 1, 1)
    silent.out.weight.data.zero_()
    silent.out.bias.data.zero_()  # every phone lasts exp(0) = 1 frame
    assert duration_scale(silent, examples) == pytest.approx(16 / 3)


def test_damaged_models_are_refused(train):
    folder = train("units", "voice", steps=10)
    (folder / "model.safetensors").write_bytes(b"no")
    with pytest.raises(ValueError, match=r"voice: the weights cannot be read .*; train it again"):
        network.load(folder)
    about = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**about, "format": 0}))
    with pytest.raises(ValueError, match="voice: format 0, expected 1; train it again"):
        network.load(folder)
