"""The whole configuration: complete, described, and refused with the key's path when it is wrong."""

import copy
import datetime
import math
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from scripts.common.config import read
from scripts.lm.seed_replicas import seed_replicas
from scripts.project.check import check, task_names
from scripts.project.config import Configuration
from scripts.project.defaults import as_given, complete, default_config
from scripts.project.schema import SCHEMA

DEFAULT = default_config()
JSON_SCHEMA = Draft202012Validator(yaml.safe_load(SCHEMA.read_text()))


def changed(path: str, value: object) -> dict:
    config = copy.deepcopy(DEFAULT)
    *parents, key = path.split(".")
    place = config
    for parent in parents:
        place = place[int(parent)] if isinstance(place, list) else place[parent]
    place[key] = value
    return config


def test_the_default_is_accepted_and_comments_every_key():
    check(DEFAULT)
    for number, line in enumerate(Path("config.yaml").read_text().splitlines(), start=1):
        is_key = ":" in line and not line.lstrip().startswith(("#", "-"))
        opens_section = line.rstrip().endswith(":")
        in_table = line.strip().startswith(tuple(DEFAULT["modalities"]))
        assert not is_key or opens_section or in_table or "#" in line, f"config.yaml:{number} has no comment"


WRONG = [
    ("lm.training.batch_size", 3, "lm.training.batch_size is not a known key; known here: epochs"),
    ("typo", 1, "typo is not a known key"),
    ("seed", "one", "seed is 'one'; it must be of type integer"),
    ("seed", -1, "seed is -1; it must be at least 0"),
    ("lm.training.batch_utterances", 0, "lm.training.batch_utterances is 0; it must be at least 1"),
    ("lm.training.batch_utterances", -4, "lm.training.batch_utterances is -4; it must be at least 1"),
    ("lm.model.hidden_size", -1, "lm.model.hidden_size is -1"),
    ("units.clusters", 0, "units.clusters is 0; it must be at least 2"),
    ("corpus.world.hours.train", 0, "corpus.world.hours.train is 0; it must be greater than 0"),
    ("corpus.world.tasks.sblimp.pairs", 7, "pairs is 7; it must be a multiple of 2"),
    ("corpus.prompts", None, "corpus.prompts is None; it must be of type string"),
    ("corpus.libriheavy.train", ["tiny"], "corpus.libriheavy.train.0 is 'tiny'; it must be one of small, medium"),
    ("corpus.libriheavy.held_out", 0, "corpus.libriheavy.held_out is 0; it must be greater than 0"),
    (
        "corpus.libriheavy.split_exclusion",
        ["voice"],
        "corpus.libriheavy.split_exclusion.0 is 'voice'; it must be one of speaker, book",
    ),
    ("corpus.folder.train", "", "corpus.folder.train is ''"),
    ("corpus.folder.table", {"wav": "x"}, "corpus.folder.table.wav is not a known key"),
    ("corpus.folder.table", {"text": None}, "corpus.folder.table.text is None; it must be of type string"),
    ("corpus.librispeech.train", ["a", "a"], "corpus.librispeech.train"),
    ("corpus.librispeech.held_out", 1, "corpus.librispeech.held_out is 1; it must be less than 1"),
    ("corpus.text", "page", "corpus.text is 'page'; it must be one of given, book"),
    ("alignment.oov", "shrug", "alignment.oov is 'shrug'; it must be one of auto, drop, guess, noise"),
    ("corpus.source", "web", "corpus.source is 'web'; it must be one of world, manifest"),
    ("continuation.prompts", -1, "continuation.prompts is -1; it must be at least 0"),
    ("continuation.prompts_from", "web", "continuation.prompts_from is 'web'; it must be one of dev, list"),
    ("continuation.seconds", 0, "continuation.seconds is 0; it must be greater than 0"),
    ("continuation.seeds", 0, "continuation.seeds is 0; it must be at least 1"),
    ("continuation.temperature", 0, "continuation.temperature is 0; it must be greater than 0"),
    ("continuation.top_p", 1.2, "continuation.top_p is 1.2; it must be at most 1"),
    ("continuation.speech.vocoder_command", "griffin {mel}", "vocoder_command is 'griffin {mel}'; it must match"),
    ("continuation.speech.layers", 9, "continuation.speech.layers is 9; it must be at most 8"),
    ("continuation.judge.precision", "fp8", "judge.precision is 'fp8'; it must be one of fp32, bf16, int8, int4"),
    ("continuation.judge.hours", 0, "continuation.judge.hours is 0; it must be greater than 0"),
    ("continuation.random_strings", 0, "continuation.random_strings is 0; it must be at least 1"),
    ("report.listen_megabytes", 0, "report.listen_megabytes is 0; it must be greater than 0"),
    ("continuation.precision", "int8", "continuation.precision is 'int8'; it must be one of fp32, bf16"),
    ("modalities.text-bpe.source", "smell", "modalities.text-bpe.source is 'smell'; it must be one of text"),
    ("modalities.text-raw.vocab_size", 50, "modalities.text-raw.vocab_size is set"),
    ("modalities.text-raw.frame_rate", 50, "modalities.text-raw.frame_rate is 50; source text has no frames"),
    ("modalities.phone-raw.tokenizer", "char", "modalities.phone-raw.tokenizer is 'char'"),
    (
        "modalities.speech-hubert",
        {"source": "units", "tokenizer": "symbol"},
        "speech-hubert.frame_rate is missing; units",
    ),
    (
        "modalities.x",
        {"source": "tokens", "tokenizer": "symbol", "vocab_size": 9},
        "modalities.x.external is missing",
    ),
    (
        "modalities.x",
        {"source": "tokens", "tokenizer": "bpe", "vocab_size": 9, "external": "t"},
        "tokens it must be one of symbol",
    ),
    (
        "modalities.x",
        {"source": "tokens", "tokenizer": "symbol", "vocab_size": 65535, "external": "t"},
        "at most 65532 fit",
    ),
    (
        "modalities.x",
        {"source": "tokens", "tokenizer": "symbol", "vocab_size": 9, "external": "t", "frame_rate": 50},
        "frame_rate is 50; source tokens has no frames",
    ),
    ("modalities.x", {"source": "text", "tokenizer": "char", "external": "t"}, "modalities.x.external is set"),
    ("units.external", "mine", "with units.external it must be 0: prompts cannot be encoded"),
    ("units.external", 3, "units.external is 3; it must be of type string or null"),
    ("modalities.phone-bpe", {"source": "phones", "tokenizer": "bpe"}, "vocab_size is missing"),
    ("factors.0", {"name": "A", "from": "text-bpe", "to": "smoke"}, "names unknown modality 'smoke'"),
    ("corpus.source", "manifest", "corpus.manifest.train is not set"),
    ("corpus.world.speakers", 1, "corpus.world.tasks.swuggy.voices is 4, more than corpus.world.speakers"),
    ("units.layer", 9, "units.layer is 9; the encoder has 3 layers"),
    ("units.encoder.backend", "fairseq", "backend fairseq needs a checkpoint, a .pt file"),
    ("units.encoder.source", "x.pt", "a .pt file needs units.encoder.backend fairseq"),
    ("units.encoder.fairseq_python", "", "units.encoder.fairseq_python is ''"),
    ("units.chunk_seconds", 4.0, "units.chunk_seconds is 4.0; it must be more than twice"),
    ("units.overlap_seconds", 0, "units.overlap_seconds is 0; it must be at least 0.04"),
    ("units.decode_workers", -1, "units.decode_workers is -1; it must be at least 0"),
    ("units.device", "tpu", "units.device is 'tpu'; it must be one of cpu, cuda, auto"),
    ("units.precision", "fp8", "units.precision is 'fp8'; it must be one of fp32, bf16"),
    ("units.kmeans_spherical", 1, "units.kmeans_spherical is 1; it must be of type boolean"),
    ("units.encoder.heads", 3, "units.encoder.hidden_size is 128; it must be a multiple"),
    (
        "units.encoder.hidden_size",
        4 * 33 - 2,
        "hidden_size is 130; it must be a multiple of units.encoder.heads (4)",
    ),
    ("units.sweep.layers", [1, 4], "units.sweep.layers holds 4; the encoder has 3 layers"),
    ("alignment.beam", [40, 10], "alignment.beam is [40, 10]; the second is the wider one"),
    ("corpus.characters", "z-a", "corpus.characters is not the inside of a regular-expression class"),
    ("corpus.min_seconds", 30.0, "corpus.min_seconds is 30.0, not less than max_seconds"),
    ("units.sample_frames", 20, "units.clusters is 100, more than units.sample_frames"),
    ("lm.model.heads", 5, "hidden_size is 128; it must be an even multiple of lm.model.heads (5)"),
    ("lm.model.hidden_size", 132, "hidden_size is 132; it must be an even multiple of lm.model.heads (4)"),
    ("lm.model.kv_heads", 3, "lm.model.kv_heads is 3; it must divide lm.model.heads (4)"),
    ("lm.training.learning_rate", math.nan, "lm.training.learning_rate is nan; it must be a finite number"),
    ("lm.training.betas", [0.9, math.nan], "lm.training.betas.1 is nan; it must be a finite number"),
    ("lm.training.betas", [0.9], "lm.training.betas is [0.9]; it must have 2 items"),
    ("alignment.min_log_likelihood", -math.inf, "min_log_likelihood is -inf; it must be a finite number"),
    ("corpus.world.hours.train", math.inf, "corpus.world.hours.train is inf; it must be a finite number"),
    ("corpus.world.hours.train", 1e30, "corpus.world.hours.train is 1e+30; it must be at most 10000000.0"),
    ("corpus.shards.train", 10**9, "corpus.shards.train is 1000000000; it must be at most 100000"),
    ("lm.model.layers", 10**30, "it must be at most 10000 (transformer layers)"),
    ("lm.model.layers", True, "lm.model.layers is True; it must be of type integer"),
    ("lm.training.epochs", 2.5, "lm.training.epochs is 2.5; it must be of type integer"),
    ("units.conv_dim", [1], "units.conv_dim is not a known key"),
    ("units.encoder.conv_dim", [1], "units.encoder.conv_dim is [1]; it must have 7 items"),
    ("units.sweep.layers", [1, 1], "units.sweep.layers is [1, 1]; it must have no two equal items"),
    ("corpus.world.tasks.blimp", {"pairs": 2, "voices": 1}, "tasks.blimp is not a known key; known here: swuggy"),
    ("modalities.a b", {"source": "text", "tokenizer": "char"}, "modalities.a b: the name 'a b' must match"),
    ("modalities", {}, "modalities is {}; it must have at least 1 entries"),
    ("name", "../x", "name is '../x'; it must match"),
    ("name", datetime.date(2026, 1, 1), "name is datetime.date(2026, 1, 1); it must be of type string"),
    ("lm", None, "lm is None; it must be of type object (the language models)"),
    ("lm.model", [], "lm.model is []; it must be of type object"),
    ("corpus.max_seconds", 35.0, "lm.model.context is 1536; phone-repeat has 1752 tokens in a cut of"),
    ("lm.model.context", 1501, "speech-hubert has 1502 tokens in a cut of corpus.max_seconds = 30.0"),
    ("download.attempts", 0, "download.attempts is 0; it must be at least 1"),
    ("download.hosts", {"zerospeech": ["ftp://x"]}, "download.hosts.zerospeech.0 is 'ftp://x'"),
    ("download.datasets", "tsc", "download.datasets is 'tsc'; it must be of type array"),
    ("download.timeout", 0, "download.timeout is 0; it must be greater than 0"),
    ("share.with", "../x", "share.with is '../x'; it must match"),
    ("share.through", "lm", "share.through is 'lm'; it must be one of corpus, alignment, units, tokens"),
    ("seeds", [2, 2], "seeds is [2, 2]"),
    ("lm.data_shares", [0.5, 0.5], "lm.data_shares is [0.5, 0.5]"),
    ("lm.data_shares", [1.0], "lm.data_shares.0 is 1.0; it must be less than 1"),
    ("cluster.gpus.lm", -1, "cluster.gpus.lm is -1; it must be at least 0"),
    ("seeds", [-1], "seeds.0 is -1; it must be at least 0"),
    ("seeds", [2, 1], "seeds holds seed = 1; name further seeds only"),
    ("evaluation.control_items", 7, "evaluation.control_items is 7; it must be a multiple of 2"),
    ("evaluation.external_systems", {"x": {}}, "evaluation.external_systems.x is {}; it must have at least 1 entries"),
    (
        "evaluation.external_systems",
        {"x": {"stories": "f"}},
        "external_systems.x.stories is not a task of this corpus",
    ),
    (
        "evaluation.external_systems",
        {"text-bpe": {"swuggy": "f"}},
        "external_systems.text-bpe has the name of a modality",
    ),
    ("evaluation.submission.gpu_budget", -1, "evaluation.submission.gpu_budget is -1; it must be at least 0"),
    ("report.formats", [], "report.formats is []; it must have at least 1 items"),
]


