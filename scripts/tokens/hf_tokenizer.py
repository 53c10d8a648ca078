"""Write tokenizers as folders that Hugging Face's AutoTokenizer loads.

The workflow trains and encodes with SentencePiece. This module converts a trained model to an equivalent
`tokenizer.json`, so that a published language model needs neither SentencePiece nor this project.
tests/tokens/test_hf_tokenizer.py compares the two.

Text is encoded as it is. Symbols are encoded by name, separated by spaces ("HH AH0 L OW1", "17 17 42"), and decoded to
the same form. Both are enclosed in <s> and </s>, as the sequences of the data are.

Method: SentencePiece's BPE merges the adjacent pair whose joint piece has the best score, leftmost first. A merge list
with every split of every piece, in order of score, gives the same merges.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

SPECIAL = ("<unk>", "<s>", "</s>")  # ids 0, 1, 2
SPACE = "\u2581"  # SentencePiece's symbol for a space


def bpe(pieces: Sequence[str]) -> models.BPE:
    """BPE model of SentencePiece's pieces: special tokens, then merged pieces by score, then characters."""
    ids = {piece: index for index, piece in enumerate(pieces)}
    merges = [
        (piece[:cut], piece[cut:])
        for piece in pieces[len(SPECIAL) :]
        for cut in range(1, len(piece))
        if piece[:cut] in ids and piece[cut:] in ids
    ]
    return models.BPE(vocab=ids, merges=merges, unk_token=SPECIAL[0], fuse_unk=True)


def from_text_pieces(pieces: Sequence[str], *, spaces: bool = True) -> Tokenizer:
    """Tokenizer of plain text, with SentencePiece's space symbol, and with its dummy prefix where there are spaces."""
    tokenizer = Tokenizer(bpe(pieces))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend(SPACE)] * spaces + [normalizers.Replace(" ", SPACE)]
    )
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace(SPACE, " "), decoders.Fuse(), decoders.Strip(" ", left=1, right=0)]
    )
    return _add_special_tokens(tokenizer)


def from_symbol_pieces(pieces: Sequence[str], characters: Mapping[str, str], *, spaces: bool = False) -> Tokenizer:
    """Tokenizer of symbols that were encoded as single characters for SentencePiece (symbol -> character).

    With `spaces` one of the characters is SentencePiece's space, and another one is put before the first symbol.
    """
    tokenizer = Tokenizer(bpe(pieces))
    tokenizer.normalizer = normalizers.Sequence(
        [
            # Match whole names only: not "AH" in "AH0", nor "1" in "17".
            *(
                normalizers.Replace(Regex(rf"(?<!\S){re.escape(symbol)}(?!\S)"), character)
                for symbol, character in characters.items()
            ),
            normalizers.Replace(Regex(r"\s+"), ""),
            *[normalizers.Prepend(SPACE)] * spaces,
        ]
    )
    tokenizer.decoder = decoders.Sequence(
        [
            *(decoders.Replace(character, f" {symbol}") for symbol, character in characters.items()),
            decoders.Fuse(),
            *[decoders.Replace(Regex(r"^ \|"), "")] * spaces,
            decoders.Strip(" ", left=1, right=0),
        ]
    )
    return _add_special_tokens(tokenizer)


def from_symbols(symbols: Sequence[str]) -> Tokenizer:
    """Tokenizer of symbols with one id each, in the given order."""
    vocab = {token: index for index, token in enumerate((*SPECIAL, *symbols))}
    tokenizer = Tokenizer(models.WordLevel(vocab, unk_token=SPECIAL[0]))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return _add_special_tokens(tokenizer)


def _add_special_tokens(tokenizer: Tokenizer) -> Tokenizer:
    tokenizer.add_special_tokens(list(SPECIAL))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> <s> $B </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    return tokenizer


def save(tokenizer: Tokenizer, folder: Path) -> None:
    """Write tokenizer.json and the configuration files of AutoTokenizer into an existing folder."""
    special = {"unk_token": SPECIAL[0], "bos_token": SPECIAL[1], "eos_token": SPECIAL[2]}
    tokenizer.save(str(folder / "tokenizer.json"))
    _write(folder / "special_tokens_map.json", special)
    _write(
        folder / "tokenizer_config.json",
        {
            **special,
            "tokenizer_class": "PreTrainedTokenizerFast",
            "clean_up_tokenization_spaces": False,
            "model_input_names": ["input_ids", "attention_mask"],
        },
    )


def _write(path: Path, content: Any) -> None:
    # Inside a folder that is itself written atomically.
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
