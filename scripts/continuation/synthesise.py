"""Continuations of one modality become sound, in the reference speaker's voice.

Symbols without a clock get their durations first. A continuation without symbols has no file: its line in
index.jsonl says so, and later steps count it.
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
from scripts.common.files import atomic_directory, read_jsonl, write_jsonl
from scripts.common.frames import SAMPLE_RATE
from scripts.common.progress import Progress
from scripts.continuation import network, vocoder
from scripts.continuation.mel import frames_of, symbol_of_frame
from scripts.continuation.voice import FRAME_RATE

INDEX = "index.jsonl"
FRAME = 320  # samples
SILENT = -40.0  # decibels
NOTHING: dict[str, Any] = {"file": None, "seconds": 0.0, "silence": None}  # the index of what has no symbols


class Voice:
    """Symbols' names to log-mel.

    Args:
        folder: what `scripts.continuation.train_voice` wrote.
        framed: whether symbols come one per frame; if not, the folder's duration model spreads them.
    """

    def __init__(self, folder: Path, framed: bool):
        self.folder = folder
        self.sound, about = network.load(folder)
        self.place = {name: number for number, name in enumerate(about["inventory"])}
        self.reference = about["reference"]
        self.timer, self.stretch = None, 1.0
        if not framed:
            self.timer, details = network.load(folder / "durations")
            self.stretch = details["stretch"]

    def __call__(self, symbols: list[str]) -> np.ndarray:
        """log10 mel, float32 [F, BANDS]; ValueError naming a symbol that the voice never learnt."""
        strange = set(symbols) - set(self.place)
        if strange:
            raise ValueError(f"{self.folder}: cannot say the symbol {min(strange)!r}; expected its own inventory")
        ids = np.array([self.place[symbol] for symbol in symbols])
        if self.timer is not None:
            lengths = self.timer(torch.from_numpy(ids), self.reference)[:, 0].exp().numpy() * self.stretch
            ids = np.repeat(ids, whole(lengths))
        of_frame = symbol_of_frame(len(ids), frames_of(len(ids), FRAME_RATE), FRAME_RATE)
        return self.sound(torch.from_numpy(ids[of_frame]), self.reference).numpy()


def whole(lengths: np.ndarray) -> np.ndarray:
    """Frames per symbol, int64 [P], at least one each; their sum is that of `lengths` as nearly as can be."""
    frames = np.ones(len(lengths), np.int64)
    wanted = given = 0.0
    for place, length in enumerate(lengths):
        wanted += float(length)
        frames[place] = max(1, round(wanted - given))
        given += frames[place]
    return frames


def silence(wave: np.ndarray) -> float:
    """Share of the time that is SILENT decibels or more below the loudest 20 ms."""
    frames = wave[: len(wave) // FRAME * FRAME].reshape(-1, FRAME)
    power = np.square(frames, dtype=np.float64).mean(axis=1)
    return float((power < power.max() * 10 ** (SILENT / 10)).mean()) if len(power) else 0.0


def write(wave: np.ndarray, name: str, folder: Path) -> dict[str, Any]:
    """Write a waveform as `<name>.flac` into a folder; its line of the index.

    Raises:
        ValueError: naming the item, if the waveform is empty or not finite.
    """
    import soundfile

    if not len(wave) or not np.isfinite(wave).all():
        raise ValueError(f"{folder.name}: {name}: the vocoder gave no sound, or NaN")
    soundfile.write(folder / f"{name}.flac", np.clip(wave, -1.0, 1.0 - 2.0**-15), SAMPLE_RATE, subtype="PCM_16")
    seconds = round(len(wave) / SAMPLE_RATE, 4)
    return {"id": name, "file": f"{name}.flac", "seconds": seconds, "silence": round(silence(wave), 4)}


def speak(items: list[dict[str, Any]], voice: Voice, vocode: vocoder.Vocoder, folder: Path, name: str) -> float:
    """Write one FLAC per item with symbols into `folder`, and the index; returns seconds spoken."""
    folder.mkdir(parents=True)
    index, total = [], 0.0
    progress = Progress(f"speak/{name}", len(items), "continuations")
    for done, item in enumerate(items, start=1):
        symbols = item["symbols"].split()
        row = write(vocode(voice(symbols)), item["id"], folder) if symbols else {"id": item["id"], **NOTHING}
        index.append(row)
        total += row["seconds"]
        progress.update(done)
    write_jsonl(folder / INDEX, index)
    return total


def main() -> None:
    """Command line of rules continuation_speak and continuation_speak_random."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=Path, nargs="+", required=True, help="continuations (.jsonl)")
    parser.add_argument("--sets", nargs="+", required=True, help="the folder in --out for each of them")
    parser.add_argument("--voice", type=Path, required=True, help="folder of the acoustic model")
    parser.add_argument("--framed", action="store_true", help="symbols come one per 20 ms")
    parser.add_argument("--vocoder", required=True, help="griffin-lim, or a HiFi-GAN folder or hub name")
    parser.add_argument("--vocoder-command", nargs="?", help="a command with {mel} and {wav} instead")
    parser.add_argument("--iterations", type=int, required=True, help="of Griffin-Lim")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder; <set>/<id>.flac and <set>/index.jsonl")
    args = parser.parse_args()
    cpu.prepare(args.threads)
    voice = Voice(args.voice, args.framed)
    vocode = vocoder.load(args.vocoder, args.vocoder_command, args.iterations)
    began, total = time.monotonic(), 0.0
    with atomic_directory(args.out) as aside:
        for path, name in zip(args.items, args.sets, strict=True):
            total += speak(list(read_jsonl(path)), voice, vocode, aside / name, f"{args.out.name}/{name}")
    print(
        f"speak/{args.out.name}: {total:.0f} s of speech, {total / (time.monotonic() - began):.0f} x real time",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
