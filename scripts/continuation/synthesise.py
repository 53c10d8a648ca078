"""Synthesise the continuations of one modality, in the voice of the reference speaker.

Durations of symbols without a frame rate are predicted first. A continuation without symbols has no sound file; its
line in index.jsonl has `file: null`, and later steps count it.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from scripts.common import cpu
from scripts.common.cli import run
from scripts.common.files import atomic_directory, nonempty_jsonl, write_jsonl
from scripts.common.frames import SAMPLE_RATE
from scripts.common.progress import Progress
from scripts.continuation import network, vocoder
from scripts.continuation.mel import num_mel_frames, symbol_indices
from scripts.continuation.voice_data import FRAME_RATE

INDEX = "index.jsonl"
FRAME = 320  # samples
SILENT = -40.0  # dB relative to the loudest frame
NO_SOUND: dict[str, Any] = {"file": None, "seconds": 0.0, "silence": None}  # index entry without symbols


class SpeechModel:
    """Convert names of symbols to log-mel.

    Args:
        folder: output of `scripts.continuation.train_voice`.
        framed: whether there is one symbol per frame; if not, the duration model of the folder is used.
    """

    def __init__(self, folder: Path, framed: bool):
        self.folder = folder
        self.acoustic_model, about = network.load(folder)
        self.index = {name: number for number, name in enumerate(about["inventory"])}
        self.reference = about["reference"]
        self.duration_model, self.duration_scale = None, 1.0
        if not framed:
            self.duration_model, details = network.load(folder / "durations")
            self.duration_scale = details["stretch"]

    def __call__(self, symbols: list[str]) -> np.ndarray:
        """log10 mel, float32 [F, BANDS]; ValueError names a symbol outside the inventory of the model."""
        unknown = set(symbols) - set(self.index)
        if unknown:
            raise ValueError(f"{self.folder}: the symbol {min(unknown)!r} is not in the inventory of this model")
        ids = np.array([self.index[symbol] for symbol in symbols])
        if self.duration_model is not None:
            lengths = (
                self.duration_model(torch.from_numpy(ids), self.reference)[:, 0].exp().numpy() * self.duration_scale
            )
            ids = np.repeat(ids, round_durations(lengths))
        symbol_index = symbol_indices(len(ids), num_mel_frames(len(ids), FRAME_RATE), FRAME_RATE)
        return self.acoustic_model(torch.from_numpy(ids[symbol_index]), self.reference).numpy()


def round_durations(lengths: np.ndarray) -> np.ndarray:
    """Frames per symbol, int64 [P], at least one each; their sum approximates that of `lengths`."""
    frames = np.ones(len(lengths), np.int64)
    target = assigned = 0.0
    for index, length in enumerate(lengths):
        target += float(length)
        frames[index] = max(1, round(target - assigned))
        assigned += frames[index]
    return frames


def silence_share(wave: np.ndarray) -> float:
    """Share of the 20 ms frames whose power is at most SILENT dB relative to the loudest frame."""
    frames = wave[: len(wave) // FRAME * FRAME].reshape(-1, FRAME)
    power = np.square(frames, dtype=np.float64).mean(axis=1)
    return float((power < power.max() * 10 ** (SILENT / 10)).mean()) if len(power) else 0.0


def write_flac(wave: np.ndarray, name: str, folder: Path) -> dict[str, Any]:
    """Write a waveform as `<name>.flac` into a folder; returns its line of the index.

    Raises:
        ValueError: names the file, if the waveform is empty or not finite.
    """
    import soundfile

    if not len(wave) or not np.isfinite(wave).all():
        raise ValueError(f"{folder.name}: {name}: the vocoder returned an empty waveform, or NaN")
    soundfile.write(folder / f"{name}.flac", np.clip(wave, -1.0, 1.0 - 2.0**-15), SAMPLE_RATE, subtype="PCM_16")
    seconds = round(len(wave) / SAMPLE_RATE, 4)
    return {"id": name, "file": f"{name}.flac", "seconds": seconds, "silence": round(silence_share(wave), 4)}


def synthesise(
    items: list[dict[str, Any]], voice: SpeechModel, vocode: vocoder.Vocoder, folder: Path, name: str
) -> float:
    """Write one FLAC per continuation with symbols, and the index, into `folder`; returns seconds of speech."""
    folder.mkdir(parents=True)
    index, total = [], 0.0
    progress = Progress(f"speak/{name}", len(items), "continuations")
    for done, item in enumerate(items, start=1):
        symbols = item["symbols"].split()
        row = write_flac(vocode(voice(symbols)), item["id"], folder) if symbols else {"id": item["id"], **NO_SOUND}
        index.append(row)
        total += row["seconds"]
        progress.update(done)
    write_jsonl(folder / INDEX, index)
    return total


def main() -> None:
    """Command line of rule continuation_speak."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=Path, nargs="+", required=True, help="continuations (.jsonl)")
    parser.add_argument("--sets", nargs="+", required=True, help="name of the subfolder of --out for each")
    parser.add_argument("--voice", type=Path, required=True, help="folder of the speech model")
    parser.add_argument("--framed", action="store_true", help="one symbol per frame of 20 ms")
    parser.add_argument("--vocoder", required=True, help="griffin-lim, or a HiFi-GAN folder or hub name")
    parser.add_argument("--vocoder-command", nargs="?", help="a command with {mel} and {wav} instead")
    parser.add_argument("--iterations", type=int, required=True, help="of Griffin-Lim")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder; <set>/<id>.flac and <set>/index.jsonl")
    args = parser.parse_args()
    cpu.prepare(args.threads)
    voice = SpeechModel(args.voice, args.framed)
    vocode = vocoder.load(args.vocoder, args.vocoder_command, args.iterations)
    start, total = time.monotonic(), 0.0
    with atomic_directory(args.out) as temporary:
        for path, name in zip(args.items, args.sets, strict=True):
            total += synthesise(nonempty_jsonl(path), voice, vocode, temporary / name, f"{args.out.name}/{name}")
    print(
        f"speak/{args.out.name}: {total:.0f} s of speech, {total / (time.monotonic() - start):.0f} x real time",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
