"""Symbols to ids with the files of a tokenizer folder, quickly: no tokenizers, transformers or torch.

Gives the ids that AutoTokenizer gives for the same symbols (tests/tokens/test_fast.py).
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import sentencepiece

from scripts.common.files import read_json

MADE_BY = "units_made_by.txt"  # fingerprint of the k-means whose units these are
MODEL = "sentencepiece.model"
SYMBOLS = "symbols.tsv"  # symbol, tab, the character that stands for it in the SentencePiece model
UNKNOWN, BOS, EOS = 0, 1, 2
NO_SYMBOL = "\ufffd"  # stands for a symbol that training never held

Encoder = Callable[[Sequence[str]], list[int]]
Speller = Callable[[Sequence[str]], list[tuple[int, int]]]


def read_characters(folder: Path) -> dict[str, str]:
    """Symbol -> private character; empty where symbols are characters already."""
    if not (folder / SYMBOLS).exists():
        return {}
    lines = (folder / SYMBOLS).read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t") for line in lines)  # type: ignore[misc]


def load(folder: str | Path) -> Encoder:
    """The function from symbols to ids (without <s> and </s>) of a tokenizer folder.

    A run of unknown characters is one <unk> under SentencePiece; with one id per symbol each unknown
    symbol is one.

    Raises:
        FileNotFoundError: naming the file, if the folder holds no tokenizer.
    """
    folder = Path(folder)
    if not (folder / MODEL).exists():
        vocabulary: dict[str, int] = read_json(folder / "tokenizer.json")["model"]["vocab"]
        return lambda symbols: [vocabulary.get(symbol, UNKNOWN) for symbol in symbols]
    model = sentencepiece.SentencePieceProcessor(model_file=str(folder / MODEL))
    characters = read_characters(folder)
    if not characters:
        return lambda symbols: model.encode("".join(symbols))
    return lambda symbols: model.encode("".join(characters.get(symbol, NO_SYMBOL) for symbol in symbols))


def load_spans(folder: str | Path) -> Speller:
    """The function from symbols to the symbols [begin, end) of each of their tokens, in the order of `load`'s ids.

    A token may hold no symbol: the space that SentencePiece puts before a text.
    """
    folder = Path(folder)
    if not (folder / MODEL).exists():
        return lambda symbols: [(place, place + 1) for place in range(len(symbols))]
    model = sentencepiece.SentencePieceProcessor(model_file=str(folder / MODEL))
    characters = read_characters(folder)

    def spans(symbols: Sequence[str]) -> list[tuple[int, int]]:
        text = "".join(characters.get(symbol, NO_SYMBOL) for symbol in symbols) if characters else "".join(symbols)
        return model.encode(text, out_type="offset_mapping")["offsets"]

    return spans
