"""Error rates of the recogniser on real speech, its copy, random words, and the resynthesis of every modality.

The last is the error of encoding, synthesis and transcription together, on real continuations. Phone error rates use
the first pronunciation of each word in the lexicon, so a confusion of similar words counts less than in word error
rates.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import jiwer

from scripts.alignment.lexicon import Pronunciation, read_lexicon
from scripts.common.cli import run
from scripts.common.cuts import read_cuts, spoken_text
from scripts.common.files import nonempty_jsonl, write_csv
from scripts.continuation.perplexity import normalise_text
from scripts.continuation.select_prompts import REAL

COLUMNS = ("speech", "utterances", "words", "word_error_rate", "substitutions", "deletions", "insertions",
           "phone_error_rate")  # fmt: skip
HELD_OUT, COPIED, RANDOM = "held-out", "copied", "random-words"
Pairs = list[tuple[str, str]]  # (reference, transcript)


def row(name: str, pairs: Pairs, lexicon: Mapping[str, Sequence[Pronunciation]]) -> dict[str, object]:
    """One row of COLUMNS; rates are relative to the length of the reference.

    Raises:
        ValueError: the references hold no words.
    """
    pairs = [(normalise_text(reference), normalise_text(transcript)) for reference, transcript in pairs]
    if not any(reference for reference, _ in pairs):
        raise ValueError(f"{name}: the references hold no words; there is nothing to compare with")
    words = jiwer.process_words([reference for reference, _ in pairs], [transcript for _, transcript in pairs])
    phone_pairs = [tuple(_phones(text, lexicon) for text in pair) for pair in pairs]
    phones = jiwer.process_words(
        [reference for reference, _ in phone_pairs], [transcript for _, transcript in phone_pairs]
    )
    return {
        "speech": name,
        "utterances": len(pairs),
        "words": words.hits + words.substitutions + words.deletions,
        "word_error_rate": round(words.wer, 6),
        "substitutions": words.substitutions,
        "deletions": words.deletions,
        "insertions": words.insertions,
        "phone_error_rate": round(phones.wer, 6),
    }


def _phones(text: str, lexicon: Mapping[str, Sequence[Pronunciation]]) -> str:
    """The phones of the words; a word that is not in the lexicon counts as one phone."""
    pronunciations = (lexicon.get(word.upper(), ((word,),))[0] for word in text.split())
    return " ".join(phone for pronunciation in pronunciations for phone in pronunciation)


def reference_pairs(references: Mapping[str, str], transcripts: Path, key: str = "id") -> Pairs:
    """(reference, transcript) of one file of transcripts; ValueError names a line without a reference."""
    pairs = []
    for line in nonempty_jsonl(transcripts):
        if line[key] not in references:
            raise ValueError(f"{transcripts}: {line[key]!r} has no reference")
        pairs.append((references[line[key]], line["text"]))
    return pairs


def main() -> None:
    """Command line of rule continuation_recognition."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=Path, required=True, help="prompts and real continuations")
    parser.add_argument("--lexicon", required=True, help="corpus/lexicon.txt")
    parser.add_argument("--cuts-transcript", type=Path, required=True, help="transcript of the cuts themselves")
    parser.add_argument("--references", type=Path, nargs=2, required=True, help="texts of copies and random strings")
    parser.add_argument("--controls", type=Path, nargs=2, required=True, help="their transcripts")
    parser.add_argument("--modalities", nargs="*", default=[])
    parser.add_argument(
        "--real", type=Path, nargs="*", default=[], help="transcripts of real continuations, per modality"
    )
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    lexicon = read_lexicon(args.lexicon)
    real = {}
    for cut in read_cuts(args.cuts):
        prompt, _, part = cut["id"].rpartition("/")
        if part == REAL:
            real[prompt] = spoken_text(cut)
    pairs = {HELD_OUT: [(line["reference"], line["text"]) for line in nonempty_jsonl(args.cuts_transcript)]}
    for name, references, transcripts in zip((COPIED, RANDOM), args.references, args.controls, strict=True):
        pairs[name] = reference_pairs(
            {line["id"]: line["reference"] for line in nonempty_jsonl(references)}, transcripts
        )
    for modality, path in zip(args.modalities, args.real, strict=True):
        pairs[modality] = reference_pairs(real, path, "prompt")
    rows = [row(name, named_pairs, lexicon) for name, named_pairs in pairs.items()]
    write_csv(args.out, COLUMNS, rows)
    for line in rows:
        print(f"recogniser: {line['speech']}: {100 * float(str(line['word_error_rate'])):.1f}% words", file=sys.stderr)


if __name__ == "__main__":
    run(main)
