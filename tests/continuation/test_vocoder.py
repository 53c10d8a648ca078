"""Vocoders: a HiFi-GAN's folder, a user's command, and the messages when they fail."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig

from scripts.continuation import vocoder

MEL = np.full((20, 80), -2.0, np.float32)


def hifigan(folder: Path, **changes: object) -> Path:
    torch.manual_seed(0)
    config = SpeechT5HifiGanConfig(upsample_initial_channel=16, **changes)
    SpeechT5HifiGan(config).save_pretrained(folder)
    return folder


def test_griffin_lim_by_name():
    assert vocoder.load("griffin-lim", None, 2)(MEL).shape == (256 * 19,)


def test_a_hifigan_folder_speaks_as_transformers_does(tmp_path: Path):
    folder = hifigan(tmp_path / "gan")
    wave = vocoder.load(str(folder), None, 2)(MEL)
    with torch.inference_mode():
        expected = SpeechT5HifiGan.from_pretrained(folder)(torch.from_numpy(MEL)).numpy()
    assert wave.shape == (256 * 20,)
    np.testing.assert_allclose(wave, expected, atol=1e-6)


def test_another_hifigan_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match=r"takes 40 bands and gives 16000 Hz; expected 80 bands and 16000 Hz"):
        vocoder.load(str(hifigan(tmp_path / "gan", model_in_dim=40)), None, 2)


def test_a_folder_without_a_hifigan_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match=r"continuation.speech.vocoder: no HiFi-GAN at "):
        vocoder.load(str(tmp_path), None, 2)


def test_a_hifigan_without_all_of_its_weights_is_refused(tmp_path: Path):
    folder = hifigan(tmp_path / "gan")
    weights = load_file(folder / "model.safetensors")
    del weights["conv_pre.bias"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match=r"vocoder: .*gan: 1 weights are missing from the file, e\.g\. conv_pre\.bias"):
        vocoder.load(str(folder), None, 2)
    (folder / "model.safetensors").write_bytes(b"short")
    with pytest.raises(ValueError, match="no HiFi-GAN at"):
        vocoder.load(str(folder), None, 2)


def command(tmp_path: Path, body: str) -> str:
    script = tmp_path / "my vocoder.py"
    script.write_text(f"import sys, numpy, soundfile\nmel, wav = sys.argv[1:]\n{body}\n")
    return f"{sys.executable} '{script}' {{mel}} {{wav}}"


def test_a_command_reads_mel_and_writes_sound(tmp_path: Path):
    body = "soundfile.write(wav, numpy.full(len(numpy.load(mel)) * 100, 0.5), 16000)"
    wave = vocoder.load("griffin-lim", command(tmp_path, body), 2)(MEL)
    np.testing.assert_allclose(wave, np.full(2000, 0.5), atol=1e-4)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("sys.exit('no GPU here')", r"vocoder_command: .* ended with 1; its last line of output: no GPU here"),
        ("pass", r"vocoder_command: .* wrote no \{wav\}; its last line of output: nothing"),
        ("open(wav, 'w').write('x')", r"vocoder_command: the output of .* is no audio"),
        ("soundfile.write(wav, numpy.zeros(0), 16000)", r"wrote 0 samples at 16000 Hz; expected some at 16000 Hz"),
        ("soundfile.write(wav, numpy.zeros(9), 8000)", r"wrote 9 samples at 8000 Hz; expected some at 16000 Hz"),
    ],
)
def test_a_command_that_fails_is_one_line(tmp_path: Path, body: str, says: str):
    with pytest.raises(ValueError, match=says):
        vocoder.load("griffin-lim", command(tmp_path, body), 2)(MEL)


def test_a_command_that_does_not_exist_is_one_line():
    with pytest.raises(ValueError, match=r"vocoder_command: nosuchtool cannot run \(No such file"):
        vocoder.load("griffin-lim", "nosuchtool {mel} {wav}", 2)(MEL)
