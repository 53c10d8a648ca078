"""Files that `make clean` deletes and keeps, and its messages."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.common.stages import STAGES
from scripts.project.clean import delete, following, removal_table, select

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """An experiment `mini` with every stage, and `sweep`, which uses its corpus, alignment and units."""
    folder = tmp_path / "results/mini"
    for number, stage in enumerate(STAGES, start=1):
        for kind in ("", "logs/"):
            (folder / f"{kind}{stage}").mkdir(parents=True)
        (folder / f"{stage}/data").write_bytes(b"x" * 1000 * number)
        path = folder / f"benchmarks/{stage}/step.tsv"
        path.parent.mkdir(parents=True)
        path.write_text(f"s\th:m:s\n{number * 60}.0\t0:0{number}:00\n")
    for states in ("lm/phone-raw/checkpoints", "units/encoder.checkpoints"):
        (folder / states).mkdir(parents=True)
        (folder / states / "state.pt").write_bytes(b"x" * 5000)
    (folder / "report.html").write_text("page")
    (folder / "config.json").write_text(json.dumps({"name": "mini", "share": {"with": None, "through": "units"}}))
    (tmp_path / "results/sweep/lm").mkdir(parents=True)
    (tmp_path / "results/sweep/config.json").write_text(json.dumps({"share": {"with": "mini", "through": "units"}}))
    return tmp_path / "results"


def names(parts: list) -> list[str]:
    return [part.name for part in parts]


def test_what_follows_from_a_stage():
    assert following("corpus") == list(STAGES)
    assert following("lm") == ["lm", "evaluation", "continuation", "report"]
    assert following("evaluation") == ["evaluation", "report"]


def test_a_stage_goes_with_what_follows_and_says_size_and_time(results: Path):
    parts = select(results, "mini", "lm", checkpoints=False)
    assert names(parts) == ["lm", "evaluation", "continuation", "report"]
    assert [part.seconds for part in parts] == [300, 360, 420, 480]
    assert parts[0].size == 5000 + 5000 + (results / "mini/benchmarks/lm/step.tsv").stat().st_size
    table = removal_table(parts)
    assert "lm               10.0 kB          0 h 05 min" in table
    assert "total            31.1 kB          0 h 26 min" in table
    delete(parts, results / "mini")
    assert not list(results.glob("mini/**/lm"))
    assert not (results / "mini/report.html").exists()
    assert (results / "mini/tokens/data").exists()
    assert (results / "mini/benchmarks/tokens/step.tsv").exists()


def test_the_whole_experiment_leaves_nothing(results: Path):
    (results / "sweep/config.json").unlink()
    (results / "mini/benchmarks/download").mkdir()
    parts = select(results, "mini", None, checkpoints=False)
    assert names(parts) == [*STAGES, "rest"]
    delete(parts, results / "mini")
    assert not (results / "mini").exists()
    assert (results / "sweep/lm").exists()


def test_training_states_go_alone(results: Path):
    parts = select(results, "mini", None, checkpoints=True)
    assert names(parts) == ["checkpoints"]
    assert parts[0].size == 10_000
    assert "not recorded" in removal_table(parts)
    delete(parts, results / "mini")
    assert not list(results.rglob("*checkpoints"))
    assert (results / "mini/lm/data").exists()


def test_what_another_experiment_uses_is_not_deleted(results: Path):
    for stage in (None, "units", "corpus"):
        with pytest.raises(ValueError, match=r"results/sweep uses the stages of .*mini up to units"):
            select(results, "mini", stage, checkpoints=False)


def test_nothing_is_deleted_under_a_run_nor_where_nothing_is(results: Path):
    with pytest.raises(ValueError, match="there is no folder"):
        select(results, "other", None, checkpoints=False)
    with pytest.raises(ValueError, match="nothing to delete in"):
        select(results, "sweep", "report", checkpoints=False)
    with pytest.raises(ValueError, match="is not the name of an experiment"):
        select(results, "../mini", None, checkpoints=False)
    locks = results.parent / ".snakemake/locks"
    locks.mkdir(parents=True)
    (locks / "0.input.lock").touch()
    with pytest.raises(ValueError, match="a run holds this folder"):
        select(results, "mini", "lm", checkpoints=False)


def test_states_of_one_stage_and_a_damaged_configuration_are_one_line(results: Path):
    with pytest.raises(ValueError, match="STAGE and CHECKPOINTS exclude each other"):
        select(results, "mini", "lm", checkpoints=True)
    (results / "other").mkdir()
    (results / "other/config.json").write_text("{")
    with pytest.raises(ValueError, match=r"other/config\.json"):
        select(results, "mini", "lm", checkpoints=False)


def test_links_go_and_what_they_point_at_stays(results: Path):
    elsewhere = results.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    (results / "sweep/report").symlink_to(elsewhere)
    delete(select(results, "sweep", "report", checkpoints=False), results / "sweep")
    assert (elsewhere / "kept").exists()
    assert not (results / "sweep/report").is_symlink()


def test_without_a_yes_nothing_goes(results: Path):
    def clean(*flags: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "scripts.project.clean", "--name", "sweep", *flags]
        environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
        return subprocess.run(
            command, cwd=results.parent, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )

    asked = clean()
    assert asked.returncode == 1
    assert "the stage units is in results/mini and stays" in asked.stdout
    assert "nothing was deleted" in asked.stderr
    assert (results / "sweep/lm").exists()
    assert clean("--yes").returncode == 0
    assert not (results / "sweep").exists()
    assert (results / "mini/units/data").exists()
