"""The tidy table: perplexities with intervals over prompts, failures counted, variety shown."""

from pathlib import Path

import numpy as np
import pytest

from scripts.common.files import read_csv, write_csv, write_jsonl
from scripts.continuation.summary import interval, main, repeated_ngrams, summarise


def line(prompt: str, text: str, perplexity: float | None, stop: str = "eos") -> dict[str, str]:
    shown = "" if perplexity is None else str(perplexity)
    return {"prompt": prompt, "stop": stop, "seconds": "2.0", "silence": "0.25", "text": text, "perplexity": shown,
            "status": "empty" if perplexity is None else "ok", "perplexity_given_prompt": shown}  # fmt: skip


def values(rows: list[dict[str, str]]) -> dict[str, tuple[float, int]]:
    return {r["metric"]: (r["value"], r["n"]) for r in summarise(rows, "m", "continuation", 50, 1)}


def test_empty_ones_are_counted_and_not_in_the_mean():
    found = values([line("a", "one two", 10.0), line("a", "", None), line("b", "one six ten", 30.0, "limit")])
    assert found["perplexity"] == (20.0, 2)
    assert found["perplexity_median"] == (20.0, 2)
    assert found["perplexity_sd"] == (pytest.approx(14.142136), 2)
    assert found["empty_share"] == (pytest.approx(1 / 3, abs=1e-6), 3)
    assert found["at_limit_share"] == (pytest.approx(1 / 3, abs=1e-6), 3)
    assert found["words"] == (pytest.approx(5 / 3, abs=1e-6), 3)
    assert found["distinct_words"] == (0.8, 5)
    assert found["words_per_second"] == (pytest.approx(5 / 6, abs=1e-6), 3)
    assert found["silence"] == (0.25, 3)


def test_all_empty_has_no_perplexity_and_says_so():
    found = values([line("a", "", None), line("b", "", None)])
    assert found["perplexity"] == ("", 0)
    assert found["empty_share"] == (1.0, 2)


def test_no_continuations_at_all_are_refused():
    with pytest.raises(ValueError, match="text-bpe: continuation: no continuations"):
        summarise([], "text-bpe", "continuation", 10, 1)


def test_babble_is_seen():
    assert repeated_ngrams(["a", "b", "c", "d", "a", "b", "c", "d", "a", "b", "c", "d"]) == pytest.approx(1 - 4 / 9)
    assert repeated_ngrams(["a", "b", "c", "d", "e", "f"]) == 0
    assert repeated_ngrams(["a", "b", "c"]) is None


def test_the_interval_is_over_prompts():
    rng = np.random.default_rng(0)
    means = rng.normal(50, 10, 20)
    many = [float(mean) for mean in means for _ in range(10)]  # ten seeds that say the same
    prompts = [str(i) for i in range(20) for _ in range(10)]
    value, low, high = interval(many, prompts, lambda x: float(x.mean()), 400, 1)
    assert low < value < high
    assert high - low == pytest.approx(2 * 1.96 * means.std() / 20**0.5, rel=0.25)


def test_spoken_text_has_tasks_of_its_own(tmp_path: Path, run_step):
    for name, perplexity in (("generated", 10.0), ("real", 5.0), ("spoken", 14.0), ("spoken_real", 7.0)):
        row = line("a", "one two", perplexity)
        write_csv(tmp_path / f"{name}.csv", list(row), [row])
    write_jsonl(tmp_path / "prompts.jsonl", [{"id": "a", "text": "x", "topic": "t"}])
    run_step(
        main, "--modalities", "text-raw", "--generated", tmp_path / "generated.csv", "--real", tmp_path / "real.csv",
        "--read-aloud", "text-raw", "--spoken", tmp_path / "spoken.csv", "--spoken-real", tmp_path / "spoken_real.csv",
        "--prompts", tmp_path / "prompts.jsonl", "--config", '{"bootstrap_samples": 50}', "--seed", 1,
        "--out", tmp_path / "summary.csv",
    )  # fmt: skip
    rows = read_csv(tmp_path / "summary.csv")
    assert {row["task"]: float(row["value"]) for row in rows if row["metric"] == "perplexity"} == {
        "continuation": 10.0, "continuation-real": 5.0, "continuation-spoken": 14.0, "continuation-spoken-real": 7.0,
    }  # fmt: skip
    assert {row["modality"] for row in rows} == {"text-raw"}
