"""Encode symbols with a tokenizer folder, without importing tokenizers, transformers or torch.

The ids equal those of AutoTokenizer (tested in tests/tokens/test_hf_tokenizer.py).
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import sentencepiece

from scripts.common.files import read_json, read_text

MADE_BY = "units_made_by.txt"  # fingerprint of the k-means that made the units
MODEL = "sentencepiece.model"
SYMBOLS = "symbols.tsv"  # symbol, tab, its character in the SentencePiece model
UNKNOWN, BOS, EOS = 0, 1, 2
UNKNOWN_SYMBOL = "\ufffd"  # character of a symbol that the training data lacks

Encoder = Callable[[Sequence[str]], list[int]]
SpanEncoder = Callable[[Sequence[str]], list[tuple[int, int]]]


def read_characters(folder: Path) -> dict[str, str]:
    """Symbol -> private character; empty for text, whose symbols are characters."""
    if not (folder / SYMBOLS).exists():
        return {}
    lines = read_text(folder / SYMBOLS).splitlines()
    return dict(line.split("\t") for line in lines)  # type: ignore[misc]


def load(folder: str | Path) -> Encoder:
    """The function from symbols to ids, without <s> and </s>, of a tokenizer folder.

    SentencePiece encodes a run of unknown characters as one <unk>; with one id per symbol each unknown symbol is one
    <unk>.

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
    return lambda symbols: model.encode("".join(characters.get(symbol, UNKNOWN_SYMBOL) for symbol in symbols))


def load_spans(folder: str | Path) -> SpanEncoder:
    """The function from symbols to the span [begin, end) of symbols of each token, in the order of `load`'s ids.

    The span of the space that SentencePiece adds before a text may be empty.

    Raises:
        FileNotFoundError: naming the file, if the folder holds no tokenizer.
        ValueError: naming the file, if it is no tokenizer.
    """
    folder = Path(folder)
    if not (folder / MODEL).exists():
        load(folder)  # a damaged folder must not pass for a tokenizer of one id per symbol
        return lambda symbols: [(index, index + 1) for index in range(len(symbols))]
    model = sentencepiece.SentencePieceProcessor(model_file=str(folder / MODEL))
    characters = read_characters(folder)

    def spans(symbols: Sequence[str]) -> list[tuple[int, int]]:
        text = "".join(characters.get(symbol, UNKNOWN_SYMBOL) for symbol in symbols) if characters else "".join(symbols)
        return model.encode(text, out_type="offset_mapping")["offsets"]

    return spans
