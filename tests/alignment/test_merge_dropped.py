"""The merged table of dropped cuts, and the shares that it is held to: of a split, of the whole corpus, of a task."""

from pathlib import Path

from scripts.alignment.align import DROPPED_COLUMNS
from scripts.common.files import read_csv, write_csv, write_jsonl
from scripts.corpus.config import AllLimits
from scripts.corpus.drops import COLUMNS
from tests.factories.settings import settings
from tests.factories.steps import step


def row(split, name, reason):
    return {"split": split, "id": name, "reason": reason, "detail": ""}


def merge(folder: Path, *flags: object, ok: bool = True, before: list[tuple[str, str]] = (), **limits: float) -> str:
    """Run the step on folder/0.csv; `before` are the ids and reasons of what the corpus dropped of the splits."""
    write_csv(folder / "before.csv", COLUMNS, [{"id": name, "reason": reason} for name, reason in before])
    return step("scripts.alignment.merge_dropped", "--dropped", *sorted(folder.glob("[0-9].csv")),
                "--before", folder / "before.csv", "--limits", settings(AllLimits, "corpus", **limits),
                "--out", folder / "dropped.csv", *flags, ok=ok)  # fmt: skip


def test_tables_are_joined_and_an_empty_split_is_an_error(tmp_path):
    write_csv(tmp_path / "0.csv", DROPPED_COLUMNS, [row("train", "a", "oov")])
    write_csv(tmp_path / "1.csv", DROPPED_COLUMNS, [row("dev", "b", "oov"), row("dev", "c", "too-short")])
    write_jsonl(tmp_path / "full.jsonl.gz", [{"id": f"x{number}"} for number in range(9)])
    write_jsonl(tmp_path / "empty.jsonl.gz", [])
    train = ("--aligned", f"train={tmp_path / 'full.jsonl.gz'}", f"train={tmp_path / 'empty.jsonl.gz'}")
    stderr = merge(tmp_path, *train, f"dev={tmp_path / 'empty.jsonl.gz'}", ok=False)
    assert "no cut of 'dev' is left after alignment; the most frequent reason is oov (1)" in stderr
    assert not (tmp_path / "dropped.csv").exists()
    merge(tmp_path, *train, f"dev={tmp_path / 'full.jsonl.gz'}")
    assert [r["id"] for r in read_csv(tmp_path / "dropped.csv")] == ["a", "b", "c"]


def test_what_a_split_lost_is_held_to_the_corpus_limits(tmp_path):
    cuts = [{"id": f"c{number}"} for number in range(96)]
    write_jsonl(tmp_path / "0.jsonl.gz", cuts[:50])
    write_jsonl(tmp_path / "1.jsonl.gz", cuts[50:])
    files = ("--aligned", *(f"train={tmp_path / f'{number}.jsonl.gz'}" for number in (0, 1)))
    lost = [row("train", "a", "oov"), row("train", "b", "audio-damaged"), row("train", "c", "audio-too-short")]
    write_csv(tmp_path / "0.csv", DROPPED_COLUMNS, lost)
    says = "error: alignment/dropped train: 2 of 99 cuts (2.02%) are without usable audio: 1 audio-damaged, 1 audio-too"
    assert says in merge(tmp_path, *files, ok=False)
    few = merge(tmp_path, *files, ok=False, max_missing_audio=0.03, max_dropped=0.01)
    assert "corpus.max_dropped allows 1%" in few
    many = merge(tmp_path, *files, max_missing_audio=0.03)
    assert "alignment/dropped train: 1 of 99 cuts (1.01%) are dropped for their content: 1 oov" in many


def test_what_corpus_and_alignment_lost_together_is_held_to_the_limits(tmp_path):
    """Each is within its share, and both together are not."""
    write_jsonl(tmp_path / "train.jsonl.gz", [{"id": f"c{number}"} for number in range(75)])
    write_jsonl(tmp_path / "dev.jsonl.gz", [{"id": f"d{number}"} for number in range(5)])
    files = ("--aligned", f"train={tmp_path / 'train.jsonl.gz'}", f"dev={tmp_path / 'dev.jsonl.gz'}")
    write_csv(tmp_path / "0.csv", DROPPED_COLUMNS, [row("train", f"o{number}", "oov") for number in range(10)])
    before = [(f"b{number}", "characters") for number in range(12)] + [("p", "in-train")]
    says = "both splits: 22 of 102 cuts (21.57%) are dropped for their content: 12 characters, 10 oov, e.g. b0"
    assert f"error: corpus and alignment, {says}" in merge(tmp_path, *files, before=before, ok=False)
    assert not (tmp_path / "dropped.csv").exists()
    merge(tmp_path, *files, before=before[2:])
    assert len(read_csv(tmp_path / "dropped.csv")) == 10
    missing = [("m", "audio-missing"), ("n", "no-audio")]
    stderr = merge(tmp_path, *files, before=missing, ok=False)
    assert "both splits: 2 of 92 cuts (2.174%) are without usable audio: 1 audio-missing, 1 no-audio" in stderr


def item(number: int) -> dict:
    sides = {side: {"id": f"{side}-{number}"} for side in ("positive", "negative")}
    return {"id": str(number), **sides}


def test_what_corpus_and_alignment_lost_of_a_task_is_held_to_its_own_limit(tmp_path):
    """An item counts once, whichever of its sides was dropped, under the reason of the first."""
    write_jsonl(tmp_path / "whole.jsonl.gz", [item(number) for number in range(18)])
    write_jsonl(tmp_path / "left.jsonl.gz", [item(number) for number in range(3, 18)])
    write_jsonl(tmp_path / "train.jsonl.gz", [{"id": "x"}])
    lost = [row("t", "positive-0", "low-likelihood"), row("t", "negative-0", "too-short")]
    lost += [row("t", "negative-1", "low-likelihood"), row("t", "positive-2", "couple-incomplete")]
    write_csv(tmp_path / "0.csv", DROPPED_COLUMNS, lost)
    before = tmp_path / "before-t.csv"
    write_csv(before, COLUMNS, [{"id": "u", "reason": "digits"}, {"id": "v", "reason": "digits"}])
    files = ("--aligned", f"train={tmp_path / 'train.jsonl.gz'}", f"t={tmp_path / 'left.jsonl.gz'}",
             "--items", f"t={tmp_path / 'whole.jsonl.gz'}", "--items-before", f"t={before}")  # fmt: skip
    stderr = merge(tmp_path, *files, ok=False)
    says = "5 of 20 items (25%) are dropped: 1 couple-incomplete, 2 digits, 2 low-likelihood"
    assert f"error: task t, corpus and alignment together: {says}, e.g. " in stderr
    assert "corpus.max_dropped_items allows 20%: mend the items or what dropped them" in stderr
    assert not (tmp_path / "dropped.csv").exists()
    assert says in merge(tmp_path, *files, max_dropped_items=0.25)
