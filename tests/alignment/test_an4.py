"""Alignment of real human speech: AN4 in LibriHeavy's schema, if its folder is available."""

import os
from pathlib import Path

import pytest

from scripts.alignment.config import Aligning, Training
from scripts.alignment.g2p import cmudict_pronunciations
from scripts.common.cuts import read_cuts, spoken_text
from scripts.common.files import read_csv, read_jsonl
from tests.factories.settings import settings
from tests.factories.steps import step

AN4 = Path(os.environ.get("SHARED", Path(__file__).parents[3] / "shared")) / "an4"
CONFIG = {"sample_hours": 0.1, "gaussians": 400, "iterations": 15}


@pytest.mark.skipif(not AN4.exists(), reason="AN4 is not in ../shared (or $SHARED)")
def test_human_speech_aligns(tmp_path):
    train, test = AN4 / "libriheavy_cuts_small.jsonl.gz", AN4 / "libriheavy_cuts_test_clean.jsonl.gz"
    words = {word for path in (train, test) for cut in read_cuts(path) for word in spoken_text(cut).split()}
    lexicon = cmudict_pronunciations()
    (tmp_path / "lexicon.txt").write_text(
        "".join(f"{word} {' '.join(phones)}\n" for word in sorted(words) for phones in lexicon[word])
    )
    common = ("--audio-root", AN4, "--lexicon", tmp_path / "lexicon.txt")
    step("scripts.alignment.train", "--cuts", train, *common, "--config",
         settings(Training, "alignment", **CONFIG), "--seed", 1, "--out", tmp_path / "model")  # fmt: skip
    step("scripts.alignment.align", "--cuts", test, *common, "--config",
         settings(Aligning, "alignment"), "--model", tmp_path / "model", "--split", "dev",
         "--out", tmp_path / "out.jsonl.gz", "--dropped", tmp_path / "dropped.csv", "--guessed",
         tmp_path / "guessed.csv")  # fmt: skip
    kept = sum(1 for _ in read_jsonl(tmp_path / "out.jsonl.gz"))
    assert kept >= 0.98 * 130, read_csv(tmp_path / "dropped.csv")