@pytest.mark.parametrize(("path", "value", "says"), WRONG)
def test_a_wrong_key_is_refused_by_its_path(path: str, value: object, says: str):
    config = changed(path, value) if not path[-1].isdigit() else copy.deepcopy(DEFAULT)
    if path == "factors.0":
        config["factors"][0] = value
    with pytest.raises(ValueError, match="the configuration cannot be used") as error:
        check(config)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("task", "says"),
    [
        (3, "tasks.t is 3; it must be of type string or object"),
        ({}, "tasks.t.format is missing"),
        ({"format": "blimp"}, "tasks.t.format is 'blimp'; it must be one of slm21-lexical"),
        ({"format": "storycloze", "folder": "x", "voice": 1}, "tasks.t.voice is not a known key"),
        ({"format": "storycloze"}, "tasks.t must have either dataset (it is downloaded) or folder"),
        ({"format": "storycloze", "folder": "x", "dataset": "tsc"}, "tasks.t must have either dataset"),
        ({"format": "slm21-lexical", "dataset": "slm21"}, "tasks.t.split is missing; dev or test"),
        ({"format": "slm21-lexical", "dataset": "slm21", "split": "train"}, "split is 'train'; it must be one of"),
        ({"format": "storycloze", "folder": "x", "split": "dev"}, "tasks.t.split is set; storycloze has no halves"),
        ({"format": "slm21-lexical", "folder": "x", "split": "dev", "transcripts": "y"}, "tasks.t.transcripts is set"),
    ],
)
def test_a_wrong_test_set_is_refused_by_its_key(task: object, says: str):
    config = changed("corpus.source", "manifest")
    config["corpus"]["manifest"] |= {"train": "a", "dev": "b", "audio_root": "c", "tasks": {"t": task}}
    with pytest.raises(ValueError, match="the configuration cannot be used") as error:
        check(config)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ({"dev": ["train-clean-5"]}, "librispeech: train-clean-5 is in train and in dev; dev: [] takes speakers out"),
        ({"train": ["train-clean-7"]}, "librispeech.train: 'train-clean-7' cannot be fetched; set audio_root, or take"),
        ({"audio_root": "x", "dev": ["../dev"]}, "librispeech.dev: '../dev' is not the name of a folder below audio"),
    ],
)
def test_wrong_subsets_are_refused_by_name(section: dict[str, object], says: str):
    config = changed("corpus.source", "librispeech")
    config["corpus"]["librispeech"] |= section
    with pytest.raises(ValueError, match="the configuration cannot be used") as error:
        check(config)
    assert says in str(error.value)


