"""Kaldi's CTM: one symbol a line, `id channel start duration symbol [score]`, seconds from the cut's start."""

from collections.abc import Container, Iterable
from math import isfinite
from pathlib import Path

from scripts.common.files import atomic_path, text_lines

Item = tuple[str, float, float]  # symbol, start, duration
Utterances = dict[str, list[Item]]


def write(path: str | Path, utterances: Iterable[tuple[str, Iterable[Item]]]) -> None:
    """Write utterances (id, items) in order."""
    with atomic_path(path) as aside, open(aside, "w", encoding="utf-8") as file:
        for name, items in utterances:
            file.writelines(f"{name} 1 {start:.4f} {duration:.4f} {symbol}\n" for symbol, start, duration in items)


def read(path: str | Path, ids: Container[str] | None = None, damaged: dict[str, str] | None = None) -> Utterances:
    """Items by utterance, in order of time; of the utterances `ids`, or of all.

    Args:
        path: the file.
        ids: utterances that are wanted; None for all.
        damaged: receives what is wrong with the first unreadable line of each utterance, by its first field; None
            makes such a line an error.

    Raises:
        ValueError: naming file and line, if a line is unreadable and `damaged` is None, or if every line is.
    """
    utterances: Utterances = {}
    problems: dict[str, str] = {}
    good = False
    for number, line in enumerate(text_lines(path), start=1):
        if not line.strip() or line.startswith(";;"):
            continue
        fields = line.split()
        try:
            item = _item(fields)
        except ValueError as error:
            problems.setdefault(fields[0], f"{path}:{number}: {error}")
            if damaged is None:
                break
            continue
        good = True
        if ids is None or fields[0] in ids:
            utterances.setdefault(fields[0], []).append(item)
    if problems and (damaged is None or not good):
        raise ValueError(next(iter(problems.values())))
    if damaged is not None:
        damaged |= problems
    return {name: sorted(items, key=lambda item: item[1]) for name, items in utterances.items()}


def _item(fields: list[str]) -> Item:
    """The item of a line's fields; ValueError if they are not those of a CTM or its times are not finite numbers."""
    if len(fields) not in (5, 6):
        raise ValueError(f"{len(fields)} fields; expected 'id channel start duration symbol' and perhaps a score")
    for field, what in ((fields[2], "a start"), (fields[3], "a duration"), *((each, "a score") for each in fields[5:])):
        try:
            finite = isfinite(float(field))
        except ValueError:
            finite = False
        if not finite:
            raise ValueError(f"{field!r} is not {what}; expected a number")
    return fields[4], float(fields[2]), float(fields[3])
