"""Accuracy by level (exposures of a word, distance between two words), and the level at which it passes a criterion.

Two measures: `accuracy` of the items, and `couples`, the share of couples whose items' score differences
(positive minus highest negative side) add up to more than zero; a sum of zero counts a half. In a couple of mirrored
items every preference for a word or an ending cancels. A couple whose other half was dropped has no such sum and is not
counted.

Intervals resample couples within each level, the same ones for every modality, so that the levels at which two
modalities pass the criterion are compared on the same resamples (Wichmann & Hill 2001, Perception & Psychophysics 63,
1314-1329, for the bootstrap of thresholds). A level outside those that the task has is not extrapolated: the answer is
then "above the highest level" (inf) or "below the lowest one" (0).
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from scripts.common.seeds import generator
from scripts.evaluation.accuracy import normalise, pad_sides
from scripts.evaluation.psychometric import Fit, fit_rising, threshold
from scripts.evaluation.score_rows import MEASURES_OF, SEPARATOR, Row, num_sides, number_column

CRITERION = 0.75  # midway between chance of a pair and a perfect score
LEVELS_NEEDED = 3  # for a curve of three parameters
BLOCK = 4_000_000  # resampled weights in memory at a time


class Unit(NamedTuple):
    """An item or a couple: the couple that is resampled, its level, and whether it is right (a mean over voices)."""

    couple: str
    level: float
    right: float


class Levels(NamedTuple):
    """Sums by couple and level.

    Attributes:
        level: geometric mean of the units' levels, rising, [L].
        low, high: lowest and highest level of the units, [L].
        right: units that are right, by couple and level, [C, L].
        total: units, by couple and level, [C, L].
    """

    level: np.ndarray
    low: np.ndarray
    high: np.ndarray
    right: np.ndarray
    total: np.ndarray


class Estimate(NamedTuple):
    """A value with its 95% interval, the number of units, and what the table says where there is no number."""

    value: float
    ci_low: float
    ci_high: float
    n: int
    text: str = ""


def with_level(rows: Sequence[Row], column: str) -> list[Row]:
    """The rows whose item has a level above zero."""
    return [row for row in rows if row.get(column) and float(row[column]) > 0]


def item_units(rows: Sequence[Row], column: str) -> list[Unit]:
    """A unit per item, level and decision averaged over its voices, in the order of the ids."""
    return [
        Unit(item_rows[0]["couple"], _mean(item_rows, column), _mean(item_rows, "correct"))
        for _, item_rows in sorted(_by(rows, "id").items())
    ]


def couple_units(rows: Sequence[Row], column: str, score_normalization: str) -> list[Unit]:
    """A unit per couple of at least two items, in the order of the names; its level is the mean of its items'.

    A couple is decided once per voice that speaks all of its items.
    """
    if not rows:
        return []
    difference = dict(zip(map(id, rows), _differences(rows, score_normalization).tolist(), strict=True))
    units = []
    for name, couple_rows in sorted(_by(rows, "couple").items()):
        items = {row["id"] for row in couple_rows}
        spoken = [voice for voice in _by(couple_rows, "voice").values() if {row["id"] for row in voice} == items]
        if len(items) < 2 or not spoken:
            continue
        totals = np.array([sum(difference[id(row)] for row in voice) for voice in spoken])
        units.append(Unit(name, _mean(couple_rows, column), float(np.mean((totals > 0) + 0.5 * (totals == 0)))))
    return units


def _by(rows: Sequence[Row], column: str) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[column]].append(row)
    return groups


def _mean(rows: Sequence[Row], column: str) -> float:
    return float(number_column(rows, column).mean())


def _differences(rows: Sequence[Row], score_normalization: str) -> np.ndarray:
    """Normalized score of the positive side minus the highest of the negative sides, float64 [N]."""
    sides = {
        measure: pad_sides(
            [
                [float(row[f"{measure}_positive"]), *map(float, str(row[f"{measure}_negative"]).split(SEPARATOR))]
                for row in rows
            ]
        )
        for measure in MEASURES_OF[score_normalization]
    }
    *_, divisor = sides.values()  # of `total` the log-probability itself, which is not used as a divisor
    scores = normalise(sides["logprob"], divisor, divisor, score_normalization)
    return scores[:, 0] - np.nanmax(scores[:, 1:], axis=1)


def floor_of(rows: Sequence[Row]) -> float:
    """Accuracy of random decisions: the mean over rows of 1/k for k sides."""
    return float(np.mean(1 / num_sides(rows)))


def tabulate(units: Sequence[Unit], bin_of: Callable[[float], float] = lambda level: level) -> Levels:
    """Units by couple and level; `bin_of` gives the bin of a level, bins rise with the level."""
    bins, at = np.unique([bin_of(unit.level) for unit in units], return_inverse=True)
    names, couple = np.unique([unit.couple for unit in units], return_inverse=True)
    right, count = (np.zeros((len(names), len(bins))) for _ in range(2))
    np.add.at(right, (couple, at), [unit.right for unit in units])
    np.add.at(count, (couple, at), 1.0)
    levels = np.array([unit.level for unit in units])
    of_bin = [levels[at == index] for index in range(len(bins))]
    return Levels(
        np.array([float(np.exp2(np.log2(values).mean())) for values in of_bin]),
        np.array([values.min() for values in of_bin]),
        np.array([values.max() for values in of_bin]),
        right,
        count,
    )


def resample(table: Levels, samples: int, seed: int, *names: object) -> tuple[np.ndarray, np.ndarray]:
    """Sums of `right` and `count` over resampled couples, float64 [B, L] each.

    Couples are drawn with replacement among those that have most units in the same level.
    """
    rng = generator(seed, "evaluation", "levels", *names)
    both = np.concatenate([table.right, table.total], axis=1)
    main_level = table.total.argmax(axis=1)
    sums = np.zeros((samples, both.shape[1]))
    for level in np.unique(main_level):
        members = both[main_level == level]
        block = max(1, BLOCK // len(members))
        for start in range(0, samples, block):
            size = min(block, samples - start)
            weights = rng.multinomial(len(members), np.full(len(members), 1 / len(members)), size=size)
            sums[start : start + size] += weights @ members
    return sums[:, : len(table.level)], sums[:, len(table.level) :]


def percentiles(resampled: np.ndarray) -> tuple[float, float]:
    """The 2.5% and 97.5% quantiles of values that may be infinite: the next resample outside, never between two."""
    low = np.quantile(resampled, 0.025, method="lower")
    high = np.quantile(resampled, 0.975, method="higher")
    return float(low), float(high)


def shares(table: Levels, right: np.ndarray, count: np.ndarray) -> Iterator[Estimate]:
    """The share of right units at each level, given the resampled sums."""
    for level in range(len(table.level)):
        drawn = count[:, level] > 0
        low, high = percentiles(right[drawn, level] / count[drawn, level])
        total = table.total[:, level].sum()
        yield Estimate(float(table.right[:, level].sum() / total), low, high, int(total))


class Passing(NamedTuple):
    """The level at which a curve passes the criterion.

    Attributes:
        level: 0 below the lowest level, inf above the highest one.
        resampled: the same of the curve of each resample, [B].
        fit: the curve over log2(level), or -log2(level) if it falls.
        falls: whether it falls with the level.
    """

    level: float
    resampled: np.ndarray
    fit: Fit
    falls: bool


def why_no_curve(table: Levels) -> str:
    """The reason why no curve can be fitted; empty if one can."""
    levels = len(table.level)
    return f"{levels} level{'s' * (levels != 1)}; a curve needs {LEVELS_NEEDED}" if levels < LEVELS_NEEDED else ""


def passing(table: Levels, right: np.ndarray, count: np.ndarray, floor: float, *, falls: bool = False) -> Passing:
    """Where the fitted curve passes CRITERION: upwards, or if it `falls` with the level, downwards.

    The curve is fitted over the logarithm of the level (`psychometric.fit_rising`).
    """
    sign = -1 if falls else 1
    order = np.arange(len(table.level))[::sign]
    x = sign * np.log2(table.level)[order]
    right_sums, count_sums = (
        np.vstack([own.sum(axis=0), drawn])[:, order] for own, drawn in ((table.right, right), (table.total, count))
    )
    fit = fit_rising(x, right_sums, count_sums, floor)
    at = threshold(fit, floor, CRITERION)
    beyond, below = (0.0, np.inf) if falls else (np.inf, 0.0)
    level = np.where(at > x[-1], beyond, np.where(at < x[0], below, np.exp2(sign * np.clip(at, x[0], x[-1]))))
    return Passing(float(level[0]), level[1:], Fit(*(values[:1] for values in fit)), falls)


def ratio(new: Passing, base: Passing, lowest: float, highest: float) -> Estimate:
    """How many times the level of `base` is that of `new`; `n` is left 0.

    A level that is known only to lie outside [lowest, highest] bounds the ratio from one side. The value is nan where
    both are outside on the same side; a resample of which that is so counts as 0 for the lower end of the interval and
    as inf for the upper one.
    """
    low, high = _bounds(new.resampled, base.resampled, lowest, highest)
    ci_low, ci_high = percentiles(low)[0], percentiles(high)[1]
    least, most = (float(end) for end in _bounds(np.array(new.level), np.array(base.level), lowest, highest))
    if least == 0 and most == np.inf:
        return Estimate(np.nan, ci_low, ci_high, 0, "not measurable: both lie on the same side of the levels")
    value = least if least == most else most if most == np.inf else 0.0
    said = number(least) if least == most else f"> {number(least)}" if most == np.inf else f"< {number(most)}"
    return Estimate(value, ci_low, ci_high, 0, f"{said} [{number(ci_low)}, {number(ci_high)}]".replace("inf", "no end"))


def _bounds(new: np.ndarray, base: np.ndarray, lowest: float, highest: float) -> tuple[np.ndarray, np.ndarray]:
    """The least and the largest ratio new / base of levels, of which 0 and inf mean outside [lowest, highest]."""
    new_low, new_high = np.where(np.isinf(new), highest, new), np.where(new == 0, lowest, new)
    base_low, base_high = np.where(np.isinf(base), highest, base), np.where(base == 0, lowest, base)
    with np.errstate(divide="ignore"):
        return new_low / base_high, new_high / base_low


def number(value: float) -> str:
    """Two significant digits, three from 100 on, without an exponent: 0.41, 3.2, 31, 164."""
    return f"{float(f'{value:.{3 if value >= 100 else 2}g}'):,g}"


def parameters(found: Passing) -> dict[str, float]:
    """The curve's parameters by name: midpoint as a level, slope per doubling, lapse."""
    sign = -1 if found.falls else 1
    return {
        "midpoint": float(np.exp2(sign * found.fit.midpoint[0])),
        "slope": float(found.fit.slope[0]),
        "lapse": float(found.fit.lapse[0]),
    }


def rounded(estimate: Estimate) -> dict[str, Any]:
    """The columns value, ci_low, ci_high, n and text; blank where there is no value."""
    cells = {
        key: "" if np.isnan(value) else round(value, 6)
        for key, value in zip(("value", "ci_low", "ci_high"), estimate[:3], strict=True)
    }
    return {**cells, "n": estimate.n, "text": estimate.text}
