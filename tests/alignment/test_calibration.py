"""Thresholds calibrated on the training sample keep right texts and drop wrong ones, at every length."""

import copy
import shutil
from itertools import pairwise

import numpy as np
import pytest

from scripts.alignment.calibration import thresholds
from scripts.alignment.config import Aligning, Training
from scripts.alignment.g2p import cmudict_pronunciations
from scripts.common.cuts import spoken_text, supervision
from scripts.common.files import read_csv, read_json, read_jsonl, write_jsonl
from scripts.corpus.config import Limits
from tests.factories.settings import settings
from tests.factories.steps import step


def swapped(cuts):
    """Copies of the cuts with the text of another of about the same length and without a word in common, if any."""
    order = sorted(cuts, key=lambda cut: (len(spoken_text(cut)), cut["id"]))
    wrong = []
    for place, cut in enumerate(order):
        words = set(spoken_text(cut).split())
        others = [order[(place + step) % len(order)] for step in range(1, 20)]
        other = next((each for each in others if not words & set(spoken_text(each).split())), others[0])
        line = copy.deepcopy(cut) | {"id": f"wrong-{cut['id']}"}
        line["supervisions"][0]["custom"]["texts"] = supervision(other)["custom"]["texts"]
        wrong.append(line)
    return wrong


def single_words(cuts):
    """Every word of the aligned cuts as a cut of its own."""
    for cut in cuts:
        for number, (word, start, duration, _) in enumerate(supervision(cut)["alignment"]["word"]):
            line = copy.deepcopy(cut) | {"id": f"{cut['id']}-{number}", "start": cut["start"] + start}
            line["duration"] = duration
            line["supervisions"] = [{**supervision(cut), "custom": {"texts": [word.lower(), word]}}]
            del line["supervisions"][0]["alignment"]
            yield line


def shares(kept_ids, right, wrong):
    """Share of right texts that were dropped and of wrong ones that were caught."""
    kept = set(kept_ids)
    return np.mean([cut["id"] not in kept for cut in right]), np.mean([cut["id"] not in kept for cut in wrong])


def test_wrong_texts_are_dropped_and_right_ones_kept_in_sentences_and_single_words(world, align):
    cuts = list(read_jsonl(world / "dev.jsonl.gz"))
    aligned = align(cuts).kept
    words = [cut for cut in single_words(aligned) if cut["duration"] >= 0.2]
    assert len(words) > 500
    for right in (cuts, words):
        wrong = swapped(right)
        result = align([*right, *wrong])
        dropped, caught = shares([cut["id"] for cut in result.kept], right, wrong)
        print(f"{len(right)} cuts: right dropped {dropped:.1%}, wrong caught {caught:.1%}")
        assert dropped <= 0.005
        assert caught >= 0.95


def test_a_word_may_score_lower_than_a_sentence_of_the_same_model(trained):
    lowest = thresholds("auto", trained)
    rows = read_json(trained / "thresholds.json")["lengths"]
    assert [row["words"] for row in rows][:3] == [1, 2, 4]
    right = [row["right"] for row in rows]
    assert all(short < long for short, long in pairwise(right))
    assert all(row["wrong"] < row["threshold"] < row["right"] for row in rows)
    assert lowest(10) == lowest(int(rows[0]["frames"])) == rows[0]["threshold"]
    assert thresholds(-3.5, trained)(7) == -3.5


def test_a_model_without_thresholds_is_refused_unless_a_number_is_given(trained, world, tmp_path, align):
    model = shutil.copytree(trained, tmp_path / "model")
    (model / "thresholds.json").unlink()
    assert thresholds(-6, model)(100) == -6
    with pytest.raises(
        ValueError, match=r"thresholds\.json is missing: .* set alignment.min_log_likelihood to a number"
    ):
        thresholds("auto", model)
    (model / "thresholds.json").write_text('{"lengths": [{"frames": 3}]}')
    with pytest.raises(ValueError, match=r"thresholds\.json: expected lengths with frames and threshold"):
        thresholds("auto", model)


