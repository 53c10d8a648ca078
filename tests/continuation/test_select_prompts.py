"""Prompts and real continuations: whole words, whole alignments, only from dev."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from scripts.common.cuts import phone_alignment, read_cuts, spoken_text
from scripts.common.files import read_jsonl, write_jsonl
from scripts.common.seeds import derive
from scripts.continuation.config import Selection
from scripts.continuation.select_prompts import aligned_words, main, prompt_length, select, split_utterance
from scripts.tokens.modality import Modality
from scripts.tokens.sources import phone_frames
from tests.factories.cuts import sentences_cut

CONFIG = Selection(prompts=2, prompt_seconds=2.0, seconds=4.0)


def test_a_prompt_ends_with_a_sentence_that_ends_nearby():
    words = aligned_words(sentences_cut())
    assert prompt_length(words, 2.0) == 4
    assert prompt_length(words, 4.3) == 8


def test_without_a_sentence_nearby_it_ends_with_the_nearest_word():
    assert prompt_length(aligned_words(sentences_cut(word_seconds=1.0)), 2.2) == 2


def test_both_parts_are_whole_and_meet():
    whole = sentences_cut()
    prompt, real = split_utterance(whole, "p0", CONFIG)
    assert prompt["id"] == "p0/prompt"
    assert real["id"] == "p0/real"
    assert spoken_text(whole).startswith(f"{spoken_text(prompt)} {spoken_text(real)}")
    assert real["start"] == pytest.approx(prompt["start"] + prompt["duration"])
    for part in (prompt, real):
        phones = phone_alignment(part)
        assert phones[0][1] == 0
        for (_, start, length), (_, after, _) in pairwise(phones):
            assert start + length == pytest.approx(after)
        assert sum(phones[-1][1:]) == pytest.approx(part["duration"])
        phone_frames(part, Modality("phones", "symbol", name="x", frame_rate=50.0), None)  # covers its frames
    assert real["duration"] <= CONFIG.seconds
    assert prompt["supervisions"][0]["custom"]["texts"][0] == "The dog sat on."


def test_the_choice_depends_on_ids_and_seed_not_on_order():
    cuts = [sentences_cut(f"u{i}") for i in range(9)]
    first = [utterance for _, utterance, *_ in select(cuts, CONFIG, 1)]
    assert first == [utterance for _, utterance, *_ in select(cuts[::-1], CONFIG, 1)]
    assert first != [utterance for _, utterance, *_ in select(cuts, CONFIG, 3)]
    names = [name for name, *_ in select(iter(cuts), replace(CONFIG, prompts=5), 1)]
    assert names == [f"dev{n:03d}" for n in range(5)]
    marks = {f"u{i}": derive(1, "continuation/prompts", f"u{i}") for i in range(9)}
    five = [utterance for _, utterance, *_ in select(iter(cuts), replace(CONFIG, prompts=5), 1)]
    assert five == sorted(marks, key=marks.__getitem__)[:5]


def test_fewer_utterances_than_asked_are_taken_and_said(capsys):
    short = sentences_cut("short", sentences=1)
    assert len(list(select([sentences_cut("a"), short], CONFIG, 1))) == 1
    assert "dev gives 1 (too little follows: 1)" in capsys.readouterr().err


def test_no_usable_utterance_is_one_line():
    odd = sentences_cut("odd")
    odd["supervisions"][0]["custom"]["texts"][0] += " and more"
    with pytest.raises(ValueError, match=r"dev gives 0 \(text and speech have different words: 1\); shorten"):
        list(select([odd], CONFIG, 1))


def test_a_cut_without_alignment_is_refused():
    bare = sentences_cut()
    del bare["supervisions"][0]["alignment"]
    with pytest.raises(ValueError, match="cut u1: has no word alignment"):
        aligned_words(bare)


def test_the_step_writes_cuts_and_prompts(tmp_path: Path, run_step):
    write_jsonl(tmp_path / "dev.jsonl.gz", [sentences_cut("a"), sentences_cut("b")])
    write_jsonl(tmp_path / "script.jsonl.gz", [{"id": "a", "topic": "sea"}])
    run_step(
        main, "--cuts", tmp_path / "dev.jsonl.gz", "--scripts", tmp_path / "script.jsonl.gz", "--seed", 1,
        "--config", json.dumps({"prompts": 2, "prompt_seconds": 2.0, "seconds": 4.0}),
        "--out", tmp_path / "cuts.jsonl.gz", "--prompts", tmp_path / "prompts.jsonl",
    )  # fmt: skip
    ids = [c["id"] for c in read_cuts(tmp_path / "cuts.jsonl.gz")]
    assert ids == ["dev000/prompt", "dev000/real", "dev001/prompt", "dev001/real"]
    assert {row["topic"] for row in read_jsonl(tmp_path / "prompts.jsonl")} == {"sea", None}


def test_listed_prompts_stand_before_those_of_dev(tmp_path: Path, run_step):
    write_jsonl(tmp_path / "dev.jsonl.gz", [sentences_cut("a")])
    write_jsonl(
        tmp_path / "listed.jsonl", [{"id": "door", "text": "She opened", "topic": "home", "cut": sentences_cut("door")}]
    )
    run_step(
        main, "--cuts", tmp_path / "dev.jsonl.gz", "--listed", tmp_path / "listed.jsonl", "--seed", 1,
        "--config", json.dumps({"prompts": 1, "prompt_seconds": 2.0, "seconds": 4.0}),
        "--out", tmp_path / "cuts.jsonl.gz", "--prompts", tmp_path / "prompts.jsonl",
    )  # fmt: skip
    rows = list(read_jsonl(tmp_path / "prompts.jsonl"))
    assert [(row["id"], row["real"] is None) for row in rows] == [("door", True), ("dev000", False)]
