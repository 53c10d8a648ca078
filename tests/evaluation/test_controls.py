"""Controls: durations are permuted and nothing else changes; an untrained model prefers the shorter side."""

import json
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from scripts.common.files import read_csv, write_csv, write_jsonl
from scripts.common.ragged import Ragged, save_bin
from scripts.common.seeds import generator
from scripts.evaluation import common_items, controls, logprobs, score, score_rows
from scripts.evaluation.accuracy import decide_sides
from scripts.evaluation.items import SideLogprob, Task, cut_ids, read_items, read_tokens
from scripts.lm.model.load import load_model
from scripts.tokens.config import Symbols
from tests.evaluation.conftest import item
from tests.factories.models import CONTEXT, tiny_llama

CONFIG = {
    "score_normalization": "total",
    "bootstrap_samples": 20,
    "batch_tokens": 256,
    "precision": "auto",
    "threads": 1,
    "control_items": None,
    "untrained_draws": 2,
}


def test_durations_change_hands_among_runs_of_a_symbol() -> None:
    """The first two runs of item a are shared by its sides; symbol 9 has one length wherever it is."""
    items = [item("a"), item("b")]
    names = cut_ids(items)
    bodies = [[5, 5, 5, 7, 9, 9], [5, 5, 5, 7, 5, 7, 7], [7, 9, 9, 5], [5, 5, 9, 9]]
    tokens = {name: np.array([1, *body, 2], dtype=np.uint16) for name, body in zip(names, bodies, strict=True)}

    def runs(ids: np.ndarray) -> list[tuple[int, int]]:
        return [(symbol, len(list(group))) for symbol, group in groupby(ids[1:-1].tolist())]

    def pooled(sequences: dict[str, np.ndarray]) -> list[tuple[int, int]]:
        """Runs of all sides, those that the sides of item a share once."""
        each = [runs(sequences[name]) for name in names]
        return sorted([*each[0], *each[1][2:], *each[2], *each[3]])

    found = []
    for seed in range(80):
        shuffled = controls.shuffle_durations(items, tokens, np.random.default_rng(seed))
        assert list(shuffled) == names
        for name in names:
            assert [symbol for symbol, _ in runs(shuffled[name])] == [symbol for symbol, _ in runs(tokens[name])]
            assert (shuffled[name][0], shuffled[name][-1]) == (1, 2)
        assert pooled(shuffled) == pooled(tokens)
        assert runs(shuffled[names[0]])[:2] == runs(shuffled[names[1]])[:2]
        found.append(runs(shuffled[names[0]])[0])
    # The four runs of symbol 5 have the lengths 3, 1, 1 and 2.
    shares = [np.mean([length == wanted for _, length in found]) for wanted in (1, 2, 3)]
    assert shares == pytest.approx([0.5, 0.25, 0.25], abs=0.15)
    empty = {name: np.array([1, 2], dtype=np.uint16) for name in names}
    assert [ids.tolist() for ids in controls.shuffle_durations(items, empty, np.random.default_rng(0)).values()] == [
        [1, 2]
    ] * 4


def test_a_couple_that_new_durations_make_too_long_is_left_out() -> None:
    items = [{**item(f"i{i}"), "couple": f"c{i // 2}"} for i in range(4)]
    tokens = {name: np.arange(5, dtype=np.uint16) for name in cut_ids(items)}
    tokens[cut_ids(items[1:2])[0]] = np.arange(7, dtype=np.uint16)
    task = Task("t", items, {}, Path())
    assert controls.within_context(task, tokens, 7).items == items
    kept = controls.within_context(task, tokens, 6)
    assert [each["id"] for each in kept.items] == ["i2", "i3"]
    assert list(kept.tokens) == cut_ids(items[2:])
    assert controls.within_context(task, tokens, 4).items == []


def test_only_frames_with_a_token_each_have_durations() -> None:
    assert controls.is_framed(Symbols(source="phones", tokenizer="symbol", frame_rate=50))
    assert not controls.is_framed(Symbols(source="units", tokenizer="symbol", frame_rate=50, repeats="drop"))
    assert not controls.is_framed(Symbols(source="phones", tokenizer="bpe", frame_rate=50, vocab_size=9))
    assert not controls.is_framed(Symbols(source="phones", tokenizer="symbol"))


