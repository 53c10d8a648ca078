"""Synthesise speech with known words, to measure the errors of the recogniser and the vocoder.

Two sets: `copy`, the mel spectra of the real continuations resynthesised by the vocoder, without symbols; and `random`,
words of the lexicon in random order, synthesised from phones. A recogniser with a language model maps random words to
likely sentences, so its errors in `random` beyond those in `copy` measure that bias.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from scripts.alignment.lexicon import SILENCE, read_lexicon
from scripts.common import audio, cpu
from scripts.common.cli import run
from scripts.common.cuts import read_cuts, spoken_text
from scripts.common.files import atomic_directory, write_jsonl
from scripts.common.seeds import generator
from scripts.continuation import vocoder
from scripts.continuation.mel import log_mel
from scripts.continuation.select_prompts import REAL
from scripts.continuation.synthesise import INDEX, SpeechModel, synthesise, write_flac

WORDS = 12  # per random string
COPY, RANDOM = "copy", "random"


def control(name: str, reference: str, symbols: str = "") -> dict[str, Any]:
    """A line in the format of a continuation, with its reference text."""
    return {
        "id": name,
        "prompt": name,
        "seed": 0,
        "stop": "control",
        "tokens": [],
        "symbols": symbols,
        "reference": reference,
    }


def random_words(lexicon: str, count: int, seed: int) -> list[dict[str, Any]]:
    """Strings of WORDS uniformly drawn words of the lexicon, as phones between two silences."""
    pronunciations = read_lexicon(lexicon)
    words = sorted(pronunciations)
    lines = []
    for number in range(count):
        chosen = generator(seed, "continuation/random", number).integers(0, len(words), WORDS)
        string = [words[i] for i in chosen]
        phones = [SILENCE, *(phone for word in string for phone in pronunciations[word][0]), SILENCE]
        lines.append(control(f"random{number:03d}", " ".join(string), " ".join(phones)))
    return lines


def main() -> None:
    """Command line of rule continuation_controls."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", required=True, help="prompts and real continuations")
    parser.add_argument("--audio-root", required=True)
    parser.add_argument("--lexicon", required=True, help="corpus/lexicon.txt")
    parser.add_argument("--random", type=int, required=True, help="strings of random words")
    parser.add_argument("--voice", type=Path, required=True, help="speech model of the phones")
    parser.add_argument("--vocoder", required=True)
    parser.add_argument("--vocoder-command", nargs="?")
    parser.add_argument("--iterations", type=int, required=True, help="of Griffin-Lim")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--speech", type=Path, required=True, help="folder to write, with copy/ and random/")
    parser.add_argument("--copy", type=Path, required=True, help="texts of copy/ (.jsonl)")
    parser.add_argument("--strings", type=Path, required=True, help="texts of random/ (.jsonl)")
    args = parser.parse_args()
    cpu.prepare(args.threads)
    vocode = vocoder.load(args.vocoder, args.vocoder_command, args.iterations)
    strings = random_words(args.lexicon, args.random, args.seed)
    copies, index = [], []
    with atomic_directory(args.speech) as temporary:
        (temporary / COPY).mkdir()
        for cut in read_cuts(args.cuts):
            prompt, _, part = cut["id"].rpartition("/")
            if part == REAL:
                wave: np.ndarray = vocode(log_mel(audio.read(cut, args.audio_root)))
                copies.append(control(prompt, spoken_text(cut)))
                index.append(write_flac(wave, prompt, temporary / COPY))
        write_jsonl(temporary / COPY / INDEX, index)
        seconds = synthesise(strings, SpeechModel(args.voice, framed=False), vocode, temporary / RANDOM, RANDOM)
    write_jsonl(args.copy, copies)
    write_jsonl(args.strings, strings)
    copy_seconds = sum(row["seconds"] for row in index)
    print(f"controls: {copy_seconds:.0f} s of copies, {seconds:.0f} s of random words", file=sys.stderr)


if __name__ == "__main__":
    run(main)
