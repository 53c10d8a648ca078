"""What `make run` prints, with a terminal and without one."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.project.display import about, clock
from tests.factories.workflow import ROOT, Workflow

SNAKEFILE = """
rule all:
    input: expand("{name}.txt", name=["a", "b", "c"])

rule good:
    output: "{name}.txt"
    log: "{name}.log"
    shell:
        "printf 'chatter\\nwarning: {wildcards.name} is odd\\nname [##..] 50%%\\n' | tee {log}"
        "; sleep SECONDS; touch {output}"
"""
BAD = """
ruleorder: bad > good
rule bad:
    output: "b.txt"
    log: "b.log"
    shell: "(echo 'error: b.yaml: seed is x' >&2; exit 1) 2>&1 | tee {log}"
"""


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "scripts.project.terminal", "--cores", "1", *arguments]


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "XDG_CACHE_HOME": str(folder / "cache")}


def run(folder: Path, *arguments: str, rules: str = "", seconds: int = 0) -> subprocess.CompletedProcess[str]:
    (folder / "Snakefile").write_text(SNAKEFILE.replace("SECONDS", str(seconds)) + rules)
    return subprocess.run(
        command(*arguments), cwd=folder, capture_output=True, text=True, check=False, env=environment(folder)
    )


def test_without_a_terminal_each_job_has_a_line(tmp_path: Path):
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    jobs = [line for line in lines if re.match(r"\d of 4 steps, ", line)]
    assert [line.rpartition(": ")[2].partition(",")[0] for line in jobs][-1] == "all"
    assert {line.rpartition(": ")[2].partition(",")[0] for line in jobs} == {"good a", "good b", "good c", "all"}
    assert {line for line in lines if "odd" in line} == {f"good {name}: warning: {name} is odd" for name in "abc"}
    assert re.fullmatch(r"4 of 4 steps done in 0:\d\d", lines[-2])
    assert len(lines) == 9
    log = (tmp_path / lines[-1].removeprefix("log: ")).read_text()
    assert log.count("chatter") == 3
    assert "Select jobs to execute" in log
    assert run(tmp_path).stderr.splitlines()[0].startswith("Nothing to be done")


def test_a_failed_job_shows_the_end_of_its_log_once(tmp_path: Path):
    done = run(tmp_path, rules=BAD)
    assert done.returncode == 1
    assert "failed: bad\n    b.log:\n        error: b.yaml: seed is x\n" in done.stderr
    assert done.stderr.count("seed is x") == 1
    assert "Select jobs" not in done.stderr
    assert "At least one job did not complete successfully" in done.stderr


def test_a_failed_job_without_a_log_shows_its_command(tmp_path: Path):
    done = run(tmp_path, rules=BAD.replace("echo 'error: b.yaml: seed is x' >&2; ", ""))
    assert done.returncode == 1
    assert "exit 1" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (("--corse", "2"), "snakemake: error: unrecognized arguments: --corse"),
        (("--configfile", "none.yaml"), "none.yaml"),
        (("nowhere.csv",), "nowhere.csv"),
    ],
)
def test_what_is_wrong_before_any_job_is_shown(tmp_path: Path, arguments: tuple[str, ...], shown: str):
    done = run(tmp_path, *arguments)
    assert done.returncode != 0
    assert shown in done.stderr


def test_in_a_terminal_the_lines_are_renewed_in_place(tmp_path: Path):
    run(tmp_path, "--dry-run", seconds=3)  # writes the Snakefile
    screen, end = pty.openpty()
    process = subprocess.Popen(command(), cwd=tmp_path, env=environment(tmp_path), stderr=end, stdout=end)
    os.close(end)
    output = b""
    while True:
        try:
            output += os.read(screen, 4096)
        except OSError:  # the other end is closed
            break
    assert process.wait() == 0
    text = output.decode().replace("\r\n", "\n")
    assert re.search(r"\n  good [abc] +0:0\d  \[##\.\.\] 50%\n", text)
    left = remaining(text)
    assert len([line for line in left if "odd" in line]) == 3
    assert re.fullmatch(r"4 of 4 steps done in 0:\d\d", left[-2])
    assert len(left) == 5


def remaining(text: str) -> list[str]:
    """The lines that a terminal holds in the end, if the cursor moves up and erases what is below it."""
    lines: list[str] = []
    for move, line in re.findall(r"(?:\x1b\[(\d+)F\x1b\[J)?([^\x1b\n]*)\n?", text):
        if move:
            del lines[len(lines) - int(move) :]
        if line:
            lines.append(line)
    return lines


def test_times():
    assert [clock(seconds) for seconds in (0, 65.9, 3723)] == ["0:00", "1:05", "1:02:03"]
    assert [about(seconds) for seconds in (59, 90 * 60, 3 * 3600)] == [
        "less than a minute left",
        "about 90 min left",
        "about 3 h left",
    ]


def test_the_makefiles_command_runs_a_target_of_the_workflow(workflow: Workflow):
    """A job of the smoke experiment, whose time the plan knows."""
    own = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")}
    make = ["make", "-n", "run", "CORES=2", "CONFIG=workflow/configs/smoke.yaml"]
    plan = subprocess.run(make, cwd=ROOT, env=own, capture_output=True, text=True, check=True).stdout
    (line,) = (line for line in plan.splitlines() if line.endswith("-- report"))
    flags = line.partition(" python -m ")[2].removesuffix("report").split()
    target = "results/smoke/corpus/script/tasks/sblimp.jsonl.gz"
    done = subprocess.run(
        [sys.executable, "-m", *flags, target], cwd=workflow.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    begin, job, whole, log = done.stderr.splitlines()
    assert re.match("1 steps on 2 cores, (about|less than).* left; log: ", begin)
    assert re.match("1 of 1 steps, .*left: corpus_write_tasks, ", job)
    assert whole.startswith("1 of 1 steps done in ")
    assert log.startswith("log: .snakemake/log/")
