"""Pairs: equal prosody of both sides, one candidate kept, and length carries no information."""

from pathlib import Path

import numpy as np
import pytest

from scripts.common.audio import read
from scripts.common.cuts import pronunciations, read_cuts, speaker, spoken_text
from scripts.common.files import read_csv, read_jsonl, write_jsonl
from scripts.common.frames import frame_count
from scripts.corpus.world import speak_tasks
from scripts.corpus.world.balance import select_candidates, shorter_side_accuracy
from tests.corpus.world.scripts import LIMITS, flags, pair

PAIRS = [
    pair("s0", "dog", {"dagh": "D AE1 G", "dib": "D IH1 B", "doosh": "D UW1 SH"}),
    pair("s1", "girl", {"gurn": "G ER1 N", "gip": "G IH1 P"}, ("speaker-2", "speaker-3")),
    pair("s2", "water", {"wopper": "W AA1 P ER0"}),
    pair("s3", "ten", {"tem": "T EH1 M", "tet": "T EH1 T"}, ("speaker-0",)),
]


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, pairs: list[dict] = PAIRS, **more: object) -> Path:
    write_jsonl(folder / "script.jsonl.gz", pairs)
    paths = {
        "script": folder / "script.jsonl.gz",
        "audio": folder / "audio/tasks/swuggy",
        "source": "tasks/swuggy",
        "items": folder / "items.jsonl.gz",
        "dropped": folder / "dropped.csv",
    }
    monkeypatch.setattr("sys.argv", ["speak_tasks", *flags(**paths, **more)])
    speak_tasks.main()
    return folder


def test_items_hold_both_sides_in_every_voice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run(tmp_path, monkeypatch)
    items = list(read_jsonl(tmp_path / "items.jsonl.gz"))
    spoken = [(item["id"], speaker(item["positive"])) for item in items]
    assert spoken == [(p["id"], voice) for p in PAIRS for voice in p["voices"]]
    script = {p["id"]: p for p in PAIRS}
    for item in items:
        assert set(item) == {"id", "task", "subset", "group", "positive", "negative"}
        assert speaker(item["positive"]) == speaker(item["negative"])
        candidates = {
            side["words"][0]["word"].upper(): side["words"][0]["phones"] for side in script[item["id"]]["negatives"]
        }
        word = spoken_text(item["negative"])
        assert pronunciations(item["negative"]) == {word: candidates[word]}
        assert pronunciations(item["positive"]) == {}
        assert item["positive"]["recording"]["id"] == item["negative"]["recording"]["id"]
    chosen = {(item["id"], spoken_text(item["negative"])) for item in items}
    assert len(chosen) == len(PAIRS)  # the same candidate in all voices of a pair
    cuts = list(read_cuts(tmp_path / "items.jsonl.gz"))
    assert len({cut["id"] for cut in cuts}) == len(cuts)
    for cut in cuts:
        assert np.abs(read(cut, tmp_path / "audio")).max() > 0.3


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    one, two = (run(tmp_path / name, monkeypatch) for name in "ab")
    for path in sorted(p for p in one.rglob("*") if p.is_file()):
        assert path.read_bytes() == (two / path.relative_to(one)).read_bytes()


def test_both_sides_are_said_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A negative that is the positive again sounds the same but for the noise: one draw of rate, pitch and gain."""
    run(tmp_path, monkeypatch, pairs=[pair("s0", "dog", {"dogg": "D AO1 G"})])
    item = next(read_jsonl(tmp_path / "items.jsonl.gz"))
    one, two = (read(item[side], tmp_path / "audio") for side in ("positive", "negative"))
    assert len(one) == len(two)
    np.testing.assert_allclose(one, two, atol=0.02)


def test_a_pair_that_fails_leaves_whole_and_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run(tmp_path, monkeypatch, limits={**LIMITS, "max_seconds": 0.55})
    left = {item["id"] for item in read_jsonl(tmp_path / "items.jsonl.gz")}
    rows = read_csv(tmp_path / "dropped.csv")
    assert left | {row["id"] for row in rows} == {"s0", "s1", "s2", "s3"}
    assert not left & {row["id"] for row in rows}
    assert rows
    assert all("too-long" in row["detail"] for row in rows)
    with pytest.raises(ValueError, match="no pair is left"):
        run(tmp_path, monkeypatch, limits={**LIMITS, "max_seconds": 0.2})
    with pytest.raises(ValueError, match=r"pairs \(\d+\.?\d*%\) are dropped for their content: .*corpus\.max_dropped"):
        run(tmp_path, monkeypatch, limits={**LIMITS, "max_seconds": 0.55, "max_dropped": 0.01})


def test_bad_pairs_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(ValueError, match="pair 's0' twice"):
        run(tmp_path, monkeypatch, pairs=[PAIRS[0], PAIRS[0]])
    with pytest.raises(ValueError, match="pair s9: word 'zz': 'QQ' is not"):
        run(tmp_path, monkeypatch, pairs=[pair("s9", "dog", {"zz": "QQ"})])


def test_length_tells_nothing_after_the_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Positives that are long (water) or short (ten) beside candidates of either kind."""
    short, long = {"tet": "T EH1 T", "pick": "P IH1 K"}, {"meelows": "M IY1 L OW0 Z", "noomaze": "N UW1 M EY0 Z"}
    pairs = [pair(f"s{i}", "ten" if i % 2 else "water", {**short, **long}) for i in range(12)]
    run(tmp_path, monkeypatch, pairs=pairs)
    items = list(read_jsonl(tmp_path / "items.jsonl.gz"))
    frames = [
        [frame_count(round(item[side]["duration"] * 16_000)) for side in ("positive", "negative")] for item in items
    ]
    assert 0.45 <= shorter_side_accuracy(np.array(frames) @ [1, -1]) <= 0.55


def test_choose_balances_every_column_and_prefers_the_nearest():
    rng = np.random.default_rng(0)
    differences = [rng.integers(-9, 12, size=(6, 5)) for _ in range(300)]
    picks = select_candidates(differences)
    table = np.array([options[pick] for options, pick in zip(differences, picks, strict=True)])
    for column in table.T:
        assert 0.48 <= shorter_side_accuracy(column) <= 0.52
    assert np.abs(table).sum() < 0.8 * np.abs([options[0] for options in differences]).sum()
    assert picks == select_candidates(differences)
    assert select_candidates([]) == []
    assert select_candidates([np.array([[3, 0]])]) == [0]
    assert select_candidates([np.array([[3], [1]]), np.array([[2], [-4]])]) == [1, 1]


def test_shorter_side_accuracy_counts_ties_as_half():
    assert shorter_side_accuracy([-1, -5, 3, 0]) == 0.625


def test_mirrored_words_with_one_candidate_each_balance_by_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A pair of words and a pair of pseudo-words from the same parts, in one voice: nothing is left to choose."""
    lines = [
        {**pair("s0a", "dog", {"dagh": "D AE1 G"}), "couple": "s0"},
        {**pair("s0b", "ten", {"tawn": "T AO1 N"}), "couple": "s0"},
    ]
    run(tmp_path, monkeypatch, pairs=lines)
    items = list(read_jsonl(tmp_path / "items.jsonl.gz"))
    assert [item["couple"] for item in items] == ["s0"] * 4
    assert select_candidates([np.array([[3, -1]]), np.array([[-3, 1]]), np.array([[0, 0]])]) == [0, 0, 0]
