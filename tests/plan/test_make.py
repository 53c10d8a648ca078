"""The command lines: files and output of the plan, and its comparison with a run."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.plan.amounts import Amounts
from scripts.plan.costs import rule_cost
from scripts.plan.jobs import dry_run_jobs, read_benchmarks
from scripts.plan.make import disk_warnings, memory_warnings, number, table
from scripts.plan.profile import Profile
from tests.plan.conftest import MINI, PAPER
from tests.plan.test_costs import JOBS

OUTPUT = (
    "Job stats:\njob      count\n-----  -------\nlm_train  6\nunits_extract  515\ntotal  521\n\nReasons:\n    x: 3\n"
)


def test_jobs_are_read_from_a_dry_run():
    assert dry_run_jobs(f"host: there\n{OUTPUT}") == {"lm_train": 6, "units_extract": 515}


def test_a_dry_run_that_failed_is_shown():
    with pytest.raises(ValueError, match="MissingInputException"):
        dry_run_jobs("MissingInputException in rule x")


def test_times_of_a_run_are_summed_by_rule(tmp_path):
    for name, seconds in (("lm/train/a", "2.5"), ("lm/train/b", "1.5"), ("units/encoder", "9")):
        path = tmp_path / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"s\th:m:s\tcpu_time\n{seconds}\t0:00:02\t-\n")
    found = read_benchmarks(tmp_path)
    assert found["lm_train"] == (2, 4.0, 0.0)
    assert found["units_encoder"].jobs == 1
    with pytest.raises(ValueError, match="no benchmark files"):
        read_benchmarks(tmp_path / "lm" / "train" / "nothing")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"s\tcpu_time\n", "holds no row"),
        (b"s\tcpu_time\nlong\t-\n", "is no number of seconds"),
        (b"\x00\xff" * 30, "binary data"),
    ],
)
def test_a_damaged_benchmark_file_is_named(tmp_path, content, says):
    (tmp_path / "lm/train").mkdir(parents=True)
    (tmp_path / "lm/train/text-raw.tsv").write_bytes(content)
    with pytest.raises(ValueError, match=rf"text-raw\.tsv: .*{says}"):
        read_benchmarks(tmp_path)


def test_numbers_are_short_and_tables_straight():
    assert [number(value) for value in (0, 0.01234, 12.345, 4321)] == ["0", "0.0123", "12.3", "4,320"]
    assert table(("a", "b"), [("long", "1")]).splitlines() == ["a     b", "----  -", "long  1"]


def test_the_plan_is_text_csv_and_a_picture_and_twice_the_same(tmp_path):
    config = {**PAPER, "cluster": {**PAPER["cluster"], "gpus": {**PAPER["cluster"]["gpus"], "lm": 1}}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    jobs = "\n".join(f"{rule} {count}" for rule, count in {**JOBS, "download_dataset": 9}.items())
    (tmp_path / "jobs.txt").write_text(f"Job stats:\n{jobs}\ntotal 99\n")
    printed = [run(tmp_path, tmp_path / folder) for folder in ("one", "two")]
    assert printed[0] == printed[1] == (tmp_path / "one" / "plan.txt").read_text()
    assert "lm_train: the longest job takes" in printed[0]  # one GPU for weeks, and two days are allowed
    for name in ("plan.csv", "rules.csv", "models.csv", "plan.svg"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert "speech-hubert" in (tmp_path / "one" / "models.csv").read_text()


def test_jobs_over_their_memory_are_named(tmp_path):
    path = tmp_path / "profile.yaml"
    path.write_text("default-resources: {mem_mb: 2000 * attempt}\nset-resources: {lm_train: {mem_mb: 3000}}\n")
    rules = [rule_cost(rule, 6, Amounts(PAPER), Profile(path)) for rule in ("lm_train", "units_kmeans", "corpus_speak")]
    lines = memory_warnings(rules, Profile(path), Amounts(PAPER))
    assert [line.partition(":")[0] for line in lines] == ["lm_train", "units_kmeans"]
    assert "gives its first attempt 3 GB (mem_mb)" in lines[0]
    assert not memory_warnings(rules, Profile(path), Amounts(MINI))


def test_a_full_disk_is_named_once_for_all_folders_on_it(tmp_path):
    free = shutil.disk_usage(tmp_path).free / 1e9
    (line,) = disk_warnings([(tmp_path / "results/mini", 0.6 * free), (tmp_path / "data", 0.6 * free)])
    assert line.startswith(f"disk of {tmp_path}: the run needs up to ")
    assert disk_warnings([(tmp_path / "results/mini", 0.3 * free), (tmp_path / "data", 0.3 * free)]) == []


def run(folder: Path, output: Path) -> str:
    command = [sys.executable, "-m", "scripts.plan.make", "--config", str(folder / "config.json")]
    command += ["--jobs", str(folder / "jobs.txt"), "--registry", "resources/datasets.yaml"]
    command += ["--formats", "svg", "--output", str(output)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_run_is_held_against_its_plan(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(PAPER))
    (tmp_path / "times.csv").write_text("rule,jobs,seconds,processor_seconds\nunits_extract,514,9,8\n")
    stats = tmp_path / "tokens" / "text-raw" / "stats.json"
    stats.parent.mkdir(parents=True)
    stats.write_text(json.dumps({"splits": {"train": {"tokens": 1_000_000}}}))
    command = [
        sys.executable,
        "-m",
        "scripts.plan.compare_with_run",
        str(tmp_path),
        "--times",
        str(tmp_path / "times.csv"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "NO" in done.splitlines()[2]
    assert "1,000,000" in done
    (tmp_path / "config.json").unlink()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr.startswith("error: ")
