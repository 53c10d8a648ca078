"""The order in which the strata of a task take turns, and what is said if one of them runs out of pairs."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

Couple = TypeVar("Couple")


def turns(shares: Mapping[str, float], count: int) -> Iterator[str]:
    """`count` names, each as often as its share says: the next is the one that lags most behind.

    The first n of a longer list are the list of n.
    """
    total, given = sum(shares.values()), Counter[str]()
    for number in range(1, count + 1):
        name = max(shares, key=lambda name: shares[name] * number / total - given[name])
        given[name] += 1
        yield name


def draw_couples(
    task: str, pairs: int, shares: Mapping[str, float], draw: Callable[[str], Couple | None]
) -> list[tuple[str, Couple]]:
    """(stratum, couple) for `pairs` / 2 couples.

    Args:
        task: name of the task.
        pairs: its pairs, two of each couple.
        shares: relative number of couples by stratum.
        draw: a new couple of a stratum, or None if there is none.

    Raises:
        ValueError: naming the key, the stratum and the most pairs that can be drawn, if a stratum runs out.
    """
    drawn: list[tuple[str, Couple]] = []
    for stratum in turns(shares, pairs // 2):
        couple = draw(stratum)
        if couple is None:
            found = sum(name == stratum for name, _ in drawn)
            raise ValueError(
                f"corpus.world.tasks.{task}.pairs is {pairs}: the world gives only {found} couples of the stratum"
                f" {stratum}; at most {2 * len(drawn)} pairs can be drawn"
            )
        drawn.append((stratum, couple))
    return drawn
