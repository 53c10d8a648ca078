"""Crossings, ladders and dials on small made tables: values by hand, sums, intervals, what is left blank."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from scripts.common.files import read_csv, write_csv, write_json
from scripts.evaluation import crossing, dials, ladder
from tests.evaluation.made_scores import nested, write_bits, write_scores

CONFIG = json.dumps({"bootstrap_samples": 200, "score_normalization": "total"})
SHARES = {"raw": 0.95, "repeat": 0.9, "collapsed": 0.8, "units": 0.6}  # B costs 5, then 20; C 15, then 30
BITS = {"raw": 10.0, "repeat": 20.0, "collapsed": 15.0, "units": 40.0}
CROSSING = {"name": "x", "cells": {"B+C": "units", "none": "raw", "C": "collapsed", "B": "repeat"}}
LADDER = {
    "name": "l",
    "from": "raw",
    "steps": [{"name": "first", "to": "repeat"}, {"name": "then", "to": "collapsed"}, {"name": "last", "to": "units"}],
}
DIAL = {"name": "d", "factor": "B", "dose": "rate", "unit": "Hz",
        "points": [{"modality": name, "dose": dose} for dose, name in enumerate(SHARES)]}  # fmt: skip


@pytest.fixture
def evaluation(tmp_path: Path) -> Path:
    write_scores(tmp_path, "t", nested(SHARES))
    write_bits(tmp_path, {name: bits * np.array([1.0, 2.0, 3.0]) for name, bits in BITS.items()}, seconds=2.0)
    return tmp_path


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, evaluation: Path) -> Callable[..., list[dict[str, str]]]:
    """Run a step's `main` over the made scores and read what it writes."""

    def run(module: ModuleType, *arguments: object, seeds: tuple[int, ...] = (1,)) -> list[dict[str, str]]:
        base = ("--evaluation", evaluation, "--dropped", evaluation / "dropped.csv", "--tasks", "t", "--config", CONFIG)
        arguments = (*base, "--seeds", *seeds, "--out", evaluation / "out.csv", *arguments)
        monkeypatch.setattr(sys, "argv", [module.__name__, *map(str, arguments)])
        module.main()
        return read_csv(evaluation / "out.csv")

    return run


def keyed(rows: list[dict[str, str]], *names: str) -> dict[tuple[str, ...], dict[str, str]]:
    found = {tuple(row[name] for name in names): row for row in rows}
    assert len(found) == len(rows)
    return found


def crossed(call: Callable, entry: dict = CROSSING, **more: tuple[int, ...]) -> dict[tuple[str, ...], dict[str, str]]:
    rows = call(crossing, "--crossings", json.dumps({"crossings": [entry]}), **more)
    return keyed(rows, "metric", "quantity", "factor", "given")


def test_changes_interaction_and_shapley_values_by_hand(call):
    found = crossed(call)
    value = {key[1:]: float(row["value"]) for key, row in found.items() if key[0] == "accuracy"}
    assert value["cell", "", "none"] == 95
    assert value["change", "B", "none"] == pytest.approx(-5)
    assert value["change", "B", "C"] == pytest.approx(-20)
    assert value["change", "C", "none"] == pytest.approx(-15)
    assert value["change", "C", "B"] == pytest.approx(-30)
    assert value["interaction", "B x C", "none"] == pytest.approx(-15)
    assert value["shapley", "B", ""] == pytest.approx(-12.5)
    assert value["shapley", "C", ""] == pytest.approx(-22.5)
    assert value["whole", "", ""] == pytest.approx(-35)
    assert value["share", "C", ""] == pytest.approx(100 * 22.5 / 35, abs=1e-4)
    bits = {key[1:]: float(row["value"]) for key, row in found.items() if key[0] == "bits_per_second"}
    assert bits["whole", "", ""] == 30
    assert bits["interaction", "B x C", "none"] == 15
    assert {key[0] for key in found} == {"accuracy", "couples", "bits_per_second"}


def test_intervals_hold_the_value_and_are_paired(call):
    for row in crossed(call).values():
        if row["value"]:
            assert float(row["ci_low"]) <= float(row["value"]) <= float(row["ci_high"]), row
    whole = crossed(call)["bits_per_second", "whole", "", ""]
    assert float(whole["ci_low"]) < 30 < float(whole["ci_high"])
    share = crossed(call)["bits_per_second", "share", "B", ""]
    assert share["ci_low"] == share["ci_high"] == share["value"]  # every utterance changes in the same ratio


def test_a_text_before_the_crossing_keeps_its_change_whole(call, evaluation):
    write_scores(evaluation, "t", nested({"text": 1.0}))
    write_bits(evaluation, {"text": np.array([9.0, 18.0, 27.0])})
    cells = {"none": "text", "A": "raw", "A+B": "repeat", "A+C": "collapsed", "A+B+C": "units"}
    found = crossed(call, {"name": "x", "cells": cells})
    assert float(found["accuracy", "shapley", "A", ""]["value"]) == pytest.approx(-5)
    assert float(found["accuracy", "interaction", "B x C", "A"]["value"]) == pytest.approx(-15)
    assert ("accuracy", "interaction", "A x B", "none") not in found
    total = sum(float(found["accuracy", "share", factor, ""]["value"]) for factor in "ABC")
    assert total == pytest.approx(100, abs=1e-4)


