"""Experiments that cannot be compared are refused in one line that names what is missing."""

import copy
from pathlib import Path

import pytest

from scripts.project.compared import compared_files, finished_files
from tests.factories.experiments import DEFAULT, finish


def asking(*names: str, paper: bool = True) -> dict:
    """A configuration that compares itself with these."""
    return copy.deepcopy(DEFAULT) | {"compare": {"with": list(names), "paper": paper}}


def test_a_finished_experiment_is_taken_whatever_its_modalities(tmp_path: Path):
    texts = {"text-raw": DEFAULT["modalities"]["text-raw"]}
    finish(tmp_path, "full", modalities=texts, factors=[], seeds=[2])
    files = [str(Path(file).relative_to(tmp_path / "full")) for file in compared_files(asking("full"), str(tmp_path))]
    assert sorted(file for file in files if "sblimp" in file) == [
        "corpus/tasks/sblimp.jsonl.gz",
        "evaluation/sblimp/text-raw.csv",
    ]
    assert "report/tables/seeds.csv" in files
    assert "report/tables/factors.csv" not in files


def test_items_of_a_shared_corpus_are_those_of_its_owner(tmp_path: Path):
    files = finished_files("b", DEFAULT | {"share": {"with": "a", "through": "corpus"}}, str(tmp_path))
    assert f"{tmp_path}/a/corpus/tasks/swuggy.jsonl.gz" in files


def test_scores_of_texts_and_of_other_systems_belong_to_it(tmp_path: Path):
    given = {"text_tasks": {"blimp": "blimp.jsonl"}, "external_systems": {"theirs": {"swuggy": "scores.csv"}}}
    files = finished_files("b", DEFAULT | {"evaluation": DEFAULT["evaluation"] | given}, "results")
    assert {file for file in files if "blimp" in file and "sblimp" not in file} == {
        "results/b/evaluation/blimp/text-bpe.csv",
        "results/b/evaluation/blimp/text-raw.csv",
    }
    assert "results/b/evaluation/swuggy/theirs.csv" in files


def test_an_absent_experiment_is_named_with_those_that_are_there(tmp_path: Path):
    finish(tmp_path, "smoke")
    with pytest.raises(ValueError, match=r"compare\.with names 'full', but there is no .*/full; .* there: smoke$"):
        compared_files(asking("full"), str(tmp_path))


def test_an_experiment_of_another_format_is_refused(tmp_path: Path):
    (finish(tmp_path, "full") / "format").write_text("2\n")
    with pytest.raises(ValueError, match=r"names 'full', but .*/full holds results of format 2 and this version"):
        compared_files(asking("full"), str(tmp_path))
    (tmp_path / "full/format").unlink()
    with pytest.raises(ValueError, match="holds results of format 1 or older"):
        compared_files(asking("full"), str(tmp_path))


@pytest.mark.parametrize("missing", ["evaluation/sblimp/phone-raw.csv", "report/tables/factors.csv", "config.json"])
def test_an_unfinished_experiment_is_refused_with_the_missing_file(tmp_path: Path, missing: str):
    (finish(tmp_path, "full") / missing).unlink()
    with pytest.raises(ValueError, match=rf"names 'full', which is unfinished: there is no .*/full/{missing}") as found:
        compared_files(asking("full"), str(tmp_path))
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("content", ["{", "[]", '{"modalities": 3}'])
def test_a_damaged_configuration_is_named(tmp_path: Path, content: str):
    (finish(tmp_path, "full") / "config.json").write_text(content)
    with pytest.raises(ValueError, match=r"full/config\.json") as found:
        compared_files(asking("full"), str(tmp_path))
    assert "\n" not in str(found.value)


def test_there_must_be_something_beside_the_experiment(tmp_path: Path):
    assert compared_files(asking(), str(tmp_path)) == []
    with pytest.raises(ValueError, match=r"compare has nothing beside this experiment; name finished experiments"):
        compared_files(asking(paper=False), str(tmp_path))
