"""Pages as a browser lays them out."""

import html
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no chromium or chrome on this machine to show the page in")

PROBE = """<script>addEventListener('load', () => setTimeout(() => {
  const sizes = [...document.querySelectorAll('iframe')].map(frame => {
    const page = frame.contentDocument;
    const wide = [...page.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth);
    wide.forEach(e => { e.scrollLeft = 1000; });
    return {width: frame.contentWindow.innerWidth, page: page.documentElement.scrollWidth,
      boxes: Math.max(...[...page.querySelectorAll('.scroll')].map(e => e.getBoundingClientRect().right)),
      scrolled: wide.length, drawn: page.querySelectorAll('svg path').length,
      left: wide.filter(e => e.querySelector('tbody')).map(e =>
        e.querySelector('tbody td').getBoundingClientRect().left - e.getBoundingClientRect().left)};
  });
  document.body.textContent = 'FOUND' + JSON.stringify(sizes) + 'END';
}, 500));</script>"""


def laid_out(page: str, widths: tuple[int, int], folder: Path) -> list[dict[str, Any]]:
    """What the page looks like in windows of these widths; it must fit, and first columns must stay when tables scroll.

    Returns:
        Of each width: `scrolled`, the number of tables wider than their box, and `left`, the shifts of their first
        columns after scrolling, in pixels.
    """
    escaped = html.escape(page)
    frames = "".join(f'<iframe srcdoc="{escaped}" style="width:{w}px;height:800px;border:0"></iframe>' for w in widths)
    (folder / "frames.html").write_text(f"<body>{frames}{PROBE}</body>")
    shown = subprocess.run(
        [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}",
         "--virtual-time-budget=5000", "--dump-dom", (folder / "frames.html").as_uri()],
        check=True, capture_output=True, text=True, timeout=120,
    ).stdout  # fmt: skip
    sizes = json.loads(html.unescape(shown[shown.index("FOUND") + 5 : shown.rindex("END")]))
    for found, width in zip(sizes, widths, strict=True):
        assert found["width"] == width
        assert found["page"] <= width
        assert found["boxes"] <= width
        assert found["drawn"] > 50
        assert all(abs(left) <= 1 for left in found["left"]), "the first column stays where it is"
    return sizes