def test_a_share_of_nothing_is_blank_and_chance_is_named(call, evaluation):
    write_scores(evaluation, "t", nested(dict.fromkeys(SHARES, 0.5)))
    found = crossed(call)
    assert found["accuracy", "share", "B", ""]["value"] == ""
    assert found["accuracy", "whole", "", ""]["value"] == "0.0"
    assert found["accuracy", "whole", "", ""]["at_chance"] == "raw, units"
    assert found["accuracy", "change", "C", "none"]["at_chance"] == "raw, collapsed"
    assert found["bits_per_second", "whole", "", ""]["at_chance"] == ""


def test_further_seeds_are_averaged(call, evaluation):
    write_scores(
        evaluation, "t", {f"{name}-seed2": won for name, won in nested({n: s - 0.1 for n, s in SHARES.items()}).items()}
    )
    write_bits(evaluation, {f"{name}-seed2": bits * np.array([1.0, 2.0, 3.0]) for name, bits in BITS.items()})
    found = crossed(call, seeds=(1, 2))
    assert float(found["accuracy", "cell", "", "none"]["value"]) == pytest.approx(90)
    assert float(found["accuracy", "whole", "", ""]["value"]) == pytest.approx(-35)
    assert found["accuracy", "whole", "", ""]["seeds"] == "2"


def test_the_same_bytes_from_the_same_scores(call, evaluation):
    crossed(call)
    first = (evaluation / "out.csv").read_bytes()
    crossed(call)
    assert (evaluation / "out.csv").read_bytes() == first


def test_steps_of_a_ladder_add_up_to_its_whole(call):
    rows = call(ladder, "--ladders", json.dumps({"ladders": [LADDER]}))
    found = keyed(rows, "metric", "quantity", "step")
    for metric in ("accuracy", "couples", "bits_per_second"):
        steps = [float(row["value"]) for key, row in found.items() if key[:2] == (metric, "step")]
        assert sum(steps) == pytest.approx(float(found[metric, "whole", ""]["value"]), abs=1e-5)
        shares = [float(row["value"]) for key, row in found.items() if key[:2] == (metric, "share")]
        assert sum(shares) == pytest.approx(100, abs=1e-4)
    assert float(found["accuracy", "step", "then"]["value"]) == pytest.approx(-10)
    assert (found["accuracy", "step", "then"]["baseline"], found["accuracy", "step", "then"]["modality"]) == (
        "repeat", "collapsed")  # fmt: skip
    low, high = (float(found["accuracy", "share", "then"][name]) for name in ("ci_low", "ci_high"))
    assert low < 100 * 10 / 35 < high


def test_a_dial_has_changes_thresholds_and_rates(call, evaluation):
    for place, name in enumerate(SHARES):
        write_json(evaluation / f"tokens/{name}/stats.json", {"splits": {"train": {"tokens_per_second": 10.0 + place}}})
    columns = ["modality", "task", "measure", "quantity", "value", "ci_low", "ci_high", "n", "text"]
    threshold = {"modality": "repeat", "task": "t", "quantity": "threshold", "value": "inf", "ci_low": 12.0,
                 "ci_high": "inf", "n": 9, "text": "> 64 [12, > 64]"}  # fmt: skip
    write_csv(evaluation / "exposures.csv", columns,
              [{**threshold, "measure": "accuracy", "text": "7"}, {**threshold, "measure": "couples"}])  # fmt: skip
    rows = call(dials, "--tokens", evaluation / "tokens", "--exposures", evaluation / "exposures.csv",
                "--dials", json.dumps({"dials": [DIAL]}))  # fmt: skip
    found = keyed(rows, "metric", "modality")
    assert len(rows) == 3 * 4 + 1
    last = found["accuracy", "units"]
    assert (last["dose"], last["unit"], last["tokens_per_second"], last["factor"]) == ("3", "Hz", "13.0", "B")
    assert (float(last["value"]), float(last["change"])) == (pytest.approx(60), pytest.approx(-35))
    assert float(last["change_ci_low"]) < -35 < float(last["change_ci_high"])
    assert float(last["change_ci_high"]) - float(last["change_ci_low"]) < 12
    assert found["accuracy", "raw"]["change"] == ""
    assert found["threshold", "repeat"]["text"] == "> 64 [12, > 64]"
    assert found["threshold", "repeat"]["value"] == "inf"


def test_stats_without_a_rate_are_named(evaluation):
    write_json(evaluation / "stats.json", {"splits": {}})
    with pytest.raises(ValueError, match=r"stats\.json: no number 'splits\.train\.tokens_per_second'"):
        dials.rate_of(evaluation / "stats.json")
