"""Every key that a configuration may have, changed in some twenty ways: one clear line, or it is taken.

The default configuration holds a part of the keys; the overlays of workflow/configs and those of SOURCES hold the rest,
and a test holds their union to the typed definitions.
"""

import copy
import math
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from scripts.common.bounds import fits, members, split
from scripts.common.config import hints_of, key_of
from scripts.plan import costs
from scripts.plan.amounts import Amounts
from scripts.project.check import check
from scripts.project.config import Configuration
from tests.factories.workflow import ROOT
from tests.plan.conftest import MINI, merged

CHANGES = {
    "nothing": None,
    "true": True,
    "no text": "",
    "text": "x",
    "long text": "x" * 5000,
    "text with a line end": "x\n",
    "text with a zero byte": "x\0y",
    "text with braces": "{x}",
    "number as text": "3e-4",
    "negative": -1,
    "zero": 0,
    "fraction": 0.5,
    "nan": math.nan,
    "infinite": math.inf,
    "minus infinite": -math.inf,
    "huge": 10**12,
    "absurd": 10**30,
    "no list": [],
    "list of nothing": [None],
    "no object": {},
    "unknown key": {"no-such-key": 1},
    "number as key": {1: 1},
}
NOT_FINITE = ("nan", "infinite", "minus infinite", "absurd")
UNBOUNDED = {"seed", "seeds", "slowest"}  # whole numbers of any size, and a speed whose default is one
PUBLISHED = {"format": "slm21-lexical", "split": "dev", "dataset": "slm21"}
STORIES = {"format": "storycloze", "folder": "stories", "transcripts": "stories.tsv"}
# What neither config.yaml nor an overlay says: the user's own data, made elsewhere or fetched, and keys that are null.
SOURCES: dict[str, dict[str, Any]] = {
    "a manifest": {
        "corpus": {
            "source": "manifest",
            "manifest": {"train": "a.jsonl", "dev": "b.jsonl", "audio_root": "audio", "lexicon": "words.txt",
                         "tasks": {"mine": "items.jsonl", "swuggy": PUBLISHED, "topic-storycloze": STORIES}},
        },
        "download": {"datasets": ["slm21"], "hosts": {"zerospeech": ["https://mirror.example/"]}},
        "evaluation": {"text_tasks": {"blimp": "blimp"}},
        "continuation": {
            "recogniser": "large-v3",
            "judge": {"source": "gpt2"},
            "speech": {"reference_speaker": "7", "vocoder_command": "voc {mel} {wav}"},
        },
        "alignment": {"triphone": {"leaves": 500, "gaussians": 2000}},
        "plan": {"hours": {"train": 10.0, "dev": 1.0}, "tasks": {"mine": {"sides": 40, "seconds": 2.0},
                                                                 "swuggy": {"sides": 80, "seconds": 0.6}}},
    },
    "parts of LibriHeavy": {
        "corpus": {
            "source": "libriheavy",
            "libriheavy": {"train": ["small"], "dev": [], "manifests": "manifests", "audio_root": "/data",
                           "lexicon": "words.txt", "tasks": {"topic-storycloze": STORIES}},
        },
    },
    "a tree in LibriSpeech's layout": {
        "corpus": {
            "source": "librispeech",
            "librispeech": {"audio_root": "LibriSpeech", "train": ["mine"], "dev": [], "lexicon": "words.txt",
                            "tasks": {"mine": "items.jsonl"}},
            "dev_tasks": {"next": {"pairs": 4, "context": 2, "negative": "same-chapter"}},
        },
        "plan": {"hours": {"train": 10.0, "dev": 1.0}, "tasks": {"mine": {"sides": 40, "seconds": 2.0}}},
    },
    "a folder with a table": {
        "corpus": {
            "source": "folder",
            "folder": {"audio_root": "clips", "lexicon": "words.txt", "tasks": {"mine": "items.jsonl"},
                       "table": {"train": "a.tsv", "dev": "b.tsv", "file": "path", "text": "sentence",
                                 "speaker": "client_id"}},
        },
        "plan": {"hours": {"train": 10.0, "dev": 1.0}, "tasks": {"mine": {"sides": 40, "seconds": 2.0}}},
    },
    "all made elsewhere": {
        "alignment": {"external": "mfa"},
        "units": {"external": "units"},
        "modalities": {"theirs": {"source": "tokens", "tokenizer": "symbol", "vocab_size": 500, "external": "tokens"}},
        "continuation": {"prompts": 0},
        "evaluation": {"external_systems": {"their-system": {"swuggy": "scores.csv"}}},
        "share": {"with": "other", "through": "alignment"},
        "seeds": [7],
        "lm": {"data_shares": [0.5], "training": {"patience": 3}},
    },
}  # fmt: skip


