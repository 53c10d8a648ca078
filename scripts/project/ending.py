"""What is said at the end of a run: where its results are, and what was dropped on the way."""

from collections import Counter
from pathlib import Path

from scripts.common.files import csv_rows

PAGES = {
    "demo": "demo/index.html",
    "compare": "compare/index.html",
    "publish": "publish/README.md",
    "summary": "report/summary.html",
    "report": "report.html",
}
DROPPED = "report/tables/dropped"


def ending(results: Path, since: float) -> list[str]:
    """Lines about an experiment's folder.

    Args:
        results: the folder.
        since: when the run began, in seconds since the epoch; pages made before are left out.

    Raises:
        ValueError: names the table of drops, if it is damaged.
    """
    made = {name: results / page for name, page in PAGES.items()}
    lines = [f"{name}: {page}" for name, page in made.items() if _changed(page, since)]
    table = results / f"{DROPPED}.csv"
    if _changed(table, since):
        lines.append(f"dropped: {dropped(table)} ({table.with_suffix('.html')} has the reasons)")
    return lines


def dropped(table: Path) -> str:
    """Cuts and items by stage, as the report's table counts them."""
    counts: Counter[str] = Counter()
    for row in csv_rows(table, ("stage", "count")):
        counts[row["stage"]] += int(row["count"])
    return ", ".join(f"{count:,} in {stage}" for stage, count in counts.items()) or "nothing"


def _changed(path: Path, since: float) -> bool:
    return path.is_file() and path.stat().st_mtime >= since
