"""What the recogniser gets wrong: in real speech, in its copy, in random words, and in every modality's resynthesis.

The last is the price of the way from tokens to text: the same words, said by people, encoded, spoken and heard
again. Errors of phones read the words by the lexicon's first pronunciation, so a word that sounds like another
counts less.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import jiwer

from scripts.alignment.lexicon import Pronunciation, read_lexicon
from scripts.common.cli import run
from scripts.common.cuts import read_cuts, spoken_text
from scripts.common.files import read_jsonl, write_csv
from scripts.continuation.choose import REAL
from scripts.continuation.perplexity import spoken

COLUMNS = ("speech", "utterances", "words", "word_error_rate", "substitutions", "deletions", "insertions",
           "phone_error_rate")  # fmt: skip
HELD_OUT, COPIED, RANDOM = "held-out", "copied", "random-words"
Pairs = list[tuple[str, str]]  # (said, heard)


def row(name: str, pairs: Pairs, lexicon: Mapping[str, Sequence[Pronunciation]]) -> dict[str, object]:
    """One line of COLUMNS; rates are shares of what was said.

    Raises:
        ValueError: nothing was said.
    """
    pairs = [(spoken(said), spoken(heard)) for said, heard in pairs]
    if not any(said for said, _ in pairs):
        raise ValueError(f"{name}: no words were said; there is nothing to compare with")
    words = jiwer.process_words([said for said, _ in pairs], [heard for _, heard in pairs])
    sounds = [tuple(_phones(text, lexicon) for text in pair) for pair in pairs]
    phones = jiwer.process_words([said for said, _ in sounds], [heard for _, heard in sounds])
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
    """The words' phones; a word that the lexicon lacks is one phone of its own."""
    found = (lexicon.get(word.upper(), ((word,),))[0] for word in text.split())
    return " ".join(phone for each in found for phone in each)


def joined(said: Mapping[str, str], heard: Path, key: str = "id") -> Pairs:
    """(said, heard) of one file of transcripts; ValueError naming the line that nobody said."""
    pairs = []
    for line in read_jsonl(heard):
        if line[key] not in said:
            raise ValueError(f"{heard}: {line[key]!r} is not among what was said")
        pairs.append((said[line[key]], line["text"]))
    return pairs


def main() -> None:
    """Command line of rule continuation_recognition."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=Path, required=True, help="prompts and real continuations")
    parser.add_argument("--lexicon", required=True, help="corpus/lexicon.txt")
    parser.add_argument("--heard", type=Path, required=True, help="what was heard in the cuts themselves")
    parser.add_argument("--said", type=Path, nargs=2, required=True, help="what copies and random strings say")
    parser.add_argument("--controls", type=Path, nargs=2, required=True, help="what was heard in them")
    parser.add_argument("--modalities", nargs="*", default=[])
    parser.add_argument("--real", type=Path, nargs="*", default=[], help="real continuations as heard, per modality")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    lexicon = read_lexicon(args.lexicon)
    real = {}
    for cut in read_cuts(args.cuts):
        prompt, _, part = cut["id"].rpartition("/")
        if part == REAL:
            real[prompt] = spoken_text(cut)
    pairs = {HELD_OUT: [(line["said"], line["text"]) for line in read_jsonl(args.heard)]}
    for name, said, heard in zip((COPIED, RANDOM), args.said, args.controls, strict=True):
        pairs[name] = joined({line["id"]: line["said"] for line in read_jsonl(said)}, heard)
    for modality, path in zip(args.modalities, args.real, strict=True):
        pairs[modality] = joined(real, path, "prompt")
    rows = [row(name, each, lexicon) for name, each in pairs.items()]
    write_csv(args.out, COLUMNS, rows)
    for line in rows:
        print(f"recogniser: {line['speech']}: {100 * float(str(line['word_error_rate'])):.1f}% words", file=sys.stderr)


if __name__ == "__main__":
    run(main)
