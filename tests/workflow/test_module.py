"""The workflow from its root, from workflow/Snakefile and as a module of another workflow in another folder."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from scripts.common.files import csv_rows, read_json
from scripts.project.defaults import complete, default_config
from scripts.project.paths import check_results
from tests.factories.workflow import SMOKE, Workflow, copy_repository, jobs_in

# Another workflow: three keys of its own over the smoke experiment's, a prefix, and a rule that reads a result.
OTHER = """
configfile: "smoke.yaml"

config |= {"name": "theirs", "seed": 3, "report": {"formats": ["svg"]}}


module evolution:
    snakefile:
        "../a clone/workflow/Snakefile"
    config:
        config
    prefix:
        "speech"


use rule * from evolution as evolution_*


onstart:
    evolution.onstart()


rule words:
    input:
        rules.evolution_corpus_lexicon.output.lexicon,
        "speech/results/theirs/alignment/dropped.csv",
    output:
        "words.txt",
    default_target: True
    shell:
        "wc -l < {input[0]} > {output}"
"""


@pytest.fixture
def other(tmp_path: Path) -> Workflow:
    """A folder with another workflow, which imports a clone beside it; neither path is a plain word."""
    (tmp_path / "a clone").mkdir()
    clone = copy_repository(tmp_path / "a clone")
    folder = tmp_path / "it's theirs"
    folder.mkdir()
    shutil.copy(clone / "workflow/configs/smoke.yaml", folder / "smoke.yaml")
    (folder / "Snakefile").write_text(OTHER)
    return Workflow(folder)


def test_the_root_the_snakefile_and_a_module_list_the_same_jobs(other: Workflow):
    clone = Workflow(other.folder.parent / "a clone")
    overlay = clone.overlay(json.dumps({"name": "theirs", "seed": 3, "report": {"formats": ["svg"]}}))
    root = clone.would_run(*SMOKE, overlay)
    assert {"report", "lm_train/speech-hubert", "corpus_speak/train", "continuation_judge"} <= root
    assert clone.would_run("--snakefile", "workflow/Snakefile", *SMOKE, overlay) == root
    done = other.snakemake("--dry-run", "--printshellcmds", "--", "words", "speech/results/theirs/report.html")
    jobs = {job.removeprefix("evolution_") for job in jobs_in(done.stdout + done.stderr)}
    assert jobs == root | {"words"}
    commands = [line for line in done.stdout.splitlines() if "python -m scripts." in line]
    assert len(commands) > 100
    assert not [line for line in commands if re.search(r"(?<![\w/])results/", line)]  # every path has the prefix
    assert not (other.folder / "speech").exists()


def test_a_package_of_the_same_name_is_refused(other: Workflow):
    (other.folder / "scripts").mkdir()
    assert other.snakemake("--dry-run", "--quiet", "all", check=False).returncode == 0  # a folder is no package
    (other.folder / "scripts/__init__.py").touch()
    done = other.snakemake("--dry-run", check=False)
    assert done.returncode != 0
    assert "is a Python package called scripts, which hides the one of this workflow" in done.stdout + done.stderr


def test_defaults_fill_what_is_not_given_and_own_paths_are_seen_from_the_working_directory():
    given = {"corpus": {"prompts": "mine.yaml"}, "modalities": {"new": {"source": "text", "tokenizer": "char"}}}
    config = complete(given, Path("../a clone"))
    assert config["corpus"] == default_config()["corpus"] | {"prompts": "mine.yaml"}
    assert list(config["modalities"]) == ["new", *default_config()["modalities"]]  # the given keys come first
    assert complete({}, Path("../a clone"))["corpus"]["prompts"] == "../a clone/resources/prompts.yaml"
    assert complete({"pathvars": {"results": "x"}}, Path()) == default_config()
    assert given == {
        "corpus": {"prompts": "mine.yaml"},
        "modalities": {"new": {"source": "text", "tokenizer": "char"}},
    }


@pytest.mark.parametrize("folder", ["my folder/results", "-x/results", "a'b/results"])
def test_a_prefix_that_rules_cannot_take_is_refused(folder: str):
    check_results("../speech_1.2/results")
    with pytest.raises(ValueError, match=r"results are to be written to .* letters, digits"):
        check_results(folder)


@pytest.mark.slow
def test_corpus_and_alignment_run_in_another_folder_under_a_prefix(other: Workflow):
    other.snakemake("--", "words")
    other.snakemake("--", "evolution_plan")
    results = other.folder / "speech/results/theirs"
    assert int((other.folder / "words.txt").read_text()) > 100
    assert list(csv_rows(results / "alignment/dropped.csv", ["id", "reason"])) is not None
    config = read_json(results / "config.json")
    smoke = yaml.safe_load((other.folder / "smoke.yaml").read_text())
    assert (config["name"], config["seed"]) == ("theirs", 3)
    assert config["alignment"]["gaussians"] == smoke["alignment"]["gaussians"]
    assert config["alignment"]["frame_shift_ms"] == default_config()["alignment"]["frame_shift_ms"]
    assert "evaluation" in (results / "plan/plan.txt").read_text()
    assert not (other.folder / "results").exists()
    assert other.would_run("--", "words") == set()


@pytest.mark.smoke
def test_the_report_is_made_under_a_prefix(smoke: Workflow, other: Workflow):
    text = (other.folder / "Snakefile").read_text().replace('"theirs", "seed": 3', '"smoke"')
    (other.folder / "Snakefile").write_text(
        text.replace("/theirs/", "/smoke/").replace('"report": {"formats": ["svg"]}', "")
    )
    results = other.folder / "speech/results/smoke"
    shutil.copytree(smoke.results, results, symlinks=True)
    (results / "report.html").unlink()
    other.snakemake("--rerun-triggers", "mtime", "--", "evolution_report")
    assert "The cost of each factor" in (results / "report.html").read_text()
