"""What items share with train, counted side by side."""

from pathlib import Path

from scripts.common.files import read_csv, write_jsonl
from scripts.corpus import overlap
from scripts.corpus.overlap import WORDS, count_shared
from tests.factories.cuts import make_cut

LONG = "one two three four five six seven eight nine"


def item(name: str, positive: str, negative: str, **fields: object) -> dict:
    sides = {side: make_cut(f"{name}-{side}", text=text, **fields) for side, text in
             (("positive", positive), ("negative", negative))}  # fmt: skip
    return {"id": name, "task": "t", "subset": "all", "group": "all", **sides}


def counted(items: list[dict], train: list[dict]) -> dict[str, tuple[object, object]]:
    return {str(row["kind"]): (row["shared"], row["compared"]) for row in count_shared({"t": items}, train)}


def test_whole_texts_and_eight_words_in_a_row_are_found_and_fewer_are_not():
    assert WORDS == 8
    items = [item("a", "The cat sat.", "The cat ran."), item("b", LONG, f"{LONG} ten eleven")]
    train = [
        make_cut("x", text="the CAT, sat", speaker="other"),
        make_cut("y", text=f"zero {LONG}", speaker="other"),
        make_cut("z", text="ran one two three four five six seven cat", speaker="other"),
    ]
    assert counted(items, train) == {"speaker": (0, 4), "text": (1, 4), "words": (2, 2)}
    assert counted(items, train[2:]) == {"speaker": (0, 4), "text": (0, 4), "words": (0, 2)}


def test_speakers_and_books_are_compared_where_they_are_known():
    items = [item("a", "Yes.", "No.", speaker="7", custom={"text_path": "emma"}), item("b", "Yes.", "No.", speaker="8")]
    train = [make_cut("x", text="Oh.", speaker="7"), make_cut("y", text="Oh.", custom={"text_path": "emma"})]
    assert counted(items, train) == {"speaker": (2, 4), "book": (2, 2), "text": (0, 4)}
    unknown = [item("a", "Yes.", "No.", speaker="unknown")]
    assert counted(unknown, [make_cut("x", text="Oh.", speaker="unknown")]) == {"text": (0, 2)}


def test_the_step_names_an_example(run_step, tmp_path: Path):
    write_jsonl(tmp_path / "items.jsonl.gz", [item("a", LONG, "No.", speaker="7")])
    write_jsonl(tmp_path / "train.jsonl.gz", [make_cut("x", text=f"{LONG} ten", speaker="9")])
    run_step(
        overlap.main,
        *("--train", tmp_path / "train.jsonl.gz", "--tasks", "t", "--items", tmp_path / "items.jsonl.gz"),
        *("--out", tmp_path / "overlap.csv"),
    )
    assert read_csv(tmp_path / "overlap.csv") == [
        {"task": "t", "kind": "speaker", "compared": "2", "shared": "0", "example": ""},
        {"task": "t", "kind": "text", "compared": "2", "shared": "0", "example": ""},
        {"task": "t", "kind": "words", "compared": "1", "shared": "1", "example": "a-positive and x of train"},
    ]
