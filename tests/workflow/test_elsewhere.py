"""Imported data together with computed data: tokens, texts to judge, scores of another system."""

import json

import pytest

from scripts.common.cuts import read_cuts
from scripts.common.files import read_csv, write_jsonl
from scripts.common.ragged import load_bin
from tests.factories.workflow import SMOKE, Workflow

SPLITS = ("train", "dev", "tasks/swuggy", "tasks/sblimp", "tasks/topic-storycloze")


@pytest.mark.slow
def test_tokens_texts_and_scores_of_others_are_evaluated(smoke_copy: Workflow):
    results, mine = smoke_copy.results, smoke_copy.folder / "results/elsewhere"
    given, tokens = smoke_copy.folder / "given", {}
    for split in SPLITS:
        tokens |= load_bin(results / f"tokens/text-raw/{split}.bin").by_id()
    lines = ({"id": name, "tokens": ids[1:-1].tolist()} for name, ids in tokens.items())  # one may be <unk>, 0
    write_jsonl(given / "tokens/all.jsonl.gz", lines)
    choice = {"id": "c", "positive": "the dog runs.", "negative": ["the the.", "dog the."]}
    write_jsonl(given / "texts/a.jsonl", [choice])
    cuts = [cut["id"] for cut in read_cuts(results / "alignment/tasks/swuggy.jsonl.gz")]
    (given / "swuggy.txt").write_text("".join(f"{name} {-at}\n" for at, name in enumerate(cuts)))
    overlay = {
        "name": "elsewhere",
        "share": {"with": "smoke", "through": "units"},
        "modalities": {"mine": {"source": "tokens", "tokenizer": "symbol", "vocab_size": 100,
                                "external": str(given / "tokens")}},
        "continuation": {"prompts": 0},
        "evaluation": {"text_tasks": {"choices": str(given / "texts")},
                       "external_systems": {"theirs": {"swuggy": str(given / "swuggy.txt")}}},
    }  # fmt: skip
    wanted = [
        "baselines/swuggy/mine.csv",
        "swuggy/mine.csv",
        "swuggy/theirs.csv",
        "choices/text-raw.csv",
    ]
    config = (*SMOKE, smoke_copy.overlay(json.dumps(overlay)))
    smoke_copy.snakemake(*config, "--", *(f"results/elsewhere/evaluation/{name}" for name in wanted))

    baselines, scores, theirs, choices = (read_csv(mine / "evaluation" / name) for name in wanted)
    ids = {row["id"] for row in scores}
    assert ids == {row["id"] for row in baselines} == {row["id"] for row in theirs}
    by_length = {(r["id"], r["voice"]): r["correct"] for r in baselines if r["baseline"] == "length"}
    by_tokens = {(r["id"], r["voice"]): r["correct"] for r in baselines if r["baseline"] == "tokens"}
    assert by_length == by_tokens  # such tokens are their own source
    assert all(row["logprob_positive"] and row["seconds_positive"] for row in scores)
    assert {row["seconds_positive"] for row in theirs} == {""}
    assert {row["correct"] for row in theirs} == {"1"}  # a pair's right side comes first in the file
    assert [row["logprob_negative"].count(";") for row in choices] == [1]

    # A file of the folder that is written anew is noticed; what does not read it stays.
    write_jsonl(given / "texts/a.jsonl", [{**choice, "positive": "the cats run."}])
    again = smoke_copy.would_run(*config, "--", *(f"results/elsewhere/evaluation/{name}" for name in wanted))
    assert {job for job in again if "/" not in job} == {"evaluation_text"}
