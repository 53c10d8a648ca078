"""Praat's TextGrid: interval tiers `words` and `phones`; written in the long form, read in both.

By Praat's own rule everything in the file is comment but strings in quotes, numbers that stand free, and flags
in angle brackets; what remains is the same in the long and the short form. Source: Praat manual, "TextGrid file
formats".
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.common.files import atomic_path

Interval = tuple[float, float, str]  # start, end in seconds, symbol
TOKEN = re.compile(r'"(?:[^"]|"")*"|<\w+>|(?<!\S)[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?!\S)')


def write(path: str | Path, end: float, tiers: Mapping[str, Sequence[Interval]]) -> None:
    """Write tiers that each cover 0 to `end` without gaps."""
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {end:.6f}"]
    lines += ["tiers? <exists>", f"size = {len(tiers)}", "item []:"]
    for number, (name, intervals) in enumerate(tiers.items(), start=1):
        lines += [f"    item [{number}]:", '        class = "IntervalTier"', f'        name = "{name}"']
        lines += ["        xmin = 0", f"        xmax = {end:.6f}", f"        intervals: size = {len(intervals)}"]
        for place, (first, last, symbol) in enumerate(intervals, start=1):
            text = symbol.replace('"', '""')
            lines += [f"        intervals [{place}]:", f"            xmin = {first:.6f}"]
            lines += [f"            xmax = {last:.6f}", f'            text = "{text}"']
    with atomic_path(path) as aside:
        aside.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read(path: str | Path) -> dict[str, list[Interval]]:
    """Interval tiers by name, point tiers left out.

    Raises:
        ValueError: naming the file, if it is no TextGrid or ends too early.
    """
    raw = Path(path).read_bytes()
    try:  # Praat itself writes UTF-16 where a text is not ASCII
        text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path}: neither UTF-8 nor UTF-16 text") from None
    tokens = TOKEN.findall(text)
    if tokens[1:2] != ['"TextGrid"']:
        raise ValueError(f"{path}: not a TextGrid; expected 'Object class = \"TextGrid\"' in its second line")
    place = 5  # after type, class, xmin, xmax, <exists>

    def take() -> str:
        nonlocal place
        place += 1
        token = tokens[place - 1]
        return token[1:-1].replace('""', '"') if token.startswith('"') else token

    tiers: dict[str, list[Interval]] = {}
    try:
        for _ in range(int(take())):
            kind, name = take(), take()
            place += 2  # the tier's own xmin and xmax
            size = int(take())
            if kind == "IntervalTier":
                tiers[name] = [(float(take()), float(take()), take()) for _ in range(size)]
            else:
                place += 2 * size
    except (IndexError, ValueError):
        raise ValueError(f"{path}: damaged or truncated TextGrid") from None
    return tiers
