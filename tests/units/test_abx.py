"""ABX errors: cells worked by hand, an independent implementation, and fastabx's own number."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest

from scripts.common.files import read_csv, write_jsonl
from scripts.common.ragged import Ragged, save_npz
from scripts.units import abx, abx_task, external_quality
from scripts.units.abx import FEATURES, Rows, cell_error, feature_columns, rows_of, unit_columns, warped
from scripts.units.abx_task import Triphone, build_task, task_of, triphones
from scripts.units.quality import COLUMNS, phone_indices
from tests.factories.cuts import make_cut


def single_frames(labels: list[tuple[str, str, str]]) -> list[Triphone]:
    """Tokens (phone, speaker, context) of one frame each, all in one cut."""
    return [
        Triphone((context, context), speaker, phone, (0, place, place + 1))
        for place, (phone, speaker, context) in enumerate(labels)
    ]


def test_the_error_is_fastabxs() -> None:
    """fastabx's regression test (tests/test_regression.py, June 2026) has these labels, features and errors."""
    features = np.random.default_rng(2026).standard_normal((36, 6)).astype(np.float32)
    labels = [("abc"[i % 3], f"s{i // 12}", f"c{i % 2}") for i in range(36)]
    task = task_of(single_frames(labels), seed=1)
    assert len(task.across.a) == 2 * 3 * 2 * 3 * 2
    found = feature_columns(task, rows_of(task, [(0, features)]), 1)
    assert found["feature_abx_across"] == pytest.approx(0.4809027786056201, abs=1e-6)
    units = {"cut": (np.arange(36) % 4).astype(np.uint16)}
    assert unit_columns(task, ["cut"], units, 1)["abx_across"] == pytest.approx(0.5, abs=1e-12)


def slow_dtw(distances: np.ndarray) -> float:
    """Mean distance along the best path, which is followed back from its end."""
    cost = np.full((distances.shape[0] + 1, distances.shape[1] + 1), np.inf)
    cost[0, 0] = 0
    for i, j in np.ndindex(*distances.shape):
        cost[i + 1, j + 1] = distances[i, j] + min(cost[i, j], cost[i, j + 1], cost[i + 1, j])
    i, j = distances.shape
    steps = 1
    while (i, j) != (1, 1):
        before = [(i - 1, j - 1), (i, j - 1), (i - 1, j)]
        i, j = min(before, key=lambda place: cost[place])  # the first of equal ones
        steps += 1
    return cost[-1, -1] / steps


def test_warping_is_that_of_one_pair_at_a_time() -> None:
    random = np.random.default_rng(0)
    for draw in (lambda size: random.random(size), lambda size: random.integers(0, 2, size)):
        distances = draw((200, 7, 9)).astype(np.float32)
        lengths = random.integers(1, 8, 200), random.integers(1, 10, 200)
        expected = [slow_dtw(d[:x, :y].astype(float)) for d, x, y in zip(distances, *lengths, strict=True)]
        assert warped(distances, *lengths) == pytest.approx(expected, rel=1e-5)


def test_a_warped_token_is_no_further_than_its_frames() -> None:
    """Units 1 1 2 and 1 2 2 2 are the same path in time; 1 1 2 and 1 3 2 differ in one frame of three."""
    distances = abx.unequal(np.array([[1, 1, 2, 0], [1, 1, 2, 0]]), np.array([[1, 2, 2, 2], [1, 3, 2, 0]]))
    assert warped(distances, np.array([3, 3]), np.array([4, 3])).tolist() == pytest.approx([0, 1 / 3])


def test_a_cell_worked_by_hand() -> None:
    to_a, to_b = np.array([[0.0, 0.2], [0.2, 0.0]]), np.array([[0.1, 0.2, 0.3], [0.3, 0.1, 0.4]])
    # x1 with a2 at 0.2: b at 0.1 is nearer (1), at 0.2 equal (1/2); x2 with a1 at 0.2: b at 0.1 is nearer (1).
    assert cell_error(to_a, to_b, same=True) == pytest.approx(2.5 / 6)
    # x1 with a1 at 0.0 and x2 with a2 at 0.0 are right three times each.
    assert cell_error(to_a, to_b, same=False) == pytest.approx(2.5 / 12)


def test_contexts_are_averaged_before_speakers_and_speakers_before_pairs_of_phones() -> None:
    cells = abx_task.Cells(
        context=np.array([0, 1, 2, 0, 0]),
        speaker=np.array([0, 0, 0, 1, 0]),
        phone_a=np.array([0, 0, 0, 0, 1]),
        phone_b=np.array([1, 1, 1, 1, 0]),
        a=np.zeros(5, int), b=np.zeros(5, int), x=np.zeros(5, int),
    )  # fmt: skip
    errors = np.array([0.1, 0.2, 0.6, 0.9, 0.0])
    once, without_speaker_0, none = np.ones(5), np.array([0, 0, 0, 1, 0]), np.zeros(5)
    found = abx.average(errors, cells, np.stack([once, without_speaker_0, none], axis=1).astype(float))
    assert found[:2] == pytest.approx([((0.3 + 0.9) / 2 + 0.0) / 2, 0.9])
    assert math.isnan(found[2])


