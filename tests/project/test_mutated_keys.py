"""Every key of the configuration, changed in 17 ways: one clear line, or an accepted configuration."""

import copy
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.project.check import check
from tests.factories.workflow import ROOT

CHANGES = {
    "nothing": None,
    "true": True,
    "no text": "",
    "text": "x",
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
}
NOT_FINITE = ("nan", "infinite", "minus infinite", "absurd")
UNBOUNDED = {"seed", "slowest"}  # a whole number of any size, and a speed whose default is one


def defaults() -> dict[str, Any]:
    """The configuration of `snakemake` without any flag."""
    files = [yaml.safe_load((ROOT / name).read_text()) for name in ("resources/plan.yaml", "config.yaml")]
    return {**files[0], **files[1]}


def paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every key and every list item."""
    if path:
        yield path
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from paths(value, (*path, key))


def changed(config: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    config = copy.deepcopy(config)
    node = config
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return config


def at(node: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        node = node[key]
    return node


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_key_is_taken_or_refused_by_name(change):
    config, value = defaults(), CHANGES[change]
    refused = 0
    for path in paths(config):
        try:
            check(changed(config, path, value))
        except ValueError as error:  # anything else is a crash
            refused += 1
            heading, *lines = str(error).splitlines()
            assert heading == "the configuration cannot be used:"
            assert all(line.startswith("  config: ") and len(line) < 1000 for line in lines), lines
            name = next(str(key) for key in reversed(path) if isinstance(key, str))
            assert any(name in line for line in lines), (path, lines)
        else:
            assert change not in NOT_FINITE or "seed" in path, f"{path} takes {value}"
            is_whole = isinstance(at(config, path), int) and not isinstance(at(config, path), bool)
            assert not (change == "huge" and is_whole and path[0] != "plan" and path[-1] not in UNBOUNDED), path
    assert refused > 100  # of some 350 keys


def test_a_number_that_yaml_reads_as_a_text_is_explained():
    config = defaults()
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
