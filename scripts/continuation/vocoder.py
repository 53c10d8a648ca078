"""Vocoders, from log-mel to a waveform: Griffin-Lim, a HiFi-GAN, or a command."""

import shlex
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from scripts.common.frames import SAMPLE_RATE
from scripts.common.weights import check_complete
from scripts.continuation.mel import BANDS, griffin_lim

Vocoder = Callable[[np.ndarray], np.ndarray]
GRIFFIN_LIM = "griffin-lim"


def load(name: str, command: str | None, iterations: int) -> Vocoder:
    """The configured vocoder, a function from log10 mel, float32 [F, BANDS], to a waveform, float32 [N].

    Args:
        name: griffin-lim, or a folder or hub name of transformers' SpeechT5HifiGan.
        command: if given, a command with {mel} (.npy) and {wav} to run instead.
        iterations: of Griffin-Lim.
    """
    if command is not None:
        return lambda mel: _run_command(command, mel)
    return (lambda mel: griffin_lim(mel, iterations)) if name == GRIFFIN_LIM else _hifigan(name)


def _hifigan(name: str) -> Vocoder:
    import torch
    from safetensors import SafetensorError
    from transformers import SpeechT5HifiGan

    try:
        network, loading = SpeechT5HifiGan.from_pretrained(name, output_loading_info=True)
    except (OSError, RuntimeError, SafetensorError) as error:
        raise ValueError(f"config: continuation.speech.vocoder: no HiFi-GAN at {name} ({error})") from None
    check_complete(f"config: continuation.speech.vocoder: {name}", loading)
    bands, rate = (network.config.model_in_dim, network.config.sampling_rate)
    if (bands, rate) != (BANDS, SAMPLE_RATE):
        raise ValueError(
            f"{name}: takes {bands} bands and gives {rate} Hz; expected {BANDS} bands and {SAMPLE_RATE} Hz"
        )
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = network.eval().to(device)

    def vocode(mel: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return network(torch.from_numpy(mel).to(device)).float().cpu().numpy()

    return vocode


def _run_command(command: str, mel: np.ndarray) -> np.ndarray:
    import soundfile

    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "mel.npy"), Path(folder, "speech.wav")
        np.save(source, mel)
        words = [part.replace("{mel}", str(source)).replace("{wav}", str(target)) for part in shlex.split(command)]
        try:
            done = subprocess.run(words, capture_output=True, text=True, check=False)
        except OSError as error:
            raise ValueError(
                f"config: continuation.speech.vocoder_command: {words[0]} cannot run ({error.strerror})"
            ) from None
        if done.returncode or not target.exists():
            message = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
            why = f"ended with {done.returncode}" if done.returncode else "wrote no {wav}"
            raise ValueError(
                f"config: continuation.speech.vocoder_command: {words[0]} {why}; its last line of output: {message}"
            )
        try:
            wave, rate = soundfile.read(target, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise ValueError(f"vocoder_command: the output of {words[0]} is no audio ({error})") from None
        if rate != SAMPLE_RATE or not len(wave):
            raise ValueError(
                f"vocoder_command: {words[0]} wrote {len(wave)} samples at {rate} Hz; expected some at {SAMPLE_RATE} Hz"
            )
        return wave.mean(axis=1)