def test_the_tables_of_both_splits_are_two():
    config = changed("corpus.source", "folder")
    config["corpus"]["folder"] |= {"audio_root": "x", "table": {"train": "a.tsv", "dev": "a.tsv"}}
    with pytest.raises(ValueError, match=r"corpus\.folder\.table\.train and dev are the same file; they must be two"):
        check(config)


def test_a_missing_key_is_named():
    config = copy.deepcopy(DEFAULT)
    del config["lm"]["training"]["epochs"]
    with pytest.raises(ValueError, match=r"lm\.training\.epochs is missing"):
        check(config)


@pytest.mark.parametrize(("key", "value"), [("external", "mfa"), ("triphone", {"leaves": 500, "gaussians": 2000})])
def test_the_flat_word_loop_needs_monophones_trained_here(key: str, value: object):
    config = changed(f"alignment.{key}", value)
    with pytest.raises(
        ValueError, match=rf"alignment\.{key} is set, but continuation\.recogniser kaldi needs monophones"
    ):
        check(config)
    check({**config, "continuation": {**config["continuation"], "recogniser": "large-v3"}})
    check({**config, "continuation": {**config["continuation"], "prompts": 0}})


def test_all_problems_are_listed_at_once():
    config = changed("seed", -1)
    config["tokens"]["silence"] = "loud"
    with pytest.raises(ValueError) as error:  # noqa: PT011 - both lines are checked below
        check(config)
    assert "seed is -1" in str(error.value)
    assert "tokens.silence is 'loud'" in str(error.value)


