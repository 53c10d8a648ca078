"""The shares of a corpus that a step dropped, held to corpus.max_missing_audio and corpus.max_dropped.

Lost audio is that of every reason in AUDIO; all other reasons are filters of content together, save those in PLACED,
under which nothing is lost: the cut is in another split, or the file is read under another name.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping

from scripts.common.cuts import Cut
from scripts.corpus.config import Limits
from scripts.corpus.drops import Drops

AUDIO = ("audio-missing", "audio-damaged", "audio-too-short", "no-audio")
PLACED = ("in-train", "same-file")


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
        named = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
        print(f"{where}: {share}: {named}; corpus.{key} allows {_percent(limit)}", file=sys.stderr)
        if number / total > limit:
            worst = max(reasons, key=lambda reason: reasons[reason])
            example = f", e.g. {examples[worst]}" if worst in examples else ""
            raise ValueError(
                f"{where}: {share}: {named}{example}; corpus.{key} allows {_percent(limit)}: {remedy}, or raise it"
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
