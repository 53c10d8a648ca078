"""The GPU check on a CPU at its tiny sizes, also with stages that fail or take too long."""

import csv
import json
import math
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.gpu import ceilings, clustering, parent, stages, train_run
from benchmarks.gpu.record import Recorder
from benchmarks.gpu.source import Source
from benchmarks.gpu.toggles import TOGGLES, setting
from scripts.common import cpu

BF16 = cpu.precision("auto", torch.device("cpu")) == "bf16"
Rows = dict[tuple[str, str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Rows]:
    """results.json of one run of the command, and its rows by (stage, case, measure)."""
    out = tmp_path_factory.mktemp("gpu") / "out"
    command = [sys.executable, "-m", "benchmarks.gpu", "--out", str(out), "--sizes", "tiny", "--stretch", "20"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], timeout=1200)
    content = json.loads((out / "results.json").read_text())
    failures = [failure for stage in content["stages"] for failure in stage["failures"]]
    broken = [row for stage in content["stages"] for row in stage["rows"] if row["passed"] is False]
    assert (done.returncode, failures, broken) == (0, [], []), done.stderr[-3000:]
    assert not (out / "running").exists()
    rows = {(row["stage"], row["case"], row["measure"]): row for stage in content["stages"] for row in stage["rows"]}
    with open(out / "results.csv", newline="") as file:
        written = list(csv.DictReader(file))
    assert len(written) == sum(len(stage["rows"]) for stage in content["stages"])
    assert tuple(written[0]) == stages.COLUMNS
    for name in stages.BUDGETS:
        assert f"{name:<12} ok" in done.stdout
    return content, rows


def value(rows: Rows, *key: str) -> float:
    return float(rows[key]["value"])  # type: ignore[index]


def test_every_stage_ends_without_failure_or_omission(run) -> None:
    content, rows = run
    assert [stage["stage"] for stage in content["stages"]] == list(stages.BUDGETS)
    for stage in content["stages"]:
        assert (stage["status"], stage["failures"], stage["skipped"]) == ("ok", [], []), stage["stage"]
        assert stage["seconds"] > 0
    for row in rows.values():
        assert all(math.isfinite(row[name]) for name in ("value", "low", "high")), row
        assert row["low"] <= row["value"] <= row["high"], row
        assert row["n"] >= 1
        assert row["passed"] is not False, row
        if row["unit"] in ("s", "ms", "tokens/s", "pairs/s", "GB/s", "TFLOP/s", "GiB", "nats per token"):
            assert row["value"] > 0, row


def test_ceilings(run) -> None:
    content, rows = run
    assert content["about"]["torch"] == torch.__version__.partition("+")[0] or content["about"]["torch"]
    assert content["about"]["cublas workspace"] == parent.worker_environment()["CUBLAS_WORKSPACE_CONFIG"]
    assert rows["ceilings", "copy", "bandwidth"]["n"] == 5
    assert value(rows, "ceilings", "copy", "equal") == 1
    errors = {
        kind: value(rows, "ceilings", f"product {kind}", "relative error") for kind in ("fp32", "bf16")[: 1 + BF16]
    }
    assert 0 < errors["fp32"] < 1e-5
    if BF16:
        assert 1e-4 < errors["bf16"] < 1e-2


@pytest.mark.parametrize("vocabulary", [80, 2048])
def test_correctness(run, vocabulary: int) -> None:
    _, rows = run
    case = f"vocabulary {vocabulary}"
    assert value(rows, "correctness", case, "reference loss") > math.log(vocabulary)  # random weights know nothing
    assert value(rows, "correctness", f"{case}, packed fp32", "relative error of the loss") < 1e-5
    assert value(rows, "correctness", f"{case}, packed fp32", "relative error of gradients") < 1e-4
    if BF16:
        alone, packed = (
            value(rows, "correctness", f"{case}, {way} bf16", "relative error of gradients")
            for way in ("alone", "packed")
        )
        assert 1e-3 < alone < 0.1
        assert packed <= 1.5 * alone
        for way in ("three rows", "chunks"):
            assert value(rows, "correctness", f"{case}, {way} bf16", "relative error of gradients") <= 1.5 * alone
    assert value(rows, "correctness", f"{case}, chunks fp32", "relative error of gradients") < 1e-4
    assert value(rows, "correctness", f"{case}, repeated", "equal") == 1  # a CPU adds in one order
    assert value(rows, "correctness", f"{case}, repeated", "equal in deterministic mode") == 1
    assert value(rows, "correctness", f"{case}, neighbours", "other utterances' logits changed") == 0
    assert value(rows, "correctness", f"{case}, neighbours", "altered utterances' logits unchanged") == 0


