"""A figure as a part of an HTML page, which then needs no other file."""

import html
import tempfile
from collections.abc import Callable
from pathlib import Path


def inline_figure(draw: Callable[[Path, list[str]], None], name: str, label: str, caption: str) -> str:
    """A <figure> with the SVG that `draw(prefix, formats)` writes; `name` is put before its ids, unique on a page."""
    with tempfile.TemporaryDirectory() as folder:
        draw(Path(folder) / "figure", ["svg"])
        svg = (Path(folder) / "figure.svg").read_text(encoding="utf-8")
    svg = svg[svg.index("<svg") :]
    for before in (' id="', 'href="#', "url(#"):
        svg = svg.replace(before, f"{before}{name}-")
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{html.escape(label)}" ', 1)
    return f'<figure><div class="scroll">{svg}</div>\n<figcaption>{html.escape(caption)}</figcaption></figure>\n'
