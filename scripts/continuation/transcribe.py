"""Transcribe the continuations of one modality with the recogniser; the text of text modalities is copied.

One line per continuation, `{id, prompt, seed, stop, tokens, seconds, silence, text}`; a continuation without sound has
an empty text. `--cuts` transcribes the recordings of cuts, speaker by speaker.
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
from scripts.common.files import nonempty_jsonl, write_jsonl
from scripts.common.frames import SAMPLE_RATE
from scripts.continuation.synthesise import INDEX

Recogniser = Callable[[Sequence[np.ndarray]], Iterator[str]]
KALDI = "kaldi"


def load(name: str, model: Path | None, lexicon: Path | None, threads: int) -> Recogniser:
    """The recogniser `name`: kaldi, with the model of the aligner, or a Whisper model."""
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
    """{text, seconds, silence} by id of a folder written by `scripts.continuation.synthesise`.

    Raises:
        ValueError: names a file that cannot be decoded or is empty.
    """
    import soundfile

    index = nonempty_jsonl(folder / INDEX)
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
    """{id, reference, text, seconds} of cuts, sorted by speaker; `text` is the transcript."""
    for name in sorted({speaker(cut) for cut in cuts}):
        speaker_cuts = [cut for cut in cuts if speaker(cut) == name]
        for cut, text in zip(speaker_cuts, recogniser([audio.read(cut, root) for cut in speaker_cuts]), strict=True):
            yield {"id": cut["id"], "reference": spoken_text(cut), "text": text, "seconds": cut["duration"]}


def rows(items: Path, folder: Path | None, recogniser: Recogniser | None) -> list[dict[str, Any]]:
    """The lines of a file of continuations, with their transcripts."""
    transcripts = transcribe(folder, recogniser) if folder and recogniser else {}
    lines = []
    for item in nonempty_jsonl(items):
        fields = {key: item[key] for key in ("id", "prompt", "seed", "stop")}
        text = transcripts[item["id"]] if transcripts else {"seconds": None, "silence": None, "text": item["symbols"]}
        lines.append({**fields, "tokens": len(item["tokens"]), **text})
    return lines


def main() -> None:
    """Command line of rules continuation_transcribe, continuation_read and continuation_transcribe_controls."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=Path, nargs="*", default=[], help="continuations (.jsonl)")
    parser.add_argument("--speech", type=Path, nargs="*", default=[], help="their folders of sound; none for text")
    parser.add_argument("--cuts", type=Path, help="real speech to transcribe")
    parser.add_argument("--audio-root", help="of the cuts")
    parser.add_argument("--recogniser", help="kaldi, or a Whisper model's name or path")
    parser.add_argument("--model", type=Path, nargs="?", help="alignment/model, for kaldi")
    parser.add_argument("--lexicon", type=Path, nargs="?", help="corpus/lexicon.txt, for kaldi")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, nargs="*", default=[], help="a file for each of --items")
    parser.add_argument("--cuts-out", type=Path, help="a file for the transcripts of --cuts")
    args = parser.parse_args()
    start, seconds = time.monotonic(), 0.0
    recogniser = load(args.recogniser, args.model, args.lexicon, args.threads) if args.recogniser else None
    if args.cuts and recogniser:
        cut_lines = list(transcribe_cuts(list(read_cuts(args.cuts)), args.audio_root, recogniser))
        seconds = sum(row["seconds"] for row in cut_lines)
        write_jsonl(args.cuts_out, cut_lines)
    folders: list[Path | None] = list(args.speech) or [None] * len(args.items)
    for items, folder, out in zip(args.items, folders, args.out, strict=True):
        lines = rows(items, folder, recogniser)
        seconds += sum(line["seconds"] or 0.0 for line in lines)
        write_jsonl(out, lines)
    if recogniser:
        print(
            f"{args.recogniser}: {seconds:.0f} s of speech, {seconds / (time.monotonic() - start):.0f} x real time",
            file=sys.stderr,
        )


if __name__ == "__main__":
    run(main)
