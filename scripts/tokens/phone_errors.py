"""Replace phones by others: substitution errors that are alike for all phones, or those that units make.

The draws depend on the seed, the cut and the place in it alone: the errors of a small share are among those of a larger
one, every modality has them at the same phones, and what begins alike has the same errors as long as it is alike.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from scripts.tokens.aligned import SILENCE


def substitute(phones: np.ndarray, share: float, inventory: Sequence[str], rng: np.random.Generator) -> np.ndarray:
    """Replace each phone but SIL with probability `share` by another of the inventory but SIL, all equally likely.

    Args:
        phones: str [N].
        share: of phones that are replaced.
        inventory: at least two phones besides SIL.
        rng: two numbers per phone are drawn from it.

    Raises:
        ValueError: if the inventory has fewer phones.
    """
    others = np.array(sorted(set(inventory) - {SILENCE}), dtype=np.str_)
    if len(others) < 2:
        raise ValueError(f"noise needs two phones to take one for another; train has {len(others)}")
    uniform = rng.random((len(phones), 2))
    replaced = (uniform[:, 0] < share) & (phones != SILENCE)  # [N]
    own = np.searchsorted(others, phones)
    known = others[np.minimum(own, len(others) - 1)] == phones
    # One of the others, whose places are those below and above the phone's own.
    drawn = (uniform[:, 1] * (len(others) - known)).astype(np.int64)
    drawn += known & (drawn >= own)
    return np.where(replaced, others[drawn], phones)


def confuse(
    phones: np.ndarray, confusion: Mapping[str, tuple[np.ndarray, np.ndarray]], rng: np.random.Generator
) -> np.ndarray:
    """Replace each phone, SIL included, by one drawn from its row of a confusion matrix.

    Args:
        phones: str [N]; one without a row stays.
        confusion: phone -> (phones str [M], their probabilities float64 [M]).
        rng: a number per phone is drawn from it.
    """
    drawn = rng.random(len(phones))
    result = phones.astype(object)
    for phone in np.unique(phones):
        if phone in confusion:
            names, probabilities = confusion[phone]
            at = phones == phone
            chosen = np.searchsorted(np.cumsum(probabilities), drawn[at], side="right")
            result[at] = names[np.minimum(chosen, len(names) - 1)]
    return result.astype(np.str_)