def test_too_few_words_leave_every_alignment_and_say_so(world, tmp_path):
    cut = next(read_jsonl(world / "dev.jsonl.gz"))
    write_jsonl(tmp_path / "cuts.jsonl.gz", [cut])
    stderr = step("scripts.alignment.train", "--cuts", tmp_path / "cuts.jsonl.gz", "--audio-root", world / "audio",
                  "--lexicon", world / "lexicon.txt", "--config",
                  settings(Training, "alignment", gaussians=200, iterations=3), "--seed", 1, "--out",
                  tmp_path / "model")  # fmt: skip
    assert "too few words to calibrate min_log_likelihood" in stderr
    assert thresholds("auto", tmp_path / "model")(100) == -np.inf


def train_and_align(cuts, right, root, folder, **training):
    """Train on cuts, align right and swapped texts: shares of right texts dropped and wrong ones caught."""
    known, every = cmudict_pronunciations(), [*cuts, *right]
    spoken = sorted({word for cut in every for word in spoken_text(cut).split()})
    (folder / "lexicon.txt").write_text("".join(f"{w} {' '.join(p)}\n" for w in spoken for p in known.get(w, ())))
    wrong = swapped(right)
    write_jsonl(folder / "train.jsonl.gz", cuts)
    write_jsonl(folder / "both.jsonl.gz", [*right, *wrong])
    common = ("--audio-root", root, "--lexicon", folder / "lexicon.txt")
    step("scripts.alignment.train", "--cuts", folder / "train.jsonl.gz", *common, "--config",
         settings(Training, "alignment", **training), "--seed", 1, "--out", folder / "model")  # fmt: skip
    step("scripts.alignment.align", "--cuts", folder / "both.jsonl.gz", *common, "--config",
         settings(Aligning, "alignment"), "--model", folder / "model", "--split", "dev",
         "--out", folder / "out.jsonl.gz", "--dropped", folder / "dropped.csv", "--guessed",
         folder / "guessed.csv")  # fmt: skip
    unknown = {row["id"] for row in read_csv(folder / "dropped.csv") if row["reason"] == "oov"}
    kept = [cut["id"] for cut in read_jsonl(folder / "out.jsonl.gz")]
    return shares(kept, *([cut for cut in lines if cut["id"] not in unknown] for lines in (right, wrong)))


@pytest.mark.slow
def test_spelled_letters_and_commands(an4, tmp_path):
    train, test = (list(read_jsonl(an4 / f"libriheavy_cuts_{part}.jsonl.gz")) for part in ("small", "test_clean"))
    dropped, caught = train_and_align(train, test, an4, tmp_path, sample_hours=0.5, gaussians=1000)
    assert dropped <= 0.01
    assert caught >= 0.95  # some of its utterances differ in one letter


@pytest.mark.slow
def test_readers_that_training_did_not_hear_with_few_frames_per_gaussian(mini_librispeech, tmp_path):
    subset = mini_librispeech / "train-clean-5"
    step("scripts.corpus.speech.librispeech", "--audio-root", mini_librispeech, "--subset", subset,
         "--out", tmp_path / "cuts.jsonl.gz", "--dropped", tmp_path / "d.csv", "--limits",
         settings(Limits, "corpus"))  # fmt: skip
    cuts = list(read_jsonl(tmp_path / "cuts.jsonl.gz"))
    for cut in cuts:
        text = supervision(cut)["text"]
        supervision(cut)["custom"] = {"texts": [text.lower(), text]}
    speakers = sorted({supervision(cut)["speaker"] for cut in cuts})
    unheard = [cut for cut in cuts if supervision(cut)["speaker"] in speakers[:2]][:60]
    heard = [cut for cut in cuts if supervision(cut)["speaker"] not in speakers[:2]]
    dropped, caught = train_and_align(heard, unheard, mini_librispeech, tmp_path, sample_hours=0.3, gaussians=800,
                                      triphone={"leaves": 600, "gaussians": 3000})  # fmt: skip
    assert dropped <= 0.01
    assert caught >= 0.97
