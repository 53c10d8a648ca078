"""The transcripts of the continuations of one modality, by a recogniser; what is text already is copied.

One line per continuation, `{id, prompt, seed, stop, tokens, seconds, silence, text}`; one without sound has an empty
text. `--cuts` transcribes the real speech of cuts, speaker by speaker.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scripts.common import audio
from scripts.common.cli import run
from scripts.common.cuts import Cut, read_cuts, speaker, spoken_text
from scripts.common.files import read_jsonl, write_jsonl
from scripts.common.frames import SAMPLE_RATE
from scripts.continuation.speak import INDEX

Recogniser = Callable[[Sequence[np.ndarray]], Iterator[str]]
KALDI = "kaldi"


def load(name: str, model: Path | None, lexicon: Path | None, threads: int) -> Recogniser:
    """The recogniser that the config names: kaldi, with the aligner's model, or a Whisper."""
    if name == KALDI:
        from scripts.continuation.kaldi import KaldiRecogniser

        if model is None or lexicon is None:
            raise ValueError("continuation.recogniser is kaldi, which needs alignment/model and corpus/lexicon.txt")
        return KaldiRecogniser(model, lexicon)
    from scripts.common import cpu
    from scripts.continuation.whisper import WhisperRecogniser

    cpu.prepare(threads)
    return WhisperRecogniser(name)


def transcribe(folder: Path, recogniser: Recogniser) -> dict[str, dict[str, Any]]:
    """{text, seconds, silence} by id of a folder that `scripts.continuation.speak` wrote.

    Raises:
        ValueError: naming the file that cannot be read, or holds nothing.
    """
    import soundfile

    index = list(read_jsonl(folder / INDEX))
    waves = []
    for row in index:
        if row["file"] is None:
            continue
        try:
            wave, rate = soundfile.read(folder / row["file"], dtype="float32")
        except soundfile.LibsndfileError as error:
            raise ValueError(f"{folder / row['file']}: cannot be decoded ({error})") from None
        if not len(wave) or rate != SAMPLE_RATE:
            raise ValueError(
                f"{folder / row['file']}: {len(wave)} samples at {rate} Hz; expected some at {SAMPLE_RATE}"
            )
        waves.append(wave)
    texts = recogniser(waves)
    return {
        row["id"]: {
            "seconds": row["seconds"],
            "silence": row["silence"],
            "text": next(texts) if row["file"] else "",
        }
        for row in index
    }


def transcribe_cuts(cuts: Sequence[Cut], root: str, recogniser: Recogniser) -> Iterator[dict[str, Any]]:
    """{id, reference, text, seconds} of real cuts, one speaker after the other; `text` is the recogniser's."""
    for name in sorted({speaker(cut) for cut in cuts}):
        own = [cut for cut in cuts if speaker(cut) == name]
        for cut, text in zip(own, recogniser([audio.read(cut, root) for cut in own]), strict=True):
            yield {"id": cut["id"], "reference": spoken_text(cut), "text": text, "seconds": cut["duration"]}


def rows(items: Path, folder: Path | None, recogniser: Recogniser | None) -> list[dict[str, Any]]:
    """The lines of one file of continuations with their transcripts."""
    transcripts = transcribe(folder, recogniser) if folder and recogniser else {}
    lines = []
    for item in read_jsonl(items):
        kept = {key: item[key] for key in ("id", "prompt", "seed", "stop")}
        text = transcripts[item["id"]] if transcripts else {"seconds": None, "silence": None, "text": item["symbols"]}
        lines.append({**kept, "tokens": len(item["tokens"]), **text})
    return lines


def main() -> None:
    """Command line of rules continuation_transcribe, continuation_read and continuation_transcribe_controls."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=Path, nargs="*", default=[], help="continuations (.jsonl)")
    parser.add_argument("--speech", type=Path, nargs="*", default=[], help="their folders; none if they are text")
    parser.add_argument("--cuts", type=Path, help="real speech to transcribe")
    parser.add_argument("--audio-root", help="of the cuts")
    parser.add_argument("--recogniser", help="kaldi, or a Whisper model's name or path")
    parser.add_argument("--model", type=Path, nargs="?", help="alignment/model, for kaldi")
    parser.add_argument("--lexicon", type=Path, nargs="?", help="corpus/lexicon.txt, for kaldi")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, nargs="*", default=[], help="a file for each of --items")
    parser.add_argument("--cuts-out", type=Path, help="a file for the transcripts of --cuts")
    args = parser.parse_args()
    began, seconds = time.monotonic(), 0.0
    recogniser = load(args.recogniser, args.model, args.lexicon, args.threads) if args.recogniser else None
    if args.cuts and recogniser:
        rows_of_cuts = list(transcribe_cuts(list(read_cuts(args.cuts)), args.audio_root, recogniser))
        seconds = sum(row["seconds"] for row in rows_of_cuts)
        write_jsonl(args.cuts_out, rows_of_cuts)
    folders: list[Path | None] = list(args.speech) or [None] * len(args.items)
    for items, folder, out in zip(args.items, folders, args.out, strict=True):
        lines = rows(items, folder, recogniser)
        seconds += sum(line["seconds"] or 0.0 for line in lines)
        write_jsonl(out, lines)
    if recogniser:
        print(
            f"{args.recogniser}: {seconds:.0f} s of speech, {seconds / (time.monotonic() - began):.0f} x real time",
            file=sys.stderr,
        )


if __name__ == "__main__":
    run(main)
