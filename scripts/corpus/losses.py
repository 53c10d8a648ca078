"""The shares of a corpus that were dropped, held to corpus.max_missing_audio, max_dropped and max_dropped_items.

Lost audio is that of every reason in AUDIO; all other reasons are filters of content together, save those in PLACED,
under which nothing is lost: the cut is in another split, or the file is read under another name.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from scripts.common.cuts import Cut
from scripts.common.files import csv_rows
from scripts.corpus.config import Limits
from scripts.corpus.drops import COLUMNS, Drops, format_counts

AUDIO = ("audio-missing", "audio-damaged", "audio-too-short", "no-audio")
PLACED = ("in-train", "same-file")


class Losses(NamedTuple):
    """Dropped by reason, and "id: detail" of the first drop of each reason."""

    counts: Counter[str]
    examples: dict[str, str]

    @classmethod
    def read(cls, paths: Iterable[str | Path]) -> "Losses":
        """The losses in several tables of dropped cuts or items, read row by row: they may be large."""
        losses = cls(Counter(), {})
        for path in paths:
            for row in csv_rows(path, COLUMNS):
                losses.counts[row["reason"]] += 1
                losses.examples.setdefault(row["reason"], f"{row['id']}: {row['detail']}")
        return losses


def hold_to_limits(
    where: str, counts: Mapping[str, int], kept: int, limits: Limits, examples: Mapping[str, str], unit: str = "cuts"
) -> None:
    """Print the dropped shares of a step; an error if one is above its limit.

    Args:
        where: what was read, for messages.
        counts: dropped by reason.
        kept: how many were not dropped.
        limits: the shares allowed.
        examples: "id: detail" of one drop per reason, as far as known.
        unit: what is counted.

    Raises:
        ValueError: naming the share, its reasons, an example and the key to raise.
    """
    lost = {reason: count for reason, count in counts.items() if reason not in PLACED and count}
    total = kept + sum(lost.values())
    audio = {reason: count for reason, count in lost.items() if reason in AUDIO}
    content = {reason: count for reason, count in lost.items() if reason not in AUDIO}
    groups = (
        ("without usable audio", audio, "max_missing_audio", limits.max_missing_audio, "complete or mend the audio"),
        ("dropped for their content", content, "max_dropped", limits.max_dropped, "mend them, or the filters"),
    )
    for what, reasons, key, limit, remedy in groups:
        if not reasons:
            continue
        number = sum(reasons.values())
        share = f"{number:,} of {total:,} {unit} ({_percent(number / total)}) are {what}"
        named = format_counts(Counter(reasons))
        print(f"{where}: {share}: {named}; corpus.{key} allows {_percent(limit)}", file=sys.stderr)
        if number / total > limit:
            worst = max(reasons, key=lambda reason: reasons[reason])
            example = f", e.g. {examples[worst]}" if worst in examples else ""
            raise ValueError(
                f"{where}: {share}: {named}{example}; corpus.{key} allows {_percent(limit)}: {remedy}, or raise it"
            )


def hold_items(task: str, lost: Losses, total: int, limit: float) -> None:
    """Print the share of a task's items that corpus and alignment dropped; an error if it is above the limit.

    Args:
        task: the task's name.
        lost: items dropped by both.
        total: items that there were before either dropped any.
        limit: the share allowed, corpus.max_dropped_items.

    Raises:
        ValueError: naming the share, its reasons, an example of the most frequent one and the key to raise.
    """
    number = lost.counts.total()
    if not number:
        return
    share = f"{number:,} of {total:,} items ({_percent(number / total)}) are dropped: {format_counts(lost.counts)}"
    where = f"task {task}, corpus and alignment together"
    allows = f"corpus.max_dropped_items allows {_percent(limit)}"
    print(f"{where}: {share}; {allows}", file=sys.stderr)
    if number / total > limit:
        worst, _ = lost.counts.most_common(1)[0]
        raise ValueError(
            f"{where}: {share}, e.g. {lost.examples[worst]}; {allows}: mend the items or what dropped them"
            " (docs/alignment.md), or raise it"
        )


def held(cuts: Iterable[Cut], where: str, drops: Drops, limits: Limits, unit: str) -> Iterator[Cut]:
    """The cuts; after the last one `hold_to_limits`, whose ValueError ends the step if too many were dropped."""
    kept = 0
    for cut in cuts:
        kept += 1
        yield cut
    hold_to_limits(where, drops.counts, kept, limits, drops.examples, unit)


def _percent(share: float) -> str:
    """A share with enough digits to tell it from the limit, e.g. "1.03%"."""
    return f"{100 * share:.4g}%"
