"""The merged table of dropped cuts."""

from scripts.alignment.align import DROPPED_COLUMNS
from scripts.common.files import read_csv, write_csv, write_jsonl
from scripts.corpus.config import Limits
from tests.factories.settings import settings
from tests.factories.steps import step


def row(split, name, reason):
    return {"split": split, "id": name, "reason": reason, "detail": ""}


def test_tables_are_joined_and_an_empty_split_is_an_error(tmp_path):
    write_csv(tmp_path / "0.csv", DROPPED_COLUMNS, [row("train", "a", "oov")])
    write_csv(tmp_path / "1.csv", DROPPED_COLUMNS, [row("dev", "b", "oov"), row("dev", "c", "too-short")])
    write_jsonl(tmp_path / "full.jsonl.gz", [{"id": "x"}])
    write_jsonl(tmp_path / "empty.jsonl.gz", [])
    common = ("--limits", settings(Limits, "corpus"),
              "--dropped", tmp_path / "0.csv", tmp_path / "1.csv", "--out", tmp_path / "dropped.csv", "--aligned",
              f"train={tmp_path / 'full.jsonl.gz'}", f"train={tmp_path / 'empty.jsonl.gz'}")  # fmt: skip
    stderr = step("scripts.alignment.merge_dropped", *common, f"dev={tmp_path / 'empty.jsonl.gz'}", ok=False)
    assert "no cut of 'dev' is left after alignment; the most frequent reason is oov (1)" in stderr
    assert not (tmp_path / "dropped.csv").exists()
    step("scripts.alignment.merge_dropped", *common, f"dev={tmp_path / 'full.jsonl.gz'}")
    assert [r["id"] for r in read_csv(tmp_path / "dropped.csv")] == ["a", "b", "c"]


def test_what_a_split_lost_is_held_to_the_corpus_limits(tmp_path):
    cuts = [{"id": f"c{number}"} for number in range(96)]
    write_jsonl(tmp_path / "0.jsonl.gz", cuts[:50])
    write_jsonl(tmp_path / "1.jsonl.gz", cuts[50:])
    files = [f"{name}={tmp_path / f'{n}.jsonl.gz'}" for name in ("train", "mine") for n in (0, 1)]
    lost = [row("train", "a", "oov"), row("train", "b", "audio-damaged"), row("train", "c", "audio-too-short")]
    write_csv(tmp_path / "0.csv", DROPPED_COLUMNS, [*lost, *(row("mine", str(n), "oov") for n in range(900))])

    def merge(ok: bool, **limits: float) -> str:
        return step("scripts.alignment.merge_dropped", "--dropped", tmp_path / "0.csv", "--out", tmp_path / "out.csv",
                    "--splits", "train", "dev", "--limits", settings(Limits, "corpus", **limits),
                    "--aligned", *files, ok=ok)  # fmt: skip

    says = "error: alignment/dropped train: 2 of 99 cuts (2.02%) are without usable audio: 1 audio-damaged, 1 audio-too"
    assert says in merge(ok=False)
    assert "corpus.max_dropped allows 1%" in merge(ok=False, max_missing_audio=0.03, max_dropped=0.01)
    assert "1 of 99 cuts (1.01%) are dropped for their content: 1 oov" in merge(ok=True, max_missing_audio=0.03)