def test_training(run) -> None:
    _, rows = run
    for toggle in TOGGLES:
        tokens, step = (rows["training", toggle.name, measure] for measure in ("speed", "step"))
        assert tokens["n"] == step["n"] == 3
        # Steps hold about as many tokens for every toggle, so speed times time is of that size.
        assert 500 < tokens["value"] * step["value"] < 1500
        assert 0 < value(rows, "training", toggle.name, "MFU, measured peak") < 1
        assert 0.9 < value(rows, "training", toggle.name, "useful tokens") <= 1
        entropy = math.log(toggle.variant.vocabulary)
        # Utterances of one or two symbols, as BPE has here, are mostly ends, which a model learns within steps.
        assert 0.5 * entropy < value(rows, "training", toggle.name, "loss") < 1.5 * entropy
    assert value(rows, "training", "compilation", "relative difference of gradients") == 0  # a CPU compiles nothing
    assert value(rows, "training", "compilation", "relative difference of gradients, eager twice") == 0
    assert value(rows, "training", "compilation, neighbours", "other utterances' logits changed") == 0
    assert value(rows, "training", "compilation, neighbours", "altered utterances' logits unchanged") == 0
    assert value(rows, "training", "base again", "loss") < value(rows, "training", "base", "loss")
    largest = [row["value"] for key, row in rows.items() if key[0] == "training" and key[1].startswith("profile: ")]
    assert len(largest) == 10
    assert largest == sorted(largest, reverse=True)
    assert sum(largest) / 1000 <= value(rows, "training", "profile", "kernels' time")


def test_train_run(run) -> None:
    _, rows = run
    entropy, floor, first, last = (
        value(rows, "train_run", case, measure)
        for case, measure in (
            ("source", "entropy"),
            ("source", "its own loss on dev"),
            ("uninterrupted", "first train loss"),
            ("uninterrupted", "dev loss"),
        )
    )
    assert abs(floor / entropy - 1) < 0.1
    assert floor < last < floor + 0.3 * (first - floor)
    assert value(rows, "train_run", "stopped", "exit code") == 143
    assert value(rows, "train_run", "resumed", "went on from a state") == 1
    assert value(rows, "train_run", "resumed", "weights equal") == 1
    assert value(rows, "train_run", "resumed", "relative difference of dev loss") == 0
    assert abs(value(rows, "train_run", "published", "dev loss of the loaded model") / last - 1) < 5e-3


def test_extraction(run) -> None:
    _, rows = run
    for precision in ("bf16", "fp32"):
        case = f"{precision}, speed"
        assert value(rows, "extraction", case, "hours of audio per hour") > 1
        assert 0 < value(rows, "extraction", case, "share of the matrix rate") < 1
        assert 0 < value(rows, "extraction", case, "host's share of the time") < 1
        assert rows["extraction", case, "batch"]["n"] >= 2
    assert value(rows, "extraction", "pipeline", "every frame has a unit") == 1
    assert value(rows, "extraction", "pipeline", "hours of audio per hour") > 1
    assert 0 < value(rows, "extraction", "pipeline", "share of the matrix rate") < 1
    assert value(rows, "extraction", "fp32, padding", "units equal padded and alone") >= 0.999
    assert 0.9 < value(rows, "extraction", "precisions", "units equal in bf16 and fp32") <= 1


def test_clustering(run) -> None:
    _, rows = run
    assert value(rows, "clustering", "time", "of an iteration") > 0
    first, last = (
        value(rows, "clustering", "time", f"mean squared distance, {which} iteration") for which in ("first", "last")
    )
    assert 25 < last < first  # 32 dimensions of unit noise, of which 50 centroids explain some
    ours, theirs = (value(rows, "clustering", "quality", f"explained variance{by}") for by in ("", " by the reference"))
    assert 0.05 < ours < 0.2
    assert abs(ours / theirs - 1) < 0.05


def test_lloyd_in_numpy_finds_what_scikit_learn_finds() -> None:
    cluster = pytest.importorskip("sklearn.cluster")
    frames = clustering.clustered(torch.device("cpu"), 1000, 16, 8)
    ours = clustering.inertia(frames, clustering.lloyd(frames, 8, 25, 3))
    theirs = cluster.KMeans(8, init="random", n_init=3, max_iter=25, tol=0, random_state=0).fit(frames).inertia_
    assert abs(ours / theirs - 1) < 0.01