def configurations() -> dict[str, dict[str, Any]]:
    """The default configuration, with each overlay of the repository, and with each of SOURCES."""
    overlays = {path.stem: yaml.safe_load(path.read_text()) for path in sorted(ROOT.glob("workflow/configs/*.yaml"))}
    overlays["dials-more"] = merged(overlays["dials"], overlays["dials-more"])  # for use over dials.yaml alone
    return {name: merged(MINI, overlay) for name, overlay in {"default": {}, **overlays, **SOURCES}.items()}


CONFIGURATIONS = configurations()


def paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every key, and of the first item of every list of texts or numbers and all items of other lists."""
    if path:
        yield path
    if isinstance(node, list):
        node = dict(enumerate(node if node and isinstance(node[0], dict | list) else node[:1]))
    for key, value in node.items() if isinstance(node, dict) else ():
        yield from paths(value, (*path, key))


def changed(config: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    config = copy.deepcopy(config)
    node = at(config, path[:-1])
    node[path[-1]] = value
    return config


def at(node: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        node = node[key]
    return node


def places() -> dict[str, list[tuple[Any, ...]]]:
    """Of each configuration the keys that no other one before has, and all of its source's."""
    seen: set[tuple[Any, ...]] = set()
    found = {}
    for name, config in CONFIGURATIONS.items():
        own, source = list(paths(config)), ("corpus", config["corpus"]["source"])
        found[name] = [path for path in own if path not in seen or path[:2] == source != ("corpus", "world")]
        seen |= set(own)
    return found


PLACES = places()


def definitions(hint: Any) -> Iterator[tuple[type, str]]:
    """(dataclass, key) of every key that a value of this annotation may have."""
    for member in members(hint):
        cls, _ = split(member)
        if isinstance(cls, type) and is_dataclass(cls):
            for field in fields(cls):
                yield cls, key_of(field.name)
                yield from definitions(hints_of(cls)[field.name])
        else:
            for inner in get_args(cls):
                yield from definitions(inner)


def visited(hint: Any, value: Any) -> Iterator[tuple[type, str]]:
    """(dataclass, key) of every key that this value has."""
    cls = next(cls for cls, _ in map(split, members(hint)) if fits(cls, value))
    if isinstance(cls, type) and is_dataclass(cls):
        for field in fields(cls):
            if key_of(field.name) in value:
                yield cls, key_of(field.name)
                yield from visited(hints_of(cls)[field.name], value[key_of(field.name)])
    elif isinstance(value, dict):
        for item in value.values():
            yield from visited(get_args(cls)[1], item)
    elif isinstance(value, list):
        for item in value:
            yield from visited(get_args(cls)[0], item)


def test_these_configurations_hold_every_key_of_the_definitions_and_are_taken():
    for config in CONFIGURATIONS.values():
        check(config)
    held = {key for config in CONFIGURATIONS.values() for key in visited(Configuration, config)}
    assert held == set(definitions(Configuration))


def refusal(config: dict[str, Any]) -> list[str]:
    """The lines with which a configuration is refused; none if it is taken. Anything but a ValueError is a crash."""
    try:
        check(config)
    except ValueError as error:
        heading, *lines = str(error).splitlines()
        assert heading == "the configuration cannot be used:"
        assert lines
        assert all(line.startswith("  config: ") and len(line) < 1000 for line in lines), lines
        return lines
    return []


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_key_is_taken_or_refused_by_name(change):
    value = CHANGES[change]
    refused = 0
    for name, keys in PLACES.items():
        for path in keys:
            lines = refusal(changed(CONFIGURATIONS[name], path, value))
            if lines:
                refused += 1
                key = next(str(key) for key in reversed(path) if isinstance(key, str))
                assert any(key in line for line in lines), (name, path, lines)
                continue
            assert change not in NOT_FINITE or UNBOUNDED & set(path), f"{name}: {path} takes {value}"
            before = at(CONFIGURATIONS[name], path)
            is_whole = isinstance(before, int) and not isinstance(before, bool)
            assert not (change == "huge" and is_whole and path[0] != "plan" and not UNBOUNDED & set(path)), path
    assert refused > 300  # of some 700 keys


