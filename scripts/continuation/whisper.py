"""OpenAI's Whisper as the recogniser: a model by name, which is downloaded, or a checkpoint by path."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from scripts.common.frames import SAMPLE_RATE

BATCH = 16  # waveforms per batch
HOP = 160  # samples per mel frame; the encoder joins two frames


class WhisperRecogniser:
    """Greedy transcription of waveforms, one window each.

    Args:
        source: a name that openai-whisper knows ("large-v3"), or a file {dims, model_state_dict}.

    Raises:
        ValueError: openai-whisper is not installed, or `source` is no model and no file.
    """

    def __init__(self, source: str):
        try:
            import whisper
        except ModuleNotFoundError:
            raise ValueError(
                "continuation.recogniser is a Whisper model, but openai-whisper is not installed;"
                " pip install --group whisper"
            ) from None
        if not Path(source).exists() and source not in whisper.available_models():
            raise ValueError(
                f"continuation.recogniser is {source!r}; it must be kaldi, one of"
                f" {', '.join(whisper.available_models())}, or an existing checkpoint"
            )
        self.source = source
        try:
            self.model = whisper.load_model(source, device="cuda" if torch.cuda.is_available() else "cpu")
        except Exception as error:  # torch, pickle and Whisper raise many types on other files
            raise ValueError(
                f"{source}: not a checkpoint of openai-whisper ({type(error).__name__}: {error})"
            ) from None
        self.whisper = whisper

    def __call__(self, waves: Sequence[np.ndarray]) -> Iterator[str]:
        """The text of each float32 waveform; ValueError if one is longer than the model's window."""
        dims = self.model.dims
        window = 2 * dims.n_audio_ctx
        options = self.whisper.DecodingOptions(
            language="en", temperature=0.0, without_timestamps=True, fp16=self.model.device.type == "cuda"
        )
        for first in range(0, len(waves), BATCH):
            batch = waves[first : first + BATCH]
            longest = max(len(wave) for wave in batch)
            if longest > window * HOP:
                raise ValueError(
                    f"{self.source}: transcribes {window * HOP / SAMPLE_RATE:g} s at a time, a continuation lasts"
                    f" {longest / SAMPLE_RATE:.1f} s; lower continuation.seconds"
                )
            mels = [
                self.whisper.pad_or_trim(self.whisper.log_mel_spectrogram(wave, n_mels=dims.n_mels), window)
                for wave in map(np.ascontiguousarray, batch)
            ]
            results = self.model.decode(torch.stack(mels).to(self.model.device), options)
            yield from (result.text.strip() for result in results)