def test_scoring(run) -> None:
    _, rows = run
    for case in ("sentences", "stories"):
        assert value(rows, "scoring", case, "relative difference of scores") < 1e-5
        assert value(rows, "scoring", case, "times as fast as one at a time") > 0
    assert value(rows, "scoring", "layers", "relative difference of scores") < 1e-5
    assert value(rows, "scoring", "layers", "relative difference of the last layer from the model") < 1e-5
    assert value(rows, "scoring", "precision fp32", "decisions as in fp32") == 1
    assert 0.5 <= value(rows, "scoring", "precision bf16", "decisions as in fp32") <= 1
    for precision in ("fp32", "bf16"):
        assert value(rows, "scoring", f"sampling {precision}", "times as fast as one at a time") > 1


def test_nccl(run) -> None:
    _, rows = run
    for case in ("all_reduce", "broadcast", "decisions"):
        assert value(rows, "nccl", case, "values unchanged") == 1
    assert value(rows, "nccl", "step", "relative difference of gradients") < 1e-6
    assert value(rows, "nccl", "step", "relative difference of weights after it") < 1e-6
    assert value(rows, "nccl", "step", "parameters with moments in the state") == 21


def test_the_worker_has_the_workspace_of_cublas_fixed(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    results = parent.run_stages(tmp_path / "out", ["ceilings"], "tiny", 60.0, stretch=20.0)
    assert results[0]["about"]["cublas workspace"] == ":4096:8"
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    assert parent.worker_environment()["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"


def recorder(folder: Path, seconds: float = 60.0) -> Recorder:
    return Recorder("stage", folder / "stage.json", time.time() + seconds)


def test_a_failed_measurement_is_recorded_and_the_next_one_runs(tmp_path: Path) -> None:
    record = recorder(tmp_path)

    def fail() -> None:
        raise RuntimeError("no such kernel")

    def exhaust() -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    assert not record.run("broken", fail)
    assert not record.run("large", exhaust)
    assert record.run("good", lambda: record.add("good", "time", [3.0, 1.0, 2.0], "s"))
    written = json.loads((tmp_path / "stage.json").read_text())
    assert written["failures"][0]["exception"] == "RuntimeError: no such kernel"
    assert "in fail" in written["failures"][0]["traceback"]
    assert [(row["case"], row["measure"], row["value"], row["low"], row["n"]) for row in written["rows"]] == [
        ("large", "out of memory", 1.0, 1.0, 1),
        ("good", "time", 2.0, 1.0, 3),
    ]
    assert not written["ended"]


def test_a_measurement_without_time_is_skipped_and_said(tmp_path: Path) -> None:
    record = recorder(tmp_path, seconds=5.0)
    assert not record.run("long", lambda: record.add("long", "time", 1.0, "s"), needs=10.0)
    assert record.rows == []
    assert record.skipped[0].startswith("long: needs about 10 s")


def test_trainings_that_do_not_end_in_time_leave_what_they_said(tmp_path: Path) -> None:
    record = recorder(tmp_path, seconds=1.0)
    train_run.run(record, torch.device("cpu"), full=False)
    assert record.failures[0]["exception"].startswith("TimeoutError")
    kept = {(row["case"], row["measure"]): row for row in record.rows}
    for case in ("uninterrupted", "stopped"):
        assert kept[case, "time until the budget was over"]["note"].startswith("not ended")
    assert ("source", "entropy") in kept


def test_a_number_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"loss is .*nan"):
        recorder(tmp_path).add("case", "loss", [1.0, float("nan")], "nats")


def fake_worker(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Workers that run `code`, which knows `stages`, `out` and `finish(stage, **content)`."""
    before = (
        "import json, os, sys, time\n"
        "from pathlib import Path\n"
        "from benchmarks.gpu.stages import result_path\n"
        "stages, out = sys.argv[2:], Path(sys.argv[1])\n"
        "def finish(stage, ended=True, failures=(), passed=True):\n"
        "    row = dict(stage=stage, case='c', measure='m', value=1.0, unit='', low=1.0, high=1.0, n=1)\n"
        "    row |= dict(passed=passed, note='', headline=True)\n"
        "    content = dict(stage=stage, rows=[row], failures=list(failures), skipped=[], about={}, ended=ended)\n"
        "    path = result_path(out, stage)\n"
        "    path.parent.mkdir(exist_ok=True)\n"
        "    aside = path.with_suffix('.aside')\n"
        "    aside.write_text(json.dumps(content))\n"
        "    os.replace(aside, path)\n"
    )

    def start(out: Path, names: list[str], sizes: str, stretch: float) -> subprocess.Popen:
        out.mkdir(parents=True, exist_ok=True)
        return subprocess.Popen([sys.executable, "-c", before + code, str(out), *names], start_new_session=True)

    monkeypatch.setattr(parent, "_start", start)


def test_a_process_that_dies_fails_its_stage_and_the_others_run(monkeypatch, tmp_path: Path) -> None:
    fake_worker(
        monkeypatch,
        "for stage in stages:\n    finish(stage, ended=stage != 'training')\n    if stage == 'training': os._exit(7)\n",
    )
    results = parent.run_stages(tmp_path / "out", ["ceilings", "training", "nccl"], "tiny", 60.0)
    assert [result["status"] for result in results] == ["ok", "FAILED", "ok"]
    assert results[1]["failures"][0]["exception"] == "its process ended with code 7"
    assert results[1]["rows"], "what was measured before is kept"
    shown = parent.table(results)
    assert "training     FAILED" in shown
    assert "c: m 1" in shown


def test_a_stage_beyond_its_limit_is_ended_and_the_others_run(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(parent, "GRACE", 0.0)
    monkeypatch.setattr(parent, "START", 3.0)
    monkeypatch.setitem(parent.BUDGETS, "training", stages.Budget(0.0, 0.0))
    fake_worker(
        monkeypatch,
        "for stage in stages:\n    if stage == 'training': time.sleep(600)\n    finish(stage)\n",
    )
    results = parent.run_stages(tmp_path / "out", ["ceilings", "training", "nccl"], "tiny", 60.0)
    assert [result["status"] for result in results] == ["ok", "FAILED", "ok"]
    assert results[1]["failures"][0]["exception"] == "ended at its hard limit"
    assert json.loads((tmp_path / "out" / "results.json").read_text())["stages"][1]["status"] == "FAILED"


def test_a_check_that_does_not_hold_fails_its_stage(monkeypatch, tmp_path: Path) -> None:
    fake_worker(monkeypatch, "for stage in stages:\n    finish(stage, passed=stage != 'ceilings')\n")
    results = parent.run_stages(tmp_path / "out", ["ceilings", "nccl"], "tiny", 60.0)
    assert [result["status"] for result in results] == ["FAILED", "ok"]
    assert "NOT HELD c: m 1" in parent.table(results)


def test_the_budgets_fit_the_limit() -> None:
    assert sum(budget.full for budget in stages.BUDGETS.values()) <= 330 < stages.LIMIT


def test_stages_that_no_time_is_left_for_are_said(monkeypatch, tmp_path: Path) -> None:
    fake_worker(monkeypatch, "for stage in stages:\n    time.sleep(0.5)\n    finish(stage)\n")
    results = parent.run_stages(tmp_path / "out", ["ceilings", "nccl"], "tiny", 0.1)
    assert [result["status"] for result in results] == ["ok", "FAILED"]
    assert results[1]["failures"][0]["exception"].startswith("not begun")


def test_the_sources_entropy_is_what_its_utterances_cost() -> None:
    source = Source(symbols=20, mean_length=30.0, longest=1000, seed=3)
    utterances = source.utterances(np.random.default_rng(0), 2000)
    from scripts.common.ragged import Ragged

    tokens = Ragged.join([str(number) for number in range(len(utterances))], utterances)
    assert abs(source.loss(tokens) - source.entropy) < 0.02
    assert 28 < tokens.lengths.mean() - 2 < 32
    assert tokens.stream.max() < 23
    other = Source(symbols=20, mean_length=30.0, longest=1000, seed=4)
    assert other.loss(tokens) > source.loss(tokens) + 0.5


def test_the_table_of_cards() -> None:
    assert ceilings.datasheet("NVIDIA H100 80GB HBM3") == 989e12
    assert ceilings.datasheet("NVIDIA H100 PCIe") == 756e12
    assert ceilings.datasheet("NVIDIA A100-SXM4-40GB") == 312e12
    assert ceilings.datasheet("NVIDIA GeForce RTX 3090") is None


def test_a_setting_is_put_back() -> None:
    class Owner:
        value = 1

    with pytest.raises(RuntimeError), setting(Owner, "value", 2):
        assert Owner.value == 2
        raise RuntimeError
    assert Owner.value == 1
