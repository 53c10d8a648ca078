"""The tokenizer of a training, and a fingerprint of its tokens."""

from hashlib import blake2b
from pathlib import Path

from tokenizers import Tokenizer

from scripts.common.ragged import Ragged, index_path

BOS, EOS = "<s>", "</s>"


def read_tokenizer(folder: Path) -> tuple[int, int, int]:
    """(vocabulary size, BOS id, EOS id) of a tokenizer folder; ValueError if it has no such tokens."""
    path = folder / "tokenizer.json"
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception
        raise ValueError(f"{path}: not a tokenizer ({error})") from None
    bos, eos = tokenizer.token_to_id(BOS), tokenizer.token_to_id(EOS)
    if bos is None or eos is None:
        raise ValueError(f"{path}: no token {BOS if bos is None else EOS}; a tokenizer needs {BOS} and {EOS}")
    return max(tokenizer.get_vocab().values()) + 1, bos, eos


def fingerprint(path: Path, tokens: Ragged) -> str:
    """A digest of a split's tokens: the one that packing wrote, or else a hash of both files."""
    if tokens.record is not None:
        return tokens.record.digest
    digest = blake2b(digest_size=8)
    for file in (path, index_path(path)):
        with open(file, "rb") as content:
            while block := content.read(2**22):
                digest.update(block)
    return digest.hexdigest()
