"""Each step from its command line: input files, output files, and messages about wrong files."""

import csv
import json
import math
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from transformers import LlamaForCausalLM

from scripts.common.files import read_csv, read_json, write_json, write_jsonl
from scripts.common.ragged import Ragged, save_bin
from scripts.evaluation import baselines, bits, logprobs, scaling, score, summary, tuned_lens
from scripts.evaluation.accuracy import interval
from scripts.evaluation.config import Summarising
from scripts.evaluation.items import SideLogprob, read_items, read_tokens
from scripts.evaluation.score_rows import COLUMNS
from scripts.tokens import store
from tests.evaluation.conftest import item
from tests.factories.cuts import lettered_cut
from tests.factories.models import CONTEXT, VOCABULARY, random_sequence, tiny_llama

CONFIG = {
    "score_normalization": "total",
    "bootstrap_samples": 50,
    "batch_tokens": 256,
    "precision": "auto",
    "threads": 1,
}
SCALING = json.dumps({**CONFIG, "scaling_items": None})
SCORE = json.dumps({**CONFIG, "lens_tokens": 50})


def task_flags(folder: Path, out: str) -> list[object]:
    return [
        *("--modality", "phone-raw", "--tasks", "toy", "--items", folder / "toy.jsonl.gz"),
        *("--tokens", folder / "toy.bin", "--out", folder / out),
    ]


def score_flags(folder: Path, model: Path, out: str = "evaluation/toy/phone-raw.csv") -> list[object]:
    """Flags of score.main; dev is three utterances of one letter per token."""
    rng = np.random.default_rng(8)
    texts = ["A dog.", "One, two dogs ran.", "No."]
    cuts = [lettered_cut(f"d{i}", text=text, seconds=0.5) for i, text in enumerate(texts)]
    write_jsonl(folder / "0.jsonl.gz", cuts[:2])
    write_jsonl(folder / "1.jsonl.gz", cuts[2:])
    tokens = [random_sequence(rng, len(text)) for text in texts]
    save_bin(folder / "dev.bin", Ragged.join([c["id"] for c in cuts], tokens))
    save_bin(
        folder / "train.bin", Ragged.join([f"t{i}" for i in range(9)], [random_sequence(rng, 9) for _ in range(9)])
    )
    write_json(folder / "tokenizer/tokenizer.json", {"model": {"vocab": {}}})
    return [
        *task_flags(folder, out),
        *("--model", model, "--definition", json.dumps({"name": "phone-raw", "source": "text", "tokenizer": "char"})),
        *("--layers", folder / "layers.csv", "--tuned-lens", folder / "tuned_lens.csv"),
        *("--cuts", folder / "0.jsonl.gz", folder / "1.jsonl.gz", "--dev", folder / "dev.bin"),
        *("--train", folder / "train.bin"),
        *(
            "--tokenizer",
            folder / "tokenizer",
            "--bits",
            folder / "bits.csv",
            "--utterance-bits",
            folder / "utterance_bits.csv",
            "--bit-breakdown",
            folder / "bit_breakdown.csv",
        ),
        *("--config", SCORE, "--seed", 1),
    ]