def test_separated_phones_give_0_and_the_same_distribution_a_half() -> None:
    random = np.random.default_rng(3)
    labels = [("xy"[i % 2], f"s{i % 3}", f"c{i % 19}") for i in range(1200)]
    task = task_of(single_frames(labels), seed=1)
    noise = random.standard_normal((1200, 8)).astype(np.float32)
    apart = noise + 100 * np.array([[1, 0], [0, 1]])[np.arange(1200) % 2].repeat(4, axis=1)
    alike = feature_columns(task, rows_of(task, [(0, noise)]), 1)
    right = feature_columns(task, rows_of(task, [(0, apart.astype(np.float32))]), 1)
    for name in abx_task.CONDITIONS:
        column = f"{FEATURES}abx_{name}"
        assert right[column] == right[f"{column}_low"] == right[f"{column}_high"] == 0
        assert alike[column] == pytest.approx(0.5, abs=0.03)
        assert alike[f"{column}_low"] < 0.5 < alike[f"{column}_high"]
    units = {"cut": (np.arange(1200) % 2).astype(np.uint16)}
    constant = {"cut": np.zeros(1200, np.uint16)}
    assert unit_columns(task, ["cut"], units, 1)["abx_within"] == 0
    assert unit_columns(task, ["cut"], constant, 1)["abx_within"] == 0.5  # every distance is equal


def slow_error(found: list[Triphone], distance, *, across: bool) -> float:
    """The definition, triple by triple, with dictionaries."""
    pairs: dict = {}
    contexts = sorted({token.context for token in found})
    speakers = sorted({token.speaker for token in found})

    def of(context, speaker, phone):
        return [i for i, t in enumerate(found) if (t.context, t.speaker, t.phone) == (context, speaker, phone)]

    for a, b in ((a, b) for a in "pqr" for b in "pqr" if a != b):
        for who in speakers:
            cells = []
            for context in contexts:
                for other in [s for s in speakers if s != who] if across else [who]:
                    triples = [
                        np.sign(distance(i, k) - distance(j, k)) / 2 + 0.5
                        for i in of(context, who, a)
                        for j in of(context, who, b)
                        for k in of(context, other, a)
                        if i != k
                    ]
                    cells += [np.mean(triples)] if triples else []
            if cells:
                pairs.setdefault((a, b), []).append(np.mean(cells))
    return float(np.mean([np.mean(values) for values in pairs.values()]))


def test_tokens_of_many_lengths_in_several_cuts_have_the_errors_of_the_definition(monkeypatch) -> None:
    monkeypatch.setattr(abx, "BATCH_VALUES", 2000)  # several batches
    random = np.random.default_rng(5)
    cuts = [random.standard_normal((60, 4)).astype(np.float32) for _ in range(3)]
    found = []
    for number in range(3):
        for first in range(0, 54, 3):
            labels = f"c{random.integers(2)}", f"s{random.integers(3)}", "pqr"[random.integers(3)]
            stop = first + int(random.integers(1, 7))
            found.append(Triphone((labels[0], "z"), *labels[1:], (number, first, stop)))
    task = task_of(found, seed=1)
    units = [frames.argmax(axis=1).astype(np.uint16) for frames in cuts]

    def of_features(i: int, k: int) -> float:
        x, y = (
            cuts[c][first:stop].astype(float) for c, first, stop in (found[min(i, k)].place, found[max(i, k)].place)
        )
        x, y = (frames / np.linalg.norm(frames, axis=1, keepdims=True) for frames in (x, y))
        return slow_dtw(np.arccos(np.clip(x @ y.T, -1, 1)) / np.pi)

    def of_units(i: int, k: int) -> float:
        x, y = (units[c][first:stop] for c, first, stop in (found[min(i, k)].place, found[max(i, k)].place))
        return slow_dtw((x[:, None] != y[None]).astype(float))

    columns = feature_columns(task, rows_of(task, reversed(list(enumerate(cuts)))), 1)
    columns |= unit_columns(task, ["a", "b", "c"], dict(zip("abc", units, strict=True)), 1)
    for name in abx_task.CONDITIONS:
        for prefix, distance in (("", of_units), (FEATURES, of_features)):
            expected = slow_error(found, distance, across=name == "across")
            assert columns[f"{prefix}abx_{name}"] == pytest.approx(expected, abs=1e-9)
    assert columns["abx_within_cells"] == len(task.within.a) > 10


