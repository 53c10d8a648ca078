"""Kaldi's CTM: one symbol a line, `id channel start duration symbol [score]`, seconds from the cut's start."""

from collections.abc import Container, Iterable
from pathlib import Path

from scripts.common.files import atomic_path, text_lines

Item = tuple[str, float, float]  # symbol, start, duration


def write(path: str | Path, utterances: Iterable[tuple[str, Iterable[Item]]]) -> None:
    """Write utterances (id, items) in order."""
    with atomic_path(path) as aside, open(aside, "w", encoding="utf-8") as file:
        for name, items in utterances:
            file.writelines(f"{name} 1 {start:.4f} {duration:.4f} {symbol}\n" for symbol, start, duration in items)


def read(path: str | Path, ids: Container[str] | None = None) -> dict[str, list[Item]]:
    """Items by utterance, in order of time; of the utterances `ids`, or of all.

    Raises:
        ValueError: naming file and line, if a line does not have five or six fields, or its times are not valid.
    """
    utterances: dict[str, list[Item]] = {}
    for number, line in enumerate(text_lines(path), start=1):
        if not line.strip() or line.startswith(";;"):
            continue
        fields = line.split()
        if len(fields) not in (5, 6):
            raise ValueError(f"{path}:{number}: {len(fields)} fields; expected 'id channel start duration symbol'")
        try:
            start, duration = float(fields[2]), float(fields[3])
        except ValueError:
            start = duration = float("nan")
        if not (0 <= start < float("inf") and 0 <= duration < float("inf")):
            raise ValueError(f"{path}:{number}: {fields[2]} and {fields[3]} are not a start and a duration in seconds")
        if ids is None or fields[0] in ids:
            utterances.setdefault(fields[0], []).append((fields[4], start, duration))
    return {name: sorted(items, key=lambda item: item[1]) for name, items in utterances.items()}