@pytest.fixture
def scored(
    toy_task: Callable, run_step: Callable, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[dict[str, str]]:
    toy_task()
    monkeypatch.setattr(tuned_lens, "STEPS", 3)
    run_step(score.main, *score_flags(tmp_path, model_folder))
    return read_csv(tmp_path / "evaluation/toy/phone-raw.csv")


def test_score_matches_sides_by_id(scored: list, model: LlamaForCausalLM, tmp_path: Path) -> None:
    items = read_items(tmp_path / "toy.jsonl.gz")
    assert [(row["id"], row["voice"]) for row in scored] == [
        (f"p{i}", f"speaker-{v}") for i in range(6) for v in range(2)
    ]
    for row, task_item in zip(scored, items, strict=True):
        ids = [task_item[side]["id"] for side in ("positive", "negative")]
        tokens = read_tokens(tmp_path / "toy.bin", ids)
        good, bad = (logprobs.score(model, {name: tokens[name]}, 256, "toy")[name] for name in ids)
        assert float(row["logprob_positive"]) == pytest.approx(good, abs=1e-4)
        assert float(row["logprob_negative"]) == pytest.approx(bad, abs=1e-4)
        assert int(row["tokens_positive"]) == len(tokens[ids[0]]) - 1
        assert float(row["correct"]) == (good > bad)


def test_score_by_either_normalisation_and_ties() -> None:
    items = [item("a"), item("b")]
    tokens = {c["id"]: np.zeros(3) for i in items for c in (i["positive"], i["negative"])}
    tokens["a-speaker-0-negative"] = np.zeros(5)
    logprobs = dict.fromkeys(tokens, SideLogprob(-4.0, -1.0)) | {"a-speaker-0-negative": SideLogprob(-6.0, -1.0)}
    assert [row["correct"] for row in score.table(items, tokens, logprobs, "total", CONTEXT)] == ["1", "0.5"]
    assert [row["correct"] for row in score.table(items, tokens, logprobs, "per_token", CONTEXT)] == ["0", "0.5"]


def test_score_is_the_same_file_twice(scored: list, run_step: Callable, model_folder: Path, tmp_path: Path) -> None:
    names = [
        "evaluation/toy/phone-raw.csv",
        "layers.csv",
        "tuned_lens.csv",
        "bits.csv",
        "utterance_bits.csv",
        "bit_breakdown.csv",
    ]
    total, seconds = (
        sum(float(row[name]) for row in read_csv(tmp_path / "utterance_bits.csv")) for name in ("bits", "seconds")
    )
    per_second = float(read_csv(tmp_path / "bits.csv")[0]["value"])
    assert total / seconds == pytest.approx(per_second, abs=1e-5)  # the utterances add up to the whole
    before = [(tmp_path / name).read_bytes() for name in names]
    run_step(score.main, *score_flags(tmp_path, model_folder))
    assert [(tmp_path / name).read_bytes() for name in names] == before


def test_items_missing_or_double(tmp_path: Path, toy_task: Callable) -> None:
    path = tmp_path / "none.jsonl.gz"
    write_jsonl(path, [])
    with pytest.raises(ValueError, match=r"none\.jsonl\.gz: holds no items; a task needs at least one pair"):
        read_items(path)
    write_jsonl(path, [item("a"), item("a")])
    with pytest.raises(ValueError, match="pair 'a' appears twice with voice 'speaker-0'"):
        read_items(path)
    write_jsonl(path, [{key: value for key, value in item("a").items() if key != "group"}])
    with pytest.raises(ValueError, match="item 'a' lacks 'group'"):
        read_items(path)
    toy_task()
    with pytest.raises(ValueError, match=re.escape("toy.bin: has no tokens for cut 'absent' (1 of 1 missing)")):
        read_tokens(tmp_path / "toy.bin", ["absent"])


def test_flags_of_unequal_number(tmp_path: Path, toy_task: Callable, run_step: Callable, model_folder: Path) -> None:
    toy_task()
    flags = [*score_flags(tmp_path, model_folder), "--out", tmp_path / "x.csv", tmp_path / "y.csv"]
    with pytest.raises(ValueError, match="one value per task each"):
        run_step(score.main, *flags)


def test_tokens_without_symbol_counts_are_refused(tmp_path: Path) -> None:
    save_bin(tmp_path / "toy.bin", Ragged.join(["a"], [np.array([1, 3, 2])]))
    with pytest.raises(ValueError, match=r"toy\.idx\.npz: has no column symbols; encode the tasks again"):
        baselines.symbol_counts(tmp_path / "toy.bin", ["a"])


def test_baselines_prefer_short_and_frequent(tmp_path: Path, run_step: Callable) -> None:
    sides = {"positive": {"text": "A dog."}, "negative": {"text": "A doggy."}}
    items = [item("short", **sides), item("tie")]
    tokens = {
        "short-speaker-0-positive": [1, 3, 3, 4, 2],
        "short-speaker-0-negative": [1, 3, 4, 3, 4, 2],
        "tie-speaker-0-positive": [1, 3, 4, 2],
        "tie-speaker-0-negative": [1, 4, 3, 2],
    }
    write_jsonl(tmp_path / "toy.jsonl.gz", items)
    columns = dict.fromkeys(store.COLUMNS, [0] * 4) | {"symbols": [6, 8, 9, 9]}
    store.save(tmp_path / "toy.bin", Ragged.join(list(tokens), [np.array(t) for t in tokens.values()]), columns)
    train = [np.array([1, 3, 4, 3, 4, 3, 4, 2])] * 20
    save_bin(tmp_path / "train.bin", Ragged.join([str(i) for i in range(20)], train))
    write_json(tmp_path / "stats.json", {"vocab_size": VOCABULARY})
    run_step(
        baselines.main,
        *task_flags(tmp_path, "out.csv"),
        *("--train", tmp_path / "train.bin", "--stats", tmp_path / "stats.json"),
        *("--config", json.dumps({"score_normalization": "total"}), "--seed", 1),
    )
    found = {(row["id"], row["baseline"]): float(row["correct"]) for row in read_csv(tmp_path / "out.csv")}
    assert found == {
        ("short", "length"): 1.0,
        ("tie", "length"): 0.5,
        ("short", "tokens"): 1.0,
        ("tie", "tokens"): 0.5,
        ("short", "unigram"): 1.0,
        ("tie", "unigram"): 0.5,
        ("short", "4-gram"): 0.0,  # 3 4 3 4 is what train holds; 3 3 never occurs
        ("tie", "4-gram"): 1.0,
    }


def test_bits_by_hand() -> None:
    cuts = [lettered_cut("a", seconds=2.0, text="A dog ran."), lettered_cut("b", seconds=1.0, text="No.")]
    tokens = {"a": np.zeros(9), "b": np.zeros(3)}  # 8 and 2 predicted tokens
    found = bits.bits(
        [bits.utterance(one) for one in cuts], tokens, {"a": -20 * math.log(2), "b": -4 * math.log(2)}, 20, 1
    )
    assert found["bits_per_second"].value == pytest.approx(24 / 3)
    assert found["bits_per_word"].value == pytest.approx(24 / 4)
    assert found["bits_per_token"].value == pytest.approx(24 / 10)
    assert found["bits_per_second"].ci_low == pytest.approx(4.0)
    assert found["bits_per_second"].ci_high == pytest.approx(10.0)


def test_bits_of_a_uniform_model(tmp_path: Path, run_step: Callable) -> None:
    model = tiny_llama()
    model.lm_head.weight.data.zero_()
    model.save_pretrained(tmp_path / "model")
    flags = score_flags(tmp_path, tmp_path / "model")
    without = [*flags, "--tasks", "--items", "--tokens", "--out", "--layers", "--tuned-lens"]  # a corpus without tasks
    run_step(score.main, *without)
    found = {row["metric"]: float(row["value"]) for row in read_csv(tmp_path / "bits.csv")}
    assert found["bits_per_token"] == pytest.approx(math.log2(VOCABULARY), abs=1e-5)
    assert found["bits_per_second"] == pytest.approx(math.log2(VOCABULARY) * (6 + 18 + 3 + 3) / 1.5, abs=1e-4)
    bit_breakdown = read_csv(tmp_path / "bit_breakdown.csv")
    parts = {row["part"]: float(row["value"]) for row in bit_breakdown if row["metric"] == "tokens_per_second"}
    # A | dog | One two dogs ran | No: first letters, last ones, those between; spaces and marks; EOS.
    expected = {"word": 1, "initial": 6, "internal": 6, "final": 6, "between": 8, "end": 3}
    assert parts == pytest.approx({part: count / 1.5 for part, count in expected.items()})
    total = sum(float(row["value"]) for row in bit_breakdown if row["metric"] == "bits_per_second")
    assert total == pytest.approx(found["bits_per_second"], abs=1e-4)
    write_jsonl(tmp_path / "0.jsonl.gz", [])
    write_jsonl(tmp_path / "1.jsonl.gz", [])
    with pytest.raises(ValueError, match="dev holds no utterances"):
        run_step(score.main, *without)


def test_last_layer_equals_the_score(scored: list, tmp_path: Path) -> None:
    config = Summarising(50, "total")
    expected = summary.accuracies(scored, config, 1)["accuracy"]
    for name in ("layers.csv", "tuned_lens.csv"):
        rows = read_csv(tmp_path / name)
        assert [row["layer"] for row in rows] == ["0", "1", "2", "3"]
        assert tuple(float(rows[-1][key]) for key in ("value", "ci_low", "ci_high", "n")) == pytest.approx(expected)


def test_scaling_step(scored: list, run_step: Callable, model_folder: Path, tmp_path: Path) -> None:
    tiny_llama(seed=7).save_pretrained(tmp_path / "scaling" / "tokens-900")
    (tmp_path / "scaling" / "tokens-3600").symlink_to(model_folder)
    write_json(tmp_path / "stats.json", {"splits": {"train": {"seconds": 1000, "tokens": 450, "utterances": 50}}})
    flags = [
        *task_flags(tmp_path, "s.csv"),
        *("--fits", tmp_path / "s.fit.json", "--checkpoints", tmp_path / "scaling"),
        *("--stats", tmp_path / "stats.json", "--config", SCALING, "--seed", 1),
    ]
    run_step(scaling.main, *flags)
    rows = read_csv(tmp_path / "s.csv")
    assert [row["tokens"] for row in rows] == ["900", "3600"]
    assert [float(row["hours"]) for row in rows] == [0.5, 2.0]
    last = summary.accuracies(scored, Summarising(50, "total"), 1)["accuracy"]
    assert float(rows[1]["value"]) == pytest.approx(last.value)
    fitted = read_json(tmp_path / "s.fit.json")
    values = [float(row["value"]) for row in rows]
    assert fitted["slope"] == pytest.approx((values[1] - values[0]) / math.log10(4))
    (tmp_path / "scaling" / "tokens-900").rename(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match=r"holds 1 checkpoints .*lm\.training\.checkpoints_in_epoch_1"):
        run_step(scaling.main, *flags)


def test_summary(tmp_path: Path, run_step: Callable) -> None:
    def put(path: str, text: str) -> Path:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
        return tmp_path / path

    head = "id,voice,couple,subset,group,logprob_positive,logprob_negative,tokens_positive,tokens_negative,"
    head += "seconds_positive,seconds_negative,eos_positive,eos_negative,correct,dropped\n"
    # Item a: one voice right, one tied; total decides otherwise than per token. Item b: right both ways.
    # Item c was scored in another modality only.
    # EOS alone decides item b. Items a and b are a couple: the sum of their differences is 2 + 1 nats.
    rows = [
        "a,v0,x,,,-4,-6,2,6,1,3,-1,-1,1,", "a,v1,x,,,-4,-4,2,2,1,1,-1,-1,0.5,", "b,v0,x,,,-1,-2,2,2,1,1,-0.5,-1.75,1,",
        "c,v0,,,,,,,,,,,,,too-long",
    ]  # fmt: skip
    scores = put("toy/m.csv", head + "\n".join(rows) + "\n")
    heard = ["a,v0,x,length,1", "a,v1,x,length,0", "b,v0,x,length,1", "c,v0,,length,0"]
    base = put("baselines/toy/m.csv", "id,voice,couple,baseline,correct\n" + "\n".join(heard) + "\n")
    drawn = [f"{modality},toy,{name},v0,x,{draw},{right}" for modality, name, draw, right in (
        ("m", "a", 1, 1), ("m", "b", 1, 0), ("m", "a", 2, 1), ("m", "b", 2, 1), ("k", "a", 1, 0), ("m", "c", 1, 0)
    )]  # fmt: skip
    guessed = put("untrained.csv", "modality,task,id,voice,couple,draw,correct\n" + "\n".join(drawn) + "\n")
    dropped = put("dropped.csv", "task,id,modality,reason\ntoy,c,m,too-long\n")
    dev = put("bits/m.csv", "metric,value,ci_low,ci_high,n\nbits_per_second,7.5,7,8,9\n")
    flags = ["--bits", dev, "--dropped", dropped, "--out", tmp_path / "summary.csv", "--seed", 1]
    config = json.dumps({"score_normalization": "total", "bootstrap_samples": 20})
    run_step(summary.main, "--scores", scores, "--baselines", base, "--untrained", guessed, *flags, "--config", config)
    rows = {(r["modality"], r["task"], r["metric"]): r for r in read_csv(tmp_path / "summary.csv")}
    assert {key: (float(row["value"]), row["n"]) for key, row in rows.items()} == {
        ("m", "toy", "accuracy"): (0.875, "2"),
        ("m", "toy", "accuracy_per_token"): (0.625, "2"),
        ("m", "toy", "accuracy_per_second"): (0.625, "2"),
        ("m", "toy", "accuracy_total_no_eos"): (0.375, "2"),
        ("m", "toy", "accuracy_per_token_no_eos"): (0.125, "2"),
        ("m", "toy", "accuracy_per_second_no_eos"): (0.125, "2"),
        ("m", "toy", "couples"): (1.0, "1"),
        ("m", "toy", "accuracy_voices"): (0.875, "2"),
        ("m", "toy", "chance"): (0.5, "2"),
        ("m", "toy", "baseline_length"): (0.75, "2"),
        ("m", "toy", "baseline_untrained"): (0.75, "2"),
        ("m", "toy", "p_above_chance"): (1.0, "2"),  # of the two flips of one couple both are as far
        ("m", "toy", "over_best_baseline"): (12.5, "2"),
        ("m", "toy", "p_over_best_baseline"): (1.0, "2"),
        ("m", "dev", "bits_per_second"): (7.5, "9"),
    }
    run_step(summary.main, "--scores", "--baselines", *flags, "--config", config)  # a corpus without tasks
    with open(tmp_path / "summary.csv") as file:
        assert [row["task"] for row in csv.DictReader(file)] == ["dev"]


def test_other_normalisation_is_named_by_what_it_is() -> None:
    row = {"id": "a", "voice": "v", "couple": "a", "correct": "0", "logprob_positive": "-4", "logprob_negative": "-6"}
    lengths = {"tokens_positive": "2", "tokens_negative": "6", "seconds_positive": "1", "seconds_negative": "1"}
    rows = [{**dict.fromkeys(COLUMNS, ""), **row, **lengths}]
    found = summary.accuracies(rows, Summarising(5, "per_token"), 1)
    assert {metric: row.value for metric, row in found.items()} == {
        "accuracy": 0.0,
        "accuracy_total": 1.0,
        "accuracy_per_second": 1.0,
        "chance": 0.5,
    }


def test_intervals_of_all_steps_agree(scored: list) -> None:
    found = summary.accuracies(scored, Summarising(50, "total"), 1)["accuracy"]
    by_hand = {}
    for row in scored:
        by_hand.setdefault(row["id"], []).append(float(row["correct"]))
    values = np.array([np.mean(by_hand[name]) for name in sorted(by_hand)])
    assert found == interval(values, 50, 1)
