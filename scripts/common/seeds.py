"""Derive independent random streams from the experiment's seed.

A stream is named after its purpose, so a new random choice does not change the others.
"""

import hashlib

import numpy as np


def derive(seed: int, *names: object) -> int:
    """A 63-bit seed that is a function of `seed` and the names alone (stable across machines)."""
    text = "/".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1


def generator(seed: int, *names: object) -> np.random.Generator:
    """The numpy generator of the named stream."""
    return np.random.default_rng(derive(seed, *names))
