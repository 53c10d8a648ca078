"""One seed for the whole experiment, and as many independent streams as there are choices.

A stream is named by what it is for, so adding a random choice somewhere never shifts another.
"""

import hashlib

import numpy as np


def derive(seed: int, *names: object) -> int:
    """A 63-bit seed that is a function of `seed` and the names alone (stable across machines)."""
    text = "/".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1


def generator(seed: int, *names: object) -> np.random.Generator:
    """A numpy generator for the stream of this name."""
    return np.random.default_rng(derive(seed, *names))
