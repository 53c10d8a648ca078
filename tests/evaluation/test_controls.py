"""Controls: durations change hands and nothing else does; an untrained model prefers the shorter side."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from scripts.common.files import read_csv, write_csv, write_jsonl
from scripts.common.ragged import Ragged, save_bin
from scripts.common.seeds import generator
from scripts.evaluation import common_items, controls, logprobs, score, score_rows
from scripts.evaluation.accuracy import decide_sides
from scripts.evaluation.items import cut_ids, read_items, read_tokens
from scripts.lm.model.load import load_model
from tests.evaluation.conftest import item
from tests.factories.models import CONTEXT, tiny_llama

CONFIG = {
    "score_normalization": "total",
    "bootstrap_samples": 20,
    "batch_tokens": 256,
    "precision": "auto",
    "threads": 1,
    "control_items": None,
}


def test_durations_are_permuted_and_symbols_stay() -> None:
    ids = np.array([1, 5, 5, 5, 7, 5, 9, 9, 2], dtype=np.uint16)
    seen = {tuple(controls.shuffle_durations(ids, np.random.default_rng(seed)).tolist()) for seed in range(60)}
    assert len(seen) == 12  # the orders of the lengths 3, 1, 1, 2
    for found in seen:
        runs = [found[0], *(b for a, b in pairwise(found) if a != b)]
        assert runs == [1, 5, 7, 5, 9, 2]
        assert len(found) == len(ids)
    assert controls.shuffle_durations(np.array([1, 2]), np.random.default_rng(0)).tolist() == [1, 2]


def test_only_frames_with_a_token_each_have_durations() -> None:
    assert controls.is_framed({"source": "phones", "tokenizer": "symbol", "frame_rate": 50})
    assert not controls.is_framed({"source": "units", "tokenizer": "symbol", "frame_rate": 50, "repeats": "drop"})
    assert not controls.is_framed({"source": "phones", "tokenizer": "bpe", "frame_rate": 50, "vocab_size": 9})
    assert not controls.is_framed({"source": "phones", "tokenizer": "symbol"})


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
        found = score.table(items, sequences, scores, "total", CONTEXT)
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
    shuffled = {cut: controls.shuffle_durations(ids, rng) for cut, ids in tokens.items()}
    totals = logprobs.score(load_model(results / "lm/repeat/model"), shuffled, 256, "by hand")
    by_hand = decide_sides(items, totals).mean()
    assert float(rows["repeat", "shuffled-durations"]["value"]) == pytest.approx(by_hand)
    assert by_hand != pytest.approx(np.mean(correct))
    run(run_step, results, "again.csv")
    assert (results / "c.csv").read_bytes() == (results / "again.csv").read_bytes()
    assert {row["n"] for row in run(run_step, results, "part.csv", control_items=4).values()} == {"4"}
