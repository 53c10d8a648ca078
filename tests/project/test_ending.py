"""What is said at the end of a run."""

import os
from pathlib import Path

import pytest

from scripts.common.files import write_csv
from scripts.project.ending import ending


def test_pages_and_drops_of_this_run(tmp_path: Path):
    assert ending(tmp_path, 0) == []
    (tmp_path / "demo").mkdir()
    for page, written in (("demo/index.html", 100.0), ("report.html", 300.0)):
        (tmp_path / page).touch()
        os.utime(tmp_path / page, (written, written))
    assert ending(tmp_path, 200.0) == [f"report: {tmp_path}/report.html"]
    assert ending(tmp_path, 100.0) == [f"demo: {tmp_path}/demo/index.html", f"report: {tmp_path}/report.html"]


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ([("corpus", 3), ("corpus", 1200), ("evaluation", 4)], "1,203 in corpus, 4 in evaluation"),
        ([], "nothing"),
    ],
)
def test_drops_by_stage(tmp_path: Path, counts: list[tuple[str, int]], said: str):
    rows = [{"stage": stage, "count": count} for stage, count in counts]
    write_csv(tmp_path / "report/tables/dropped.csv", ("stage", "count"), rows)
    (line,) = ending(tmp_path, 0)
    assert line == f"dropped: {said} ({tmp_path}/report/tables/dropped.html has the reasons)"