def test_an_added_or_missing_key_is_refused_by_name():
    refused = 0
    for name, keys in PLACES.items():
        config = CONFIGURATIONS[name]
        for path in keys:
            if isinstance(at(config, path), dict):
                lines = refusal(changed(config, (*path, "no such key"), 1))
                assert any("no such key" in line for line in lines), (name, path, lines)
            if isinstance(path[-1], str):
                less = copy.deepcopy(config)
                del at(less, path[:-1])[path[-1]]
                lines = refusal(less)
                refused += bool(lines)
                assert not lines or any(str(key) in line for key in path[-2:] for line in lines), (name, path, lines)
    assert refused > 250


@pytest.mark.parametrize("change", ["zero", "fraction", "huge", "nothing"])
def test_what_is_taken_can_be_planned(change):
    """Whatever its size: the plan says what does not fit, it does not refuse."""
    for name, keys in PLACES.items():
        for path in keys:
            config = changed(CONFIGURATIONS[name], path, CHANGES[change])
            if refusal(config):
                continue
            try:
                amounts = Amounts(config)
            except ValueError as error:
                assert "plan." in str(error)  # noqa: PT017 - hours or sizes that only the user knows
            else:
                assert all(math.isfinite(costs.held_seconds(rule, 1, amounts)) for rule in costs.work.FORMULAS), path


def test_a_number_that_yaml_reads_as_a_text_is_explained():
    config = MINI
    for text, number in (("3e-4", "3.0e-4"), ("1e5", "1.0e+5"), (".5E-2", "0.5e-2"), ("-2.e3", "-2.0e+3")):
        with pytest.raises(ValueError, match="learning_rate") as error:
            check(changed(config, ("lm", "training", "learning_rate"), text))
        assert f"YAML reads {text} as a text; write {number}" in str(error.value)
        assert isinstance(yaml.safe_load(number), float)
    with pytest.raises(ValueError, match="YAML reads a number in quotes as a text; write 8"):
        check(changed(config, ("lm", "training", "epochs"), "8"))


def dry_run(folder: Path, overlay: str) -> subprocess.CompletedProcess[str]:
    """A dry run of the default configuration with an overlay."""
    (folder / "overlay.yaml").write_text(overlay)
    command = [sys.executable, "-m", "snakemake", "-n", "--quiet", "--configfile", str(folder / "overlay.yaml")]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("overlay", "says"),
    [
        ("lm: {training: {learning_rate: .nan}}", "lm.training.learning_rate is nan; it must be a finite number"),
        ("lm: {training: {learning_rate: 3e-4}}", "write 3.0e-4"),
        ("lm: {training: {epochs: 1000000000000}}", "lm.training.epochs is 1000000000000; it must be at most"),
        ("continuation: {top_p: .inf}", "continuation.top_p is inf"),
        ("units: {encoder: {mask_start: .nan}}", "units.encoder.mask_start is nan"),
        ("corpus: {world: {hours: {train: .inf}}}", "corpus.world.hours.train is inf"),
        ("download: {timeout: .nan}", "download.timeout is nan"),
        ("seed: -1", "seed is -1"),
        ("name: ''", "name is ''"),
        ("epochs: 3", "epochs is not a known key"),
        ("corpus: []", "corpus"),
        ("modalities: {text-bpe: {source: smell}}", "modalities.text-bpe.source is 'smell'"),
    ],
)
def test_a_dry_run_refuses_in_one_line(tmp_path, overlay, says):
    run = dry_run(tmp_path, overlay)
    assert run.returncode != 0
    assert says in run.stdout
    assert "Traceback" not in run.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "overlay", ["corpus: {world: {hours: {train: 5000}}}", "lm: {model: {hidden_size: 8192}}", "seed: 123456789"]
)
def test_a_dry_run_never_refuses_for_size(tmp_path, overlay):
    run = dry_run(tmp_path, overlay)
    assert run.returncode == 0, run.stdout[-2000:]