def test_tasks_are_those_of_the_source():
    assert task_names(DEFAULT) == ["swuggy", "sblimp", "topic-storycloze"]
    assert task_names(changed("corpus.source", "manifest")) == []


def test_seed_replicas_are_every_modality_under_every_further_seed():
    assert seed_replicas(DEFAULT) == {}
    found = seed_replicas(changed("seeds", [7, 8]))
    assert len(found) == 12
    assert found["phone-raw-seed8"] == ("phone-raw", 8)
    config = changed("seeds", [7])
    config["modalities"]["phone-raw-seed7"] = config["modalities"]["phone-raw"]
    with pytest.raises(ValueError, match="has the name that `seeds` gives a seed replica"):
        check(config)


def test_a_modality_must_not_have_the_name_of_a_model_on_a_share():
    config = changed("lm.data_shares", [0.25])
    check(config)
    config["modalities"]["phone-raw-data25"] = config["modalities"]["phone-raw"]
    with pytest.raises(ValueError, match=r"phone-raw-data25 has the name that `lm\.data_shares` gives a model"):
        check(config)


@pytest.mark.parametrize(("path", "value"), [case[:2] for case in WRONG if case[0] != "factors.0"])
def test_the_json_schema_refuses_what_the_definitions_refuse(path: str, value: object):
    config = changed(path, value)
    _, problems = read(Configuration, config)
    errors = [*JSON_SCHEMA.iter_errors(config)]
    assert bool(errors) == bool(problems) or "a finite number" in problems[0]  # JSON knows no other numbers


def test_a_modality_of_null_is_left_out_with_its_factors():
    config = complete({"modalities": {"phone-bpe": None}}, Path())
    check(config)
    assert "phone-bpe" not in config["modalities"]
    assert [(factor["name"], factor["from"]) for factor in config["factors"]] == [
        ("A", "text-raw"),
        ("B", "phone-raw"),
        ("C", "phone-repeat"),
    ]
    assert complete(as_given(config), Path()) == config
    with pytest.raises(ValueError, match="modalities"):
        check(complete({"modalities": dict.fromkeys(config["modalities"] | {"phone-bpe": {}})}, Path()))
