"""Praat's TextGrid: interval tiers `words` and `phones`; written in the long form, read in both.

Praat ignores everything but quoted strings, free-standing numbers and flags in angle brackets; these are the same in
the long and the short form. Source: Praat manual, "TextGrid file formats".
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.common.files import atomic_path
from scripts.common.stand_ins import check_kind
from scripts.common.steady_file import read_bytes

UTF16 = (b"\xff\xfe", b"\xfe\xff")  # byte-order marks
Interval = tuple[float, float, str]  # start, end in seconds, symbol
TOKEN = re.compile(r'"(?:[^"]|"")*"|<\w+>|(?<!\S)[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?!\S)')


def write(path: str | Path, end: float, tiers: Mapping[str, Sequence[Interval]]) -> None:
    """Write tiers that each cover 0 to `end` without gaps."""
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {end:.6f}"]
    lines += ["tiers? <exists>", f"size = {len(tiers)}", "item []:"]
    for number, (name, intervals) in enumerate(tiers.items(), start=1):
        lines += [f"    item [{number}]:", '        class = "IntervalTier"', f'        name = "{name}"']
        lines += ["        xmin = 0", f"        xmax = {end:.6f}", f"        intervals: size = {len(intervals)}"]
        for index, (start, stop, symbol) in enumerate(intervals, start=1):
            text = symbol.replace('"', '""')
            lines += [f"        intervals [{index}]:", f"            xmin = {start:.6f}"]
            lines += [f"            xmax = {stop:.6f}", f'            text = "{text}"']
    with atomic_path(path) as aside:
        aside.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read(path: str | Path) -> dict[str, list[Interval]]:
    """Interval tiers by name, without point tiers.

    Raises:
        ValueError: naming the file, if it is not a TextGrid or is truncated.
        OSError: it cannot be opened or read (see steady_file.py).
    """
    raw = read_bytes(path)
    if raw[:2] not in UTF16:
        check_kind(path)
    try:  # Praat writes UTF-16 if a text is not ASCII
        text = raw.decode("utf-16" if raw[:2] in UTF16 else "utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path}: neither UTF-8 nor UTF-16 text") from None
    tokens = TOKEN.findall(text)
    if tokens[1:2] != ['"TextGrid"']:
        raise ValueError(f"{path}: not a TextGrid; expected 'Object class = \"TextGrid\"' in its second line")
    position = 5  # after type, class, xmin, xmax, <exists>

    def next_token() -> str:
        nonlocal position
        position += 1
        token = tokens[position - 1]
        return token[1:-1].replace('""', '"') if token.startswith('"') else token

    tiers: dict[str, list[Interval]] = {}
    try:
        for _ in range(int(next_token())):
            tier_class, name = next_token(), next_token()
            position += 2  # the tier's xmin and xmax
            size = int(next_token())
            if tier_class == "IntervalTier":
                tiers[name] = [(float(next_token()), float(next_token()), next_token()) for _ in range(size)]
            else:
                position += 2 * size
    except (IndexError, ValueError):
        raise ValueError(f"{path}: damaged or truncated TextGrid") from None
    return tiers
