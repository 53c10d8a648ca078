"""Configurations and results of earlier versions are refused with what to do."""

import copy
from pathlib import Path

import pytest

from scripts.project.check import check
from scripts.project.config import Configuration
from scripts.project.reference import keys
from scripts.project.renamed import MOVED, RENAMED
from scripts.project.results_format import FORMAT, check_format, write_format
from tests.factories.settings import section


def test_old_names_are_gone_and_new_ones_are_keys():
    known = {key.path for key in keys(Configuration)}
    assert not set(RENAMED) & known
    assert set(RENAMED.values()) <= known


@pytest.mark.parametrize("old", RENAMED)
def test_an_old_key_is_refused_with_its_new_name(old: str):
    config = copy.deepcopy(section(""))
    *parents, key = old.split(".")
    place = config
    for parent in parents:
        place = place[parent]
    place[key] = "x"
    with pytest.raises(ValueError, match=f"config: {old} was renamed: it is now {RENAMED[old]}$"):
        check(config)


@pytest.mark.parametrize("made", ["config.json", "corpus"])
def test_results_of_an_earlier_version_are_refused_in_one_line(tmp_path: Path, made: str):
    folder = tmp_path / "mini"
    check_format(folder)  # nothing is there
    (folder / made).mkdir(parents=True)
    with pytest.raises(ValueError, match=r"mini holds results of format 1 or older.*make clean NAME=mini") as error:
        check_format(folder)
    assert "\n" not in str(error.value)
    write_format(folder)
    check_format(folder)
    (folder / "format").write_text(f"{FORMAT + 1}\n")
    with pytest.raises(ValueError, match=rf"of format {FORMAT + 1}, and this version of the workflow writes"):
        check_format(folder)


@pytest.mark.parametrize("old", MOVED)
def test_a_key_that_moved_to_the_profile_says_so(old: str):
    stage, _, key = old.rpartition(".")
    config = copy.deepcopy(section(""))
    config[stage][key] = {"lm": 1}
    with pytest.raises(ValueError, match=f"config: {old} is no longer a key: .* is set in the profile"):
        check(config)