@pytest.fixture
def results(tmp_path: Path, run_step: Callable) -> Path:
    """Two modalities of one task; the right side is the shorter one, in `repeat` by its seconds alone."""
    rng = np.random.default_rng(3)
    sides = {"positive": {"seconds": 1.0}, "negative": {"seconds": 1.5}}
    items = [item(f"p{i}", f"speaker-{v}", **sides) for i in range(8) for v in range(2)]
    write_jsonl(tmp_path / "toy.jsonl.gz", items)
    for modality in ("raw", "repeat"):
        ids = [i[side]["id"] for i in items for side in ("positive", "negative")]
        symbols = {name: 8 if modality == "repeat" or name.endswith("positive") else 14 for name in ids}
        runs = [np.repeat(rng.integers(3, 20, n), np.resize([1, 2, 4], n)) for n in symbols.values()]
        tokens = [np.concatenate([[1], run, [2]]) for run in runs]
        path = tmp_path / f"tokens/{modality}/tasks/toy.bin"
        path.parent.mkdir(parents=True)
        save_bin(path, Ragged.join(ids, tokens))
        tiny_llama(seed=1).save_pretrained(tmp_path / f"lm/{modality}/model")
        sequences = dict(zip(ids, tokens, strict=True))
        scores = logprobs.score(load_model(tmp_path / f"lm/{modality}/model"), sequences, 256, modality)
        sides = {cut: SideLogprob(nats, -1.0) for cut, nats in scores.items()}
        found = score.table(items, sequences, sides, "total", CONTEXT)
        write_csv(tmp_path / f"evaluation/toy/{modality}.csv", score_rows.COLUMNS, found)
    write_csv(tmp_path / "dropped.csv", common_items.COLUMNS, [])
    return tmp_path


def run(run_step: Callable, folder: Path, out: str, **changes: object) -> dict[tuple[str, str], dict[str, str]]:
    modalities = {
        "raw": {"source": "phones", "tokenizer": "symbol"},
        "repeat": {"source": "phones", "tokenizer": "symbol", "frame_rate": 50},
    }
    flags = {
        "results": folder, "tokens": folder / "tokens", "modalities": json.dumps(modalities), "tasks": "toy",
        "items": folder / "toy.jsonl.gz", "dropped": folder / "dropped.csv", "out": folder / out,
        "untrained": folder / f"untrained-{out}",
        "config": json.dumps({**CONFIG, **changes}), "seed": 1,
    }  # fmt: skip
    run_step(controls.main, *(each for name, value in flags.items() for each in (f"--{name}", value)))
    return {(row["modality"], row["control"]): row for row in read_csv(folder / out)}


def test_the_controls_of_a_task(results: Path, run_step: Callable) -> None:
    rows = run(run_step, results, "c.csv")
    assert list(rows) == [
        ("any", "seconds"),
        ("raw", "trained"),
        ("raw", "untrained"),
        ("repeat", "trained"),
        ("repeat", "untrained"),
        ("repeat", "shuffled-durations"),
    ]
    assert {row["n"] for row in rows.values()} == {"8"}
    assert float(rows["any", "seconds"]["value"]) == 1.0
    # Knowing nothing, a model takes the side with fewer tokens: the artefact that this control is there to show.
    assert float(rows["raw", "untrained"]["value"]) == 1.0
    correct = [float(row["correct"]) for row in read_csv(results / "evaluation/toy/repeat.csv")]
    assert float(rows["repeat", "trained"]["value"]) == pytest.approx(np.mean(correct))

    items = read_items(results / "toy.jsonl.gz")
    rng = generator(1, "evaluation", "durations", "repeat", "toy")
    tokens = read_tokens(results / "tokens/repeat/tasks/toy.bin", cut_ids(items))
    shuffled = controls.shuffle_durations(items, tokens, rng)
    totals = logprobs.score(load_model(results / "lm/repeat/model"), shuffled, 256, "by hand")
    by_hand = decide_sides(items, totals).mean()
    assert float(rows["repeat", "shuffled-durations"]["value"]) == pytest.approx(by_hand)
    assert by_hand != pytest.approx(np.mean(correct))
    decisions = read_csv(results / "untrained-c.csv")
    assert {(row["modality"], row["draw"]) for row in decisions} == {(m, d) for m in ("raw", "repeat") for d in "12"}
    by_draw = {draw: [float(row["correct"]) for row in decisions if row["modality"] == "repeat" and row["draw"] == draw]
               for draw in "12"}  # fmt: skip
    assert by_draw["1"] != by_draw["2"]
    mean = np.mean(by_draw["1"] + by_draw["2"])
    assert float(rows["repeat", "untrained"]["value"]) == pytest.approx(mean)
    run(run_step, results, "again.csv")
    assert (results / "c.csv").read_bytes() == (results / "again.csv").read_bytes()
    assert {row["n"] for row in run(run_step, results, "part.csv", control_items=4).values()} == {"4"}
