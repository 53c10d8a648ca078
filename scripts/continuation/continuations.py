"""The format of continuations between steps: one JSON line each.

`{id, prompt, seed, stop, tokens, symbols}`: `stop` is the reason of its end (`eos`, `limit`, or `real` for a real
continuation), `symbols` its text, or the names of its phones or units separated by spaces.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

Continuation = dict[str, Any]


def load_tokenizer(folder: str | Path) -> Tokenizer:
    """The tokenizer of a folder; FileNotFoundError or ValueError names the file if it is missing or damaged."""
    path = Path(folder) / "tokenizer.json"
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file; expected a folder with a tokenizer")
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception
        raise ValueError(f"{path}: not a tokenizer ({error})") from None


def continuation_line(
    prompt: str, seed: int | str, stop: str, tokens: Iterable[int], tokenizer: Tokenizer
) -> Continuation:
    """The line of a continuation; special tokens have no symbols."""
    ids = [int(token) for token in tokens]
    return {
        "id": f"{prompt}-{seed}",
        "prompt": prompt,
        "seed": seed,
        "stop": stop,
        "tokens": ids,
        "symbols": tokenizer.decode(ids, skip_special_tokens=True),
    }