def spoken(name: str, phones: str, speaker: str = "s", length: float = 0.1):
    """A cut of phones of equal length."""
    cut = make_cut(name, duration=round(length * len(phones.split()), 3), speaker=speaker)
    aligned = [[phone, round(length * i, 3), length, 0.0] for i, phone in enumerate(phones.split())]
    cut["supervisions"][0]["alignment"] = {"phone": aligned, "word": []}
    return cut


def test_a_token_is_a_phone_with_its_neighbours_and_silence_is_in_none() -> None:
    found = list(triphones([spoken("u", "SIL B AE1 G SIL B EH0 G AH0 SPN"), spoken("v", "B AE2 G", "t", 0.03)]))
    assert [(token.context, token.speaker, token.phone) for token in found] == [
        (("B", "G"), "s", "AE"),
        (("B", "G"), "s", "EH"),
        (("EH", "AH"), "s", "G"),
        (("B", "G"), "t", "AE"),
    ]
    # Frames are centred at 12.5, 32.5, ... ms: those between 100 and 400 ms, 500 and 800 ms, ...
    assert [token.place for token in found] == [(0, 5, 20), (0, 25, 40), (0, 30, 45), (1, 0, 4)]


def test_caps_keep_cells_small_and_are_drawn_from_the_seed(monkeypatch) -> None:
    labels = [(phone, f"s{s}", "c") for phone in "xy" for s in range(8) for _ in range(14)]
    task, same, other = (task_of(single_frames(labels), seed) for seed in (1, 1, 2))
    assert [len(group) for group in task.groups] == [abx_task.TOKENS] * 16
    assert len(task.within.a) == 8 * 2
    assert len(task.across.a) == 8 * 2 * abx_task.OTHER_SPEAKERS
    first, again, third = (t.tokens.first.tolist() for t in (task, same, other))
    assert first == again != third
    labels = [(phone, "s", f"c{c}") for c in range(6) for phone in "xxy"]
    monkeypatch.setattr(abx_task, "ALL_TOKENS", 10)
    task = task_of(single_frames(labels), 1)
    assert (len(task.tokens.cut), task.left_out, len(task.within.a)) == (9, 3, 3)
    assert str(task) == "ABX: 9 triphones in 3 contexts (3 left out), 3 cells within and 0 across speakers"


def test_without_minimal_pairs_the_columns_are_blank() -> None:
    cuts = [spoken("u", "B AE1 G"), spoken("v", "D AE1 G")]
    task = build_task(cuts, 1)
    columns = unit_columns(task, ["u", "v"], {"u": np.zeros(15, np.uint16), "v": np.zeros(15, np.uint16)}, 1)
    columns |= feature_columns(task, rows_of(task, [(0, np.ones((15, 2), np.float32))]), 1)
    assert columns == {**dict.fromkeys(abx.COLUMNS, ""), "abx_within_cells": 0, "abx_across_cells": 0}


def test_one_context_has_an_error_without_an_interval() -> None:
    cuts = [spoken("u", "B AE1 G"), spoken("v", "B AE1 G"), spoken("w", "B IY1 G")]
    task = build_task(cuts, 1)
    units = {"u": np.full(14, 4), "v": np.full(14, 4), "w": np.full(14, 5)}
    columns = unit_columns(task, ["u", "v", "w"], units, 1)
    assert columns["abx_within"] == 0
    assert columns["abx_within_low"] == columns["abx_within_high"] == columns["abx_across"] == ""
    assert columns["abx_within_cells"] == 1


def test_a_frame_of_zeros_is_at_a_right_angle_to_all() -> None:
    labels = [("x", "s", "c"), ("x", "s", "c"), ("y", "s", "c")]
    task = task_of(single_frames(labels), 1)
    frames = np.array([[0, 0], [1, 0], [0, 0]], np.float32)
    rows = rows_of(task, [(0, frames)])
    assert isinstance(rows, Rows)
    assert feature_columns(task, rows, 1)["feature_abx_within"] == 0.5  # every distance is equal


def test_imported_units_have_the_errors_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cuts = [spoken("u", "B AE1 G S AE1 T"), spoken("v", "B AE1 G S IY1 T", "t"), spoken("w", "B IY1 G S AE1 T", "t")]
    write_jsonl(tmp_path / "cuts.jsonl.gz", cuts)
    phones = phone_indices(cuts, ["cuts"])
    save_npz(tmp_path / "units.npz", Ragged.join(["u", "v", "w"], [units.astype(np.uint16) for units in phones]))
    flags = ["--dev-cuts", "cuts.jsonl.gz", "--dev-units", "units.npz", "--clusters", "6", "--frame-rate", "50"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["external_quality", *flags, "--seed", "1", "--output", "quality.csv"])
    external_quality.main()
    (row,) = read_csv(tmp_path / "quality.csv")
    assert list(row) == COLUMNS
    assert (row["encoder"], row["pnmi"], row["abx_across"], row["abx_across_cells"]) == ("external", "1.0", "0.0", "2")
    assert row["abx_within"] == row["feature_abx_across"] == ""
