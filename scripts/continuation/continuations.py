"""What is passed from step to step: one line per continuation.

`{id, prompt, seed, stop, tokens, symbols}`: `stop` says why it ended (`eos`, `limit`, or `real` for what was
really said), `symbols` is its text, or the names of its phones or units between spaces.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

Item = dict[str, Any]


def load_tokenizer(folder: str | Path) -> Tokenizer:
    """A tokenizer folder's tokenizer; ValueError naming the folder if it holds none."""
    path = Path(folder) / "tokenizer.json"
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file; expected a folder with a tokenizer")
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception
        raise ValueError(f"{path}: not a tokenizer ({error})") from None


def item(prompt: str, seed: int | str, stop: str, tokens: Iterable[int], tokenizer: Tokenizer) -> Item:
    """A line; special tokens leave no symbols."""
    ids = [int(token) for token in tokens]
    return {
        "id": f"{prompt}-{seed}",
        "prompt": prompt,
        "seed": seed,
        "stop": stop,
        "tokens": ids,
        "symbols": tokenizer.decode(ids, skip_special_tokens=True),
    }
