"""Start the stages' processes, hold each stage to its limit, gather the results.

One process runs stage after stage, so that torch is imported and the device set up once. Where it ends early, or a
stage exceeds its budget by `GRACE`, another process goes on with the next stage.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.gpu.stages import BUDGETS, COLUMNS, GRACE, START, result_path
from scripts.common.files import read_json, write_csv, write_json

Result = dict[str, Any]
POLL = 0.05  # seconds


def run_stages(out: Path, stages: list[str], sizes: str, limit: float, stretch: float = 1.0) -> list[Result]:
    """Run the stages; after each one results.json and results.csv in `out` hold all that is known.

    Args:
        out: folder, made if it is not there.
        stages: names, in the order to run.
        sizes: full, tiny, or auto for full where torch sees a GPU.
        limit: seconds after which no further stage begins; the running one is ended `GRACE` later.
        stretch: factor of the budgets and of the limit.

    Returns:
        One per stage: what `record.Recorder.write` wrote, with `status` and `seconds`.
    """
    began, limit, grace = time.time(), limit * stretch, GRACE * stretch
    chosen = sizes if sizes != "auto" else "full" if _gpu() else "tiny"  # imports torch, which takes seconds
    results: list[Result] = []
    remaining = list(stages)
    while remaining and time.time() - began < limit:
        for stage in remaining:
            result_path(out, stage).unlink(missing_ok=True)
        worker = _start(out, remaining, chosen, stretch)
        try:
            allowed = START * stretch
            while remaining:
                started = time.time()
                budget = BUDGETS[remaining[0]].seconds(chosen == "full") * stretch
                hard = min(started + allowed + budget, began + limit) + grace
                status = _wait(worker, result_path(out, remaining[0]), hard)
                stage = remaining.pop(0)
                results.append(_result(out, stage, status, time.time() - started))
                _write(out, results, chosen)
                allowed = 0.0
                if status or results[-1]["failures"] or time.time() - began >= limit:
                    break
        finally:
            _end(worker)
    results += [_result(out, stage, "not begun: the time for all stages is over", 0.0) for stage in remaining]
    _write(out, results, chosen)
    return results


def _gpu() -> bool:
    """Whether torch sees a GPU, asked in a process of its own: this one never touches the device."""
    command = [sys.executable, "-c", "import sys, torch; sys.exit(not torch.cuda.is_available())"]
    return subprocess.run(command, check=False).returncode == 0


def _start(out: Path, stages: list[str], sizes: str, stretch: float) -> subprocess.Popen:
    out.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "benchmarks.gpu.worker", *stages, "--out", str(out), "--sizes", sizes]
    command += ["--stretch", str(stretch)]
    return subprocess.Popen(command, start_new_session=True, stdout=sys.stderr, env=worker_environment())


def worker_environment() -> dict[str, str]:
    """This process's environment with cuBLAS's workspace fixed, as deterministic products need it.

    torch reads the variable once, at a process's first product that asks for it: setting it later has no effect.
    """
    return {"CUBLAS_WORKSPACE_CONFIG": ":4096:8", **os.environ}


def _wait(worker: subprocess.Popen, path: Path, hard: float) -> str:
    """Wait for a stage's end; what went wrong, or nothing."""
    while True:
        code = worker.poll()
        if path.exists() and read_json(path)["ended"]:
            return ""
        if code is not None:
            return f"its process ended with code {code}"
        if time.time() > hard:
            return "ended at its hard limit"
        time.sleep(POLL)


def _end(worker: subprocess.Popen) -> None:
    """End the worker and whatever it started."""
    with suppress(ProcessLookupError):
        os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()


def _result(out: Path, stage: str, problem: str, elapsed: float) -> Result:
    """What a stage wrote, with its status; a problem counts as a failure."""
    path = result_path(out, stage)
    content = {"stage": stage, "rows": [], "failures": [], "skipped": [], "about": {}, "ended": False}
    if path.exists():
        content = read_json(path)
        path.unlink()
    if problem:
        content["failures"].append({"case": stage, "exception": problem, "traceback": ""})
    bad = content["failures"] or any(row["passed"] is False for row in content["rows"])
    return {**content, "status": "FAILED" if bad else "ok", "seconds": round(elapsed, 2)}


def _write(out: Path, results: list[Result], sizes: str) -> None:
    about = next((result["about"] for result in results if result["about"]), {})
    write_json(out / "results.json", {"command": sys.argv, "sizes": sizes, "about": about, "stages": results})
    rows = [row for result in results for row in result["rows"]]
    write_csv(out / "results.csv", COLUMNS, [{name: row[name] for name in COLUMNS} for row in rows])
    running = out / "running"
    if running.exists() and not any(running.iterdir()):
        running.rmdir()


def table(results: list[Result]) -> str:
    """A few lines per stage: status, time, its first numbers, and what failed or was skipped."""
    lines = []
    for result in results:
        lines.append(f"{result['stage']:<12} {result['status']:<7} {result['seconds']:6.1f} s")
        shown = [row for row in result["rows"] if row.get("headline") or row["measure"] == "out of memory"]
        lines += [f"  {row['case']}: {row['measure']} {row['value']:.5g} {row['unit']}".rstrip() for row in shown]
        broken = [row for row in result["rows"] if row["passed"] is False]
        lines += [f"  NOT HELD {row['case']}: {row['measure']} {row['value']:.5g}" for row in broken]
        lines += [f"  FAILED {failure['case']}: {failure['exception'][:300]}" for failure in result["failures"]]
        lines += [f"  skipped {text}" for text in result["skipped"]]
    return "\n".join(lines)
