"""Hours, tokens and sizes against the paper's table and against a model that is built."""

import copy
from pathlib import Path

import pytest
import yaml

from scripts.lm.config import ModelConfig
from scripts.lm.model.llama import build_model
from scripts.plan.amounts import Amounts, forward_flops, left_out, parameters, split_hours, task_sizes
from tests.plan.conftest import MINI, PAPER

TABLE = yaml.safe_load(Path("resources/paper.yaml").read_text())["modalities"]


def test_43000_hours_have_the_tokens_of_the_papers_table():
    config = copy.deepcopy(PAPER)
    config["plan"]["hours"]["train"] = TABLE["phone-repeat"]["tokens"] / 50 / 3600
    amounts = Amounts(config)
    for modality in config["modalities"]:
        assert amounts.tokens(modality, "train") == pytest.approx(TABLE[modality]["tokens"], rel=0.02), (
            modality
        )  # it rounds its rates


def test_parameters_are_those_of_a_model_that_is_built():
    model = {**MINI["lm"]["model"], "kv_heads": 1}
    built = build_model(ModelConfig(**model), 603, bos=1, eos=2, seed=1)
    assert parameters(model, 603) == sum(weights.numel() for weights in built.parameters())


def test_a_forward_pass_is_two_operations_per_weight_and_attention():
    model = {"hidden_size": 4, "intermediate_size": 8, "layers": 1, "heads": 1, "kv_heads": 1}
    without = forward_flops(model, 10, 0.0)
    assert without == 2 * (parameters(model, 10) - 10 * 4)
    assert forward_flops(model, 10, 5.0) - without == 4 * 4 * 5


def test_the_papers_hours_are_libriheavys_and_speakers_may_be_held_out():
    assert split_hours(PAPER) == {"train": 50794, "dev": 22.3}
    config = copy.deepcopy(PAPER)
    config["corpus"]["libriheavy"].update(dev=[], held_out=0.1, train=["small"])
    assert split_hours(config) == pytest.approx({"train": 458.1, "dev": 50.9})
    config["corpus"]["libriheavy"].update(dev=["dev"], train=["medium"])  # its manifest lacks what is in small's
    assert split_hours(config) == {"train": 5042 - 509, "dev": 22.3}


def test_librispeech_s_hours_are_those_of_its_subsets_and_of_other_folders_unknown():
    config = copy.deepcopy(MINI)
    config["corpus"]["source"] = "librispeech"
    assert split_hours(config) == {"train": 5.3, "dev": 2.0}
    config["corpus"]["librispeech"].update(train=["train-clean-100", "train-clean-360"], dev=[], held_out=0.5)
    assert split_hours(config) == pytest.approx({"train": 232.1, "dev": 232.1})
    config["corpus"]["librispeech"].update(train=["mine"])
    with pytest.raises(ValueError, match=r"the hours of corpus\.source librispeech are unknown"):
        split_hours(config)


def test_a_corpus_whose_hours_nobody_knows_is_asked_for_them():
    config = copy.deepcopy(MINI)
    config["corpus"]["source"] = "folder"
    with pytest.raises(
        ValueError, match=r"plan\.hours\.train is not set; the hours of corpus\.source folder are unknown"
    ):
        split_hours(config)


@pytest.mark.parametrize(("known", "message"), [({}, "is missing"), ({"mine": {"sides": None, "seconds": 1}}, "sides")])
def test_a_task_of_unknown_size_is_named(known, message):
    config = copy.deepcopy(MINI)
    config["corpus"]["source"] = "folder"
    config["corpus"]["folder"]["tasks"] = {"mine": "items.jsonl.gz"}
    config["plan"]["tasks"] = known
    with pytest.raises(ValueError, match=rf"plan\.tasks\.mine.*{message}"):
        task_sizes(config)


def test_words_alone_are_utterances_of_the_worlds_train():
    with_words = Amounts(MINI)
    config = copy.deepcopy(MINI)
    config["corpus"]["world"]["isolated_words"] = 0
    without = Amounts(config)
    assert with_words.utterances["train"] - without.utterances["train"] == 485
    assert with_words.utterances["dev"] == without.utterances["dev"]
    assert with_words.hours["train"] - without.hours["train"] == pytest.approx(485 * 0.55 / 3600)
    assert without.hours["train"] == 8.0


def test_the_worlds_tasks_have_two_sides_by_every_voice():
    assert task_sizes(MINI)["swuggy"].sides == 170 * 2 * 4


def test_changed_symbols_have_their_own_rates_and_vocabularies():
    config, units = copy.deepcopy(MINI), {"source": "units", "tokenizer": "symbol", "frame_rate": 50}
    phones = {"source": "phones", "tokenizer": "symbol", "frame_rate": 50}
    config["modalities"] = {
        "twice": {**phones, "durations": 2},
        "mean": {**phones, "durations": "mean"},
        "collapsed": {**units, "repeats": "drop"},
        "slow": {**units, "frame_rate": 12.5, "repeats": "drop"},
        "called": {**units, "relabel": "majority-phone", "repeats": "drop"},
    }
    config["plan"]["symbols_per_second"] = {"text": 17, "phones": 12, "units": 30, "tokens": 1}
    amounts = Amounts(config)
    assert amounts.rates == {"twice": 24, "mean": 50, "collapsed": 30, "slow": 12.5, "called": 12}
    sizes = {name: amounts.parameters(name) for name in config["modalities"]}
    assert sizes["called"] == sizes["mean"] != sizes["collapsed"] == sizes["slow"]


def test_what_is_not_continued_has_a_reason():
    config = copy.deepcopy(MINI)
    assert left_out(config) == {}
    config["modalities"]["speech-hubert"]["repeats"] = "drop"
    assert left_out(config) == {"speech-hubert": "no voice predicts how long units without repeats last"}
