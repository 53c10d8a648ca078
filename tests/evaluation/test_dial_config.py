"""The sections crossings, ladders and dials: overlays are taken, and each mistake is one line that names its key."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.project.check import check
from scripts.project.results_format import write_format
from scripts.project.share import check_shared
from tests.plan.conftest import MINI, merged

DIAL = {
    "name": "rate",
    "factor": "B",
    "dose": "frame rate",
    "unit": "Hz",
    "points": [{"modality": "phone-raw", "dose": 1}, {"modality": "phone-repeat", "dose": 5}],
}
LADDER = {
    "name": "C",
    "from": "phone-raw",
    "steps": [{"name": "length", "to": "phone-repeat"}, {"name": "units", "to": "speech-hubert"}],
}
CELLS = {"none": "text-bpe", "A": "phone-bpe", "B": "text-raw", "A+B": "phone-raw"}


def overlay(*names: str) -> dict[str, Any]:
    config = MINI
    for name in names:
        config = merged(config, yaml.safe_load(Path(f"workflow/configs/{name}.yaml").read_text(encoding="utf-8")))
    return config


def problems(section: str, *entries: dict[str, Any]) -> list[str]:
    """The lines with which a configuration is refused."""
    with pytest.raises(ValueError, match="the configuration cannot be used") as error:
        check({**MINI, section: list(entries)})
    return [line.strip() for line in str(error.value).splitlines()[1:]]


@pytest.mark.parametrize("names", [("dials-quick",), ("dials",), ("dials", "dials-more")])
def test_the_overlays_are_taken(names: tuple[str, ...]):
    config = overlay(*names)
    check(config)
    assert config["crossings"]
    assert config["ladders"]


def test_the_default_set_has_at_most_20_points_and_the_quick_one_half_of_them():
    assert len(overlay("dials")["modalities"]) <= 20
    assert len(overlay("dials-quick")["modalities"]) <= 10


def test_right_entries_are_taken():
    check({**MINI, "dials": [DIAL], "ladders": [LADDER], "crossings": [{"name": "x", "cells": CELLS}]})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"factor": "D"}, "dials[0].factor is 'D', which no entry of factors is called; known: A, B, C"),
        ({"points": [{"modality": "phone-x9", "dose": 1}, DIAL["points"][1]]},
         "dials[0].points[0].modality names unknown modality 'phone-x9'; known: text-bpe"),
        ({"points": DIAL["points"][::-1]},
         "dials[0].points[1].dose is 1, not more than 5 of the point before it; doses must rise"),
        ({"points": [DIAL["points"][0], {"modality": "phone-repeat", "dose": 1}]},
         "dials[0].points[1].dose is 1, not more than 1 of"),
        ({"points": [DIAL["points"][0], {"modality": "phone-raw", "dose": 2}]},
         "dials[0] has the modality 'phone-raw' 2 times; it may be there once"),
        ({"points": DIAL["points"][:1]}, "dials.0.points is"),
        ({"unit": ""}, "dials.0.unit is ''; it must have at least 1 characters"),
        ({"name": "a b"}, "dials.0.name is 'a b'; it must match"),
    ],
)  # fmt: skip
def test_a_wrong_dial_is_one_line(change: dict[str, Any], says: str):
    [line] = problems("dials", {**DIAL, **change})
    assert line.startswith(f"config: {says}")


def test_two_dials_of_one_name_are_refused():
    [line] = problems("dials", DIAL, DIAL)
    assert line == "config: dials: 2 entries are called 'rate'; each needs a name of its own"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"from": "x"}, "ladders[0].from names unknown modality 'x'"),
        ({"steps": [LADDER["steps"][0], {"name": "back", "to": "phone-raw"}]}, "ladders[0] has the modality"),
        ({"steps": [LADDER["steps"][0], {"name": "length", "to": "text-raw"}]}, "ladders[0] has the step 'length' 2"),
        ({"steps": LADDER["steps"][:1]}, "ladders.0.steps is"),
    ],
)  # fmt: skip
def test_a_wrong_ladder_is_one_line(change: dict[str, Any], says: str):
    [line] = problems("ladders", {**LADDER, **change})
    assert line.startswith(f"config: {says}")


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ({**CELLS, "B": "x"}, "crossings[0].cells.B names unknown modality 'x'"),
        ({**CELLS, "B": "text-bpe"}, "crossings[0].cells has the modality 'text-bpe' 2 times"),
        ({**CELLS, "B+A": "phone-repeat"}, "crossings[0].cells has A+B and B+A, which say the same"),
        ({"A": "text-bpe", "B": "text-raw", "A+B": "phone-raw", "C": "phone-repeat"},
         "crossings[0].cells has no cell none"),
        ({"none": "text-bpe", "A": "phone-bpe", "B": "text-raw", "C": "phone-raw"},
         "crossings[0].cells has no cell A+B+C"),
        ({"none": "text-bpe", "A": "phone-bpe", "A+B": "text-raw", "A+B+C": "phone-raw"},
         "crossings[0].cells allows 1 order of A+B+C in which every cell on the way is there; a crossing needs two"),
        ({"none": "text-bpe", "A": "phone-bpe"}, "crossings.0.cells is"),
    ],
)  # fmt: skip
def test_wrong_cells_are_one_line(cells: dict[str, str], says: str):
    [line] = problems("crossings", {"name": "x", "cells": cells})
    assert line.startswith(f"config: {says}")


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("seed", 7, "config: seed is 1 here and 7 in"),
        ("units.clusters", 50, "config: units.clusters is 100 here and 50 in"),
        ("corpus.world.hours.train", 1.0, "config: corpus.world.hours.train is 8.0 here and 1.0 in"),
    ],
)
def test_a_dial_that_shares_with_an_experiment_of_other_settings_is_refused(
    tmp_path: Path, path: str, value: object, says: str
):
    theirs = copy.deepcopy(MINI)
    *parents, key = path.split(".")
    place = theirs
    for parent in parents:
        place = place[parent]
    place[key] = value
    (tmp_path / "mini").mkdir()
    (tmp_path / "mini/config.json").write_text(json.dumps(theirs))
    write_format(tmp_path / "mini")
    with pytest.raises(ValueError, match="cannot be shared") as error:
        check_shared(overlay("dials"), tmp_path)
    assert str(error.value).startswith(says)


def test_a_dial_that_shares_with_what_was_not_run_says_what_to_run(tmp_path: Path):
    with pytest.raises(ValueError, match=r"share\.with is 'mini', but there is no .*; run that experiment first"):
        check_shared(overlay("dials-quick"), tmp_path)
