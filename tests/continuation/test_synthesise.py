"""Symbols to sound: with a frame rate, with predicted durations, and without symbols."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from scripts.common.files import read_jsonl, write_jsonl
from scripts.continuation.network import Network, save
from scripts.continuation.synthesise import SpeechModel, main, round_durations, silence_share, synthesise, write_flac
from tests.factories.cuts import LETTER_PHONES


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    """An untrained voice whose phones all last five frames."""
    folder = tmp_path / "voice"
    (folder / "durations").mkdir(parents=True)
    torch.manual_seed(0)
    about = {"inventory": LETTER_PHONES, "speakers": ["s"], "reference": 0}
    save(Network(len(LETTER_PHONES), 1, 8, 1, 80), about, folder)
    duration_model = Network(len(LETTER_PHONES), 1, 8, 1, 1)
    duration_model.out.weight.data.zero_()
    duration_model.out.bias.data.fill_(float(np.log(4.0)))
    save(duration_model, {**about, "stretch": 1.25}, folder / "durations")
    return folder


def item(name: str, symbols: str) -> dict:
    return {"id": name, "prompt": name, "seed": 0, "stop": "eos", "tokens": [], "symbols": symbols}


@pytest.mark.parametrize(("framed", "frames"), [(True, 4), (False, 20)])
def test_the_clock_or_the_durations_give_the_length(voice: Path, framed: bool, frames: int):
    mel = SpeechModel(voice, framed)(["SIL", "B", "D", "F"])
    assert mel.shape == ((320 * (frames - 1) + 400) // 256 + 1, 80)


def test_the_step_writes_sound_and_counts_what_has_none(voice: Path, tmp_path: Path, run_step):
    write_jsonl(tmp_path / "a.jsonl", [item("x", "B D F G"), item("empty", "")])
    write_jsonl(tmp_path / "b.jsonl", [item("y", "B")])
    run_step(
        main, "--items", tmp_path / "a.jsonl", tmp_path / "b.jsonl", "--sets", "generated", "real", "--voice", voice,
        "--vocoder", "griffin-lim", "--vocoder-command", "--iterations", 2, "--threads", 1, "--out", tmp_path / "out",
    )  # fmt: skip
    rows = list(read_jsonl(tmp_path / "out/generated/index.jsonl"))
    assert rows[1] == {"id": "empty", "file": None, "seconds": 0.0, "silence": None}
    wave, rate = soundfile.read(tmp_path / "out/generated/x.flac")
    assert rate == 16000
    assert rows[0]["seconds"] == pytest.approx(len(wave) / 16000, abs=1e-4)
    assert (tmp_path / "out/real/y.flac").exists()
    first = (tmp_path / "out/generated/x.flac").read_bytes()
    synthesise([item("x", "B D F G")], SpeechModel(voice, False), _griffin(), tmp_path / "again", "again")
    assert (tmp_path / "again/x.flac").read_bytes() == first


def _griffin():
    from scripts.continuation import vocoder

    return vocoder.load("griffin-lim", None, 2)


def test_a_symbol_that_was_never_learnt_is_refused(voice: Path):
    with pytest.raises(ValueError, match="the symbol 'ZZ' is not in the inventory of this model"):
        SpeechModel(voice, True)(["B", "ZZ"])


@pytest.mark.parametrize("wave", [np.zeros(0), np.array([0.1, np.nan])])
def test_audio_of_zero_length_or_nan_is_refused(tmp_path: Path, wave: np.ndarray):
    with pytest.raises(ValueError, match="item-7: the vocoder returned an empty waveform, or NaN"):
        write_flac(wave, "item-7", tmp_path)


def test_whole_frames_add_up():
    lengths = np.random.default_rng(0).uniform(1.2, 6, 200)
    frames = round_durations(lengths)
    assert frames.min() >= 1
    assert abs(frames.sum() - lengths.sum()) <= 1
    assert round_durations(np.array([0.1, 0.1])).tolist() == [1, 1]


def test_silence_is_what_lies_far_below_the_loudest():
    loud = np.tile([0.5, -0.5], 1600)
    assert silence_share(np.concatenate([loud, loud * 1e-3])) == pytest.approx(0.5)
    assert silence_share(np.zeros(10)) == 0
