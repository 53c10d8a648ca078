"""The merged table of dropped cuts."""

from scripts.alignment.align import DROPPED_COLUMNS
from scripts.common.files import read_csv, write_csv, write_jsonl
from tests.factories.steps import step


def row(split, name, reason):
    return {"split": split, "id": name, "reason": reason, "detail": ""}


def test_tables_are_joined_and_an_empty_split_is_an_error(tmp_path):
    write_csv(tmp_path / "0.csv", DROPPED_COLUMNS, [row("train", "a", "oov")])
    write_csv(tmp_path / "1.csv", DROPPED_COLUMNS, [row("dev", "b", "oov"), row("dev", "c", "too-short")])
    write_jsonl(tmp_path / "full.jsonl.gz", [{"id": "x"}])
    write_jsonl(tmp_path / "empty.jsonl.gz", [])
    common = ("--dropped", tmp_path / "0.csv", tmp_path / "1.csv", "--out", tmp_path / "dropped.csv", "--aligned",
              f"train={tmp_path / 'full.jsonl.gz'}", f"train={tmp_path / 'empty.jsonl.gz'}")  # fmt: skip
    stderr = step("scripts.alignment.merge_dropped", *common, f"dev={tmp_path / 'empty.jsonl.gz'}", ok=False)
    assert "no cut of 'dev' is left after alignment; the most frequent reason is oov (1)" in stderr
    assert not (tmp_path / "dropped.csv").exists()
    step("scripts.alignment.merge_dropped", *common, f"dev={tmp_path / 'full.jsonl.gz'}")
    assert [r["id"] for r in read_csv(tmp_path / "dropped.csv")] == ["a", "b", "c"]
