"""OpenAI's Whisper, on a small checkpoint that the test writes in its own format."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

whisper = pytest.importorskip("whisper", reason="openai-whisper is not installed (group whisper)")

from scripts.continuation.transcribe import load  # noqa: E402
from scripts.continuation.whisper import BATCH, WhisperRecogniser  # noqa: E402

DIMS = {"n_mels": 80, "n_audio_ctx": 100, "n_audio_state": 32, "n_audio_head": 2, "n_audio_layer": 1, "n_vocab": 51864,
        "n_text_ctx": 24, "n_text_state": 32, "n_text_head": 2, "n_text_layer": 1}  # fmt: skip


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    dims = whisper.model.ModelDimensions(**DIMS)
    path = tmp_path_factory.mktemp("whisper") / "tiny.pt"
    torch.save({"dims": asdict(dims), "model_state_dict": whisper.model.Whisper(dims).state_dict()}, path)
    return path


def noise(seconds: float, seed: int) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(round(16000 * seconds)).astype(np.float32)


def test_batches_are_heard_as_one_at_a_time_by_whisper_itself(checkpoint: Path):
    waves = [noise(0.4 + 0.05 * i, i) for i in range(BATCH + 2)]
    texts = list(load(str(checkpoint), None, None, 1)(waves))
    assert len(texts) == len(waves)
    model = whisper.load_model(str(checkpoint))
    options = whisper.DecodingOptions(language="en", temperature=0.0, without_timestamps=True, fp16=False)
    for place in (0, BATCH + 1):
        mel = whisper.pad_or_trim(whisper.log_mel_spectrogram(waves[place]), 200)
        assert texts[place] == model.decode(mel, options).text.strip()


def test_a_file_that_is_no_whisper_is_refused(tmp_path: Path):
    path = tmp_path / "model.pt"
    path.write_text("hello")
    with pytest.raises(ValueError, match=r"model\.pt: not a checkpoint of openai-whisper"):
        WhisperRecogniser(str(path))
    torch.save({"weights": torch.zeros(2)}, path)
    with pytest.raises(ValueError, match=r"model\.pt: not a checkpoint of openai-whisper"):
        WhisperRecogniser(str(path))


def test_a_name_that_whisper_does_not_know_is_refused():
    with pytest.raises(ValueError, match=r"recogniser is 'huge-v9'; it must be kaldi, one of .*large-v3.* or an exist"):
        WhisperRecogniser("huge-v9")


def test_sound_longer_than_its_window_is_refused(checkpoint: Path):
    with pytest.raises(ValueError, match=r"transcribes 2 s at a time, a continuation lasts 2.5 s; lower continuation"):
        list(WhisperRecogniser(str(checkpoint))([noise(2.5, 0)]))
