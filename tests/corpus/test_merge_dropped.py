"""The table of what the corpus left out, and the shares of the whole corpus that it is held to."""

from pathlib import Path

from scripts.common.files import read_csv, write_csv, write_jsonl
from scripts.corpus.config import Limits
from scripts.corpus.drops import COLUMNS
from tests.factories.settings import settings
from tests.factories.steps import step


def merge(folder: Path, *, ok: bool = True, **limits: float) -> str:
    return step("scripts.corpus.merge_dropped", "--parts", folder / "found.csv", folder / "train.csv",
                "--tasks", folder / "task.csv", "--cuts", folder / "train.jsonl.gz", folder / "dev.jsonl.gz",
                "--limits", settings(Limits, "corpus", **limits), "--out", folder / "dropped.csv", ok=ok)  # fmt: skip


def write(folder: Path, name: str, reason: str, count: int) -> None:
    rows = [{"id": f"{reason}-{number}", "reason": reason, "detail": "why"} for number in range(count)]
    write_csv(folder / f"{name}.csv", COLUMNS, rows)


def test_two_steps_within_the_limits_may_be_over_them_together(tmp_path):
    write_jsonl(tmp_path / "train.jsonl.gz", [{"id": f"c{number}"} for number in range(70)])
    write_jsonl(tmp_path / "dev.jsonl.gz", [{"id": f"d{number}"} for number in range(5)])
    write(tmp_path, "found", "no-text", 15)
    write(tmp_path, "train", "characters", 10)
    write(tmp_path, "task", "digits", 50)  # an item is no cut
    says = "corpus, both splits and all steps: 25 of 100 cuts (25%) are dropped for their content:"
    stderr = merge(tmp_path, ok=False)
    assert f"error: {says} 10 characters, 15 no-text, e.g. no-text-0: why; corpus.max_dropped allows 20%" in stderr
    assert not (tmp_path / "dropped.csv").exists()
    stderr = merge(tmp_path, max_dropped=0.25)
    assert says in stderr
    assert "corpus: 75 dropped: 10 characters, 50 digits, 15 no-text" in stderr
    assert len(read_csv(tmp_path / "dropped.csv")) == 75


def test_a_corpus_that_lost_nothing_is_not_counted(tmp_path):
    for name in ("found", "train", "task"):
        write(tmp_path, name, "none", 0)
    assert "corpus: 0 dropped" in merge(tmp_path)  # there are no cuts to read
