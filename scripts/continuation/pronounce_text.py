"""Turn written continuations into phones, so that text is spoken and transcribed like every other modality.

A word has its first pronunciation in corpus/lexicon.txt, else CMUdict's, else one by rule (numbers, abbreviations),
else one guessed from its letters by a joint n-gram model of the lexicon. The voice knows the lexicon's phones only, so
a pronunciation with others does not count. A word without any is not spoken, and counted. There is a silence at both
ends and at every punctuation mark, as in the alignments that the voice is trained on.
"""

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from scripts.alignment.g2p import G2pModel
from scripts.alignment.lexicon import SILENCE, Pronunciation, phones_of, read_lexicon
from scripts.common.cli import run
from scripts.common.files import nonempty_jsonl, write_jsonl
from scripts.corpus.pronounce import cmudict_lexicon
from scripts.corpus.verbalize import pronounce

PAUSE = re.compile(r"[.,;:?!]$")  # of a token: a mark after which the world's speakers pause
EDGES = re.compile(r"^[^\w$&%']+|[^\w%']+$")


class Pronouncer:
    """Phones of any word, in the inventory of a lexicon.

    Args:
        lexicon: word -> pronunciations, as `alignment.lexicon.read_lexicon` reads them.

    Attributes:
        without: words that have no pronunciation.
    """

    def __init__(self, lexicon: Mapping[str, Sequence[Pronunciation]]):
        self.lexicon = lexicon
        self.inventory = set(phones_of(lexicon))
        listed = {word: [" ".join(phones) for phones in known] for word, known in lexicon.items()}
        self.dictionary = cmudict_lexicon() | listed
        self.without: list[str] = []

    @cached_property
    def guess(self) -> G2pModel:
        """Letters to phones, trained on the lexicon when the first word needs it."""
        return G2pModel.train(self.lexicon)

    def word(self, written: str) -> Pronunciation:
        """Phones of a word in any case; () and an entry in `without` if it has none."""
        word = written.upper()
        known = self.dictionary.get(word) or pronounce(word, self.dictionary)
        fitting = [phones for phones in (tuple(text.split()) for text in known) if self.inventory.issuperset(phones)]
        phones = fitting[0] if fitting else self.guess(word)
        if not phones:
            self.without.append(written)
        return phones or ()

    def text(self, written: str) -> list[str]:
        """Phones and silences of a text; [] if nothing of it can be spoken."""
        phones = [SILENCE]
        for token in written.split():
            if word := EDGES.sub("", token):
                phones += self.word(word)
            if PAUSE.search(token.rstrip("\"')")) and phones[-1] != SILENCE:
                phones.append(SILENCE)
        if phones[-1] != SILENCE:
            phones.append(SILENCE)
        return phones if len(phones) > 1 else []


def spoken_line(line: Mapping[str, Any], pronouncer: Pronouncer) -> dict[str, Any]:
    """The line of a written continuation with the names of phones as its symbols."""
    return {**line, "symbols": " ".join(pronouncer.text(line["symbols"]))}


def main() -> None:
    """Command line of rule continuation_pronounce."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=Path, nargs="+", required=True, help="written continuations (.jsonl)")
    parser.add_argument("--lexicon", required=True, help="corpus/lexicon.txt")
    parser.add_argument("--out", type=Path, nargs="+", required=True, help="a file of phones for each of --texts")
    args = parser.parse_args()
    pronouncer = Pronouncer(read_lexicon(args.lexicon))
    for texts, out in zip(args.texts, args.out, strict=True):
        write_jsonl(out, (spoken_line(line, pronouncer) for line in nonempty_jsonl(texts)))
    missing = sorted(set(pronouncer.without))
    print(
        f"pronounce: {len(pronouncer.without)} words without a pronunciation are not spoken"
        f"{': ' + ' '.join(missing[:10]) if missing else ''}",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
