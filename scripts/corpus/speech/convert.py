"""What the steps share that convert files of other layouts to Lhotse cuts: their arguments, and what they report."""

import argparse
import sys
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

from scripts.common.audio_errors import ABSENT
from scripts.common.config import parse
from scripts.common.cuts import Cut
from scripts.common.files import text_lines, write_jsonl
from scripts.corpus.config import Limits
from scripts.corpus.drops import DropError, Drops, printable
from scripts.corpus.losses import held


def label(path: Path, root: Path) -> str:
    """A path below the audio root, readable though it may not be UTF-8."""
    return printable(path.relative_to(root).as_posix())


def read_own_text(path: Path) -> str:
    """All of a text that belongs to sound files.

    Raises:
        DropError: with reason `no-text`, if there is no such file (a link leads nowhere), or `text-damaged`, if it is
            not text.
        OSError: it cannot be read.
    """
    try:
        return "".join(text_lines(path))
    except ValueError as error:
        raise DropError("text-damaged", str(error)) from None
    except OSError as error:
        if error.errno not in ABSENT:
            raise
        raise DropError("no-text", f"{path} does not exist") from None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `convert`, and the audio root."""
    parser.add_argument("--audio-root", type=Path, required=True, help="folder that the cuts' paths are relative to")
    parser.add_argument("--out", type=Path, required=True, help="cuts, .jsonl.gz")
    parser.add_argument("--dropped", type=Path, required=True)
    parser.add_argument("--limits", required=True, help="JSON: shares that may be dropped")


def convert(
    args: argparse.Namespace, name: str, unit: str, cuts: Callable[[Drops], Iterator[Cut]], nothing: str
) -> None:
    """Write the cuts and what was dropped of them.

    Args:
        args: with `out`, `dropped` and `limits`.
        name: what is read, for the log.
        unit: what is counted, e.g. files.
        cuts: makes them, and records what cannot become one.
        nothing: the message if there is no cut.

    Raises:
        ValueError: there is no cut, or more was dropped than the limits allow.
    """
    limits = parse(Limits, args.limits, "corpus")
    with Drops.open(args.dropped) as drops:
        found = cuts(drops)
        first = next(found, None)
        if first is None:
            raise ValueError(f"{nothing}{f'; e.g. {drops.example}' if drops.example else ''}")
        count = write_jsonl(args.out, held(chain([first], found), name, drops, limits, unit))
    print(f"{name}: {count} {unit}, dropped: {drops.summary()}", file=sys.stderr)
