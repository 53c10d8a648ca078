"""One list of pins: the conda environments and the locks repeat it, the rules use them, an image is made of it."""

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.factories.rules import read_rules
from tests.factories.workflow import Workflow

GROUPS: dict[str, list[Any]] = tomllib.loads(Path("pyproject.toml").read_text())["dependency-groups"]
LOCKS = {"requirements.lock": "core", "requirements-gpu.lock": "gpu"}


def pins(group: str) -> set[str]:
    """Requirements of a group and of the groups that it includes."""
    found = set()
    for requirement in GROUPS[group]:
        found |= {requirement} if isinstance(requirement, str) else pins(requirement["include-group"])
    return found


def in_conda(name: str) -> set[str]:
    return set(yaml.safe_load(Path(f"envs/{name}.yaml").read_text())["dependencies"][-1]["pip"])


def commands(target: str) -> str:
    """What make would run for a target that is out of date, without the flags of pip that only make less noise."""
    own = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")}
    plan = subprocess.run(["make", "-nB", target], env=own, capture_output=True, text=True, check=True).stdout
    return re.sub(r" --(quiet|disable-pip-version-check)", "", plan)


def test_every_requirement_is_pinned_exactly():
    for group in GROUPS:
        for requirement in pins(group):
            assert re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", requirement), f"{group}: {requirement}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("core", pins("core")), ("whisper", pins("core") | pins("whisper")), ("gpu", pins("gpu"))],
)
def test_a_conda_environment_names_the_same_pins(name: str, expected: set[str]):
    assert in_conda(name) == expected


def test_fairseqs_environment_names_the_pins_of_its_target():
    assert in_conda("fairseq") == set(re.findall(r'"([a-z]+==[0-9.]+)"', commands("fairseq"))) - {"pip==24.0"}
    assert in_conda("fairseq").isdisjoint(pins("core"))


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_every_pin_and_hashes_and_no_place(lock: str):
    text = Path(lock).read_text()
    locked = dict(re.findall(r"^([a-z0-9-]+)==(\S+) \\$", text, re.MULTILINE))
    for block in re.split(r"\n(?=[a-z])", text)[1:]:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block.splitlines()[0]
    for pin in pins(LOCKS[lock]):
        name, version = re.sub("[._]", "-", pin.split("==")[0].lower()), pin.split("==")[1]
        if (lock, name) != ("requirements.lock", "torch"):  # its wheel differs by index: CPU or CUDA
            assert locked[name] == version, f"{pin} is not in {lock}; run `make lock`"
    assert ("torch" in locked) == (lock == "requirements-gpu.lock")
    if lock == "requirements.lock":
        assert not [name for name in locked if name.startswith(("nvidia", "cuda", "triton", "faiss-gpu"))]
    # No index, no path: who installs brings those.
    assert not re.findall(r"https?:|file:|--(?:index|extra-index|find-links)|@ |(?<![\w-])/\w+", text)


def test_the_image_is_made_of_the_same_pins_in_the_same_steps():
    steps = Path("envs/core.def").read_text().replace("--no-cache-dir ", "")
    for line in commands(".venv/core").splitlines():
        if "pip install" in line:
            assert line.strip().replace(".venv/bin/", "") in steps
    python = yaml.safe_load(Path("envs/core.yaml").read_text())["dependencies"][0].removeprefix("python=")
    assert f"From: python:{python}-" in steps
    for name in re.findall(r"^ +(\S+) /opt/environment/", steps, re.MULTILINE):
        assert Path(name).exists()


MANIFEST = {"train": "a.jsonl", "dev": "b.jsonl", "audio_root": "audio"}
LEXICAL = {"format": "slm21-lexical", "split": "dev", "dataset": "slm21"}
WITHOUT_PROMPTS = {"continuation": {"prompts": 0}}
# Together they read every file of rules: each source of a corpus, and what is made elsewhere.
CONFIGURATIONS: list[dict[str, Any]] = [
    {"seeds": [2], "evaluation": {"external_systems": {"theirs": {"swuggy": "scores.txt"}}}},
    {
        **WITHOUT_PROMPTS,
        "corpus": {"source": "manifest", "manifest": {**MANIFEST, "tasks": {"swuggy": LEXICAL}}},
        "units": {"external": "units"},
    },
    {**WITHOUT_PROMPTS, "units": {"command": "tokenizer {files} {units}"}},
    {
        **WITHOUT_PROMPTS,
        "corpus": {"source": "libriheavy"},
        "modalities": {"mine": {"source": "tokens", "tokenizer": "symbol", "vocab_size": 9, "external": "tokens"}},
    },
    {
        **WITHOUT_PROMPTS,
        "corpus": {"source": "folder", "folder": {"audio_root": "audio"}},
        "alignment": {"external": "alignments"},
    },
    {
        "ladders": [
            {
                "name": "B-C",
                "from": "phone-raw",
                "steps": [{"name": "B", "to": "phone-repeat"}, {"name": "C", "to": "speech-hubert"}],
            }
        ]
    },
]


def test_every_rule_with_a_shell_names_an_environment_that_exists():
    found = [rule for config in CONFIGURATIONS for rule in read_rules(config)]
    for rule in found:
        if rule.shell:
            assert rule.environment, f"{rule.name} has no conda environment"
            assert Path(rule.environment).exists(), rule
    # These set paths alone, or include others.
    without_rules = {
        "common.smk",
        "corpus_libriheavy.smk",
        "corpus_librispeech.smk",
        "corpus_manifest.smk",
        "data_shares.smk",
        "here.smk",
        "units.smk",
    }
    assert {rule.file for rule in found} >= {p.name for p in Path("workflow/rules").glob("*.smk")} - without_rules


def test_a_rule_that_asks_for_gpus_has_an_environment_with_their_libraries():
    gpus = dict.fromkeys(("units", "lm", "evaluation", "continuation"), 1)
    asking = [rule for rule in read_rules({"cluster": {"gpus": gpus}}) if rule.gpus]
    assert {"units_extract", "lm_train", "evaluation_score", "continuation_generate"} <= {rule.name for rule in asking}
    assert {Path(str(rule.environment)).stem for rule in asking} == {"gpu"}
    assert not [rule for rule in read_rules({}) if rule.gpus]


# What Snakemake asks conda before it shows a plan; there is no conda here.
CONDA = """#!/bin/sh
case "$*" in
    "info --json") echo '{"conda_prefix": "/none", "conda_version": "25.1.0", "platform": "linux-64"}' ;;
    "--version") echo "conda 25.1.0" ;;
    *) echo '{"get": {"channel_priority": "strict"}}' ;;
esac
"""


@pytest.mark.parametrize(
    ("overlay", "expected"),
    [
        ("continuation: {recogniser: large-v3}", {"core", "whisper"}),
        ("continuation: {recogniser: large-v3}\ncluster: {gpus: {lm: 1, continuation: 1}}", {"core", "gpu"}),
    ],
)
def test_a_dry_run_with_conda_shows_which_environments_it_would_make(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch, overlay: str, expected: set[str]
):
    conda = workflow.folder / "bin/conda"
    conda.parent.mkdir()
    conda.write_text(CONDA)
    conda.chmod(0o755)
    monkeypatch.setenv("PATH", str(conda.parent), prepend=":")
    done = workflow.snakemake("--dry-run", "--sdm", "conda", "--configfile", workflow.overlay(overlay))
    assert set(re.findall(r"Conda environment envs/(\w+)\.yaml will be created", done.stdout + done.stderr)) == expected
