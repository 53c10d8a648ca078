"""Exposures, reach and their thresholds: simulations with known thresholds, couples, thresholds beyond the data."""

import itertools
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from scripts.common.files import read_csv, write_csv
from scripts.evaluation import common_items, exposures, level_curves, reach, score_rows
from scripts.evaluation.level_curves import Passing, Unit
from scripts.evaluation.psychometric import Fit

LEVELS = (1, 4, 16, 64, 256)
CONFIG = json.dumps({"bootstrap_samples": 200, "score_normalization": "total"})


def responder(threshold: float, seed: int, couples: int = 40, slope: float = 1.0, sign: int = 1) -> list[Unit]:
    """Pairs of a simulated modality that passes 75% at `threshold`."""
    rng = np.random.default_rng(seed)
    return [
        Unit(f"{level}-{couple}", level, float(rng.random() < 0.5 + 0.5 / (1 + np.exp(-exponent))))
        for level in LEVELS
        for couple in range(couples)
        for _ in range(2)
        for exponent in [sign * slope * np.log2(level / threshold)]
    ]


def passes(units: Sequence[Unit], *, falls: bool = False) -> tuple[level_curves.Levels, Passing]:
    table = level_curves.tabulate(units)
    return table, level_curves.passing(table, *level_curves.resample(table, 300, 1, "t"), 0.5, falls=falls)


@pytest.mark.parametrize(("threshold", "sign"), [(3, 1), (12, 1), (60, 1), (5, -1), (60, -1)])
def test_a_known_threshold_lies_in_its_interval(threshold: float, sign: int) -> None:
    inside = 0
    for seed in range(20):
        _, found = passes(responder(threshold, seed, sign=sign), falls=sign < 0)
        low, high = level_curves.percentiles(found.resampled)
        inside += low <= threshold <= high
        assert low <= found.level <= high
    assert inside >= 17  # of 20; 16 or fewer has a probability of 0.3% where the intervals hold 95%


def test_answers_outside_the_levels() -> None:
    table, far = passes(responder(5000, 1))
    assert far.level == np.inf
    assert exposures.threshold_estimate(far, table).text == "> 256"
    table, near = passes(responder(0.05, 1))
    assert near.level == 0
    assert exposures.threshold_estimate(near, table).text == "< 1"
    table, far = passes(responder(5000, 1, sign=-1), falls=True)
    assert reach.threshold_estimate(far, table, "words").text == "beyond 256"
    table, near = passes(responder(0.05, 1, sign=-1), falls=True)
    assert reach.threshold_estimate(near, table, "words").text == "not even adjacent"
    assert reach.threshold_estimate(near, table, "seconds").text == "not even 1"


def passing(level: float, resampled: Sequence[float]) -> Passing:
    return Passing(level, np.array(resampled), Fit(*np.zeros((3, 1))), falls=False)


def test_ratios_of_thresholds_and_their_bounds() -> None:
    inf = np.inf
    measured = level_curves.ratio(passing(40, [30, 40, 60]), passing(10, [10, 10, 10]), 1, 256)
    assert (measured.value, measured.ci_low, measured.ci_high) == (4, 3, 6)
    assert measured.text == "4 [3, 6]"
    above = level_curves.ratio(passing(inf, [inf, 200, inf]), passing(8, [8, 8, 8]), 1, 256)
    assert (above.value, above.ci_low, above.ci_high) == (inf, 25, inf)
    assert above.text == "> 32 [25, no end]"
    below = level_curves.ratio(passing(0, [0, 0, 2]), passing(8, [8, 8, 8]), 1, 256)
    assert (below.value, below.ci_low, below.ci_high) == (0, 0, 0.25)
    assert below.text.startswith("< 0.12")
    unknown = level_curves.ratio(passing(inf, [inf, inf]), passing(inf, [inf, inf]), 1, 256)
    assert np.isnan(unknown.value)
    assert (unknown.ci_low, unknown.ci_high) == (0, inf)
    assert unknown.text.startswith("not measurable")


def row(name: str, couple: str, difference: float, voice: str = "v", **labels: object) -> dict:
    labels = {"exposure": "", "distance": "", "distance_seconds": "", "group": "g", **labels}
    return {
        **dict.fromkeys(score_rows.COLUMNS, ""), **labels, "id": name, "couple": couple, "voice": voice,
        "subset": "all", "logprob_positive": difference, "logprob_negative": 0.0, "correct": f"{difference > 0:g}",
    }  # fmt: skip


def test_a_couple_is_right_by_the_sum_of_its_differences() -> None:
    rows = [
        row("1a", "1", 3.0, exposure=4), row("1b", "1", -2.0, exposure=4),
        row("2a", "2", 1.0, exposure=4), row("2b", "2", -2.0, exposure=4),
        row("3a", "3", 1.0, exposure=4), row("3b", "3", -1.0, exposure=4),
        row("4a", "4", 5.0, exposure=4),
        row("5a", "5", 1.0, "v", exposure=16), row("5b", "5", 1.0, "v", exposure=16),
        row("5a", "5", -3.0, "w", exposure=16), row("5b", "5", 1.0, "w", exposure=16),
    ]  # fmt: skip
    units = level_curves.couple_units(rows, "exposure", "total")
    assert units == [Unit("1", 4, 1.0), Unit("2", 4, 0.0), Unit("3", 4, 0.5), Unit("5", 16, 0.5)]
    items = level_curves.item_units(rows, "exposure")
    assert [unit.right for unit in items] == [1, 0, 1, 0, 1, 0, 1, 0.5, 1]


def test_the_highest_of_several_negative_sides_counts() -> None:
    several = [{**row(f"1{side}", "1", 2.0, exposure=4), "logprob_negative": "-9;1.5;-3"} for side in "ab"]
    assert level_curves.couple_units(several, "exposure", "total")[0].right == 1
    lost = [{**each, "logprob_negative": "-9;2.5;-3"} for each in several]
    assert level_curves.couple_units(lost, "exposure", "total")[0].right == 0
    assert level_curves.floor_of(several) == 0.25


def test_couples_are_resampled_whole_and_within_their_level() -> None:
    units = [Unit(f"c{c}", level, float(c % 2)) for c in range(40) for level in [1 if c < 20 else 4] for _ in range(2)]
    table = level_curves.tabulate(units)
    right, count = level_curves.resample(table, 100, 1, "t")
    assert (count == 40).all()
    assert (right % 2 == 0).all()  # both items of a couple or neither
    assert len(np.unique(right[:, 0])) > 5
    again = level_curves.resample(table, 100, 1, "t")
    assert (right == again[0]).all()
    mirrored = level_curves.tabulate([unit._replace(right=1 - unit.right) for unit in units])
    assert (level_curves.resample(mirrored, 100, 1, "t")[0] == count - right).all()  # the same couples


def written(folder: Path, task: str, modality: str, rows: list[dict]) -> None:
    write_csv(folder / task / f"{modality}.csv", score_rows.COLUMNS, rows)
    baselines = [
        {"id": r["id"], "voice": "v", "baseline": name, "correct": "1" if name == "tokens" else "0"}
        for r in rows for name in ("length", "tokens")
    ]  # fmt: skip
    write_csv(folder / "baselines" / task / f"{modality}.csv", ["id", "voice", "baseline", "correct"], baselines)
    write_csv(folder / "dropped.csv", common_items.COLUMNS, [])


def items(threshold: float, column: str, levels: Sequence[float], sign: int = 1, group: str = "g") -> list[dict]:
    rng = np.random.default_rng(7)
    return [
        row(f"{group}{level}-{c}{side}", f"{group}{level}-{c}", float(rng.random() < share) * 2 - 1, group=group,
            **{column: f"{level:g}"})
        for level, c, side in itertools.product(levels, range(30), "ab")
        for share in [0.5 + 0.5 / (1 + np.exp(-sign * 1.5 * np.log2(level / threshold)))]
    ]  # fmt: skip


def run_exposures(folder: Path, run_step: Callable, *modalities: str) -> list[dict[str, str]]:
    factors = json.dumps({"factors": [{"name": "B", "from": "m", "to": "k"}]})
    flags = ["--evaluation", folder, "--modalities", *modalities, "--tasks", "words", "--factors", factors]
    flags += ["--dropped", folder / "dropped.csv", "--out", folder / "e.csv", "--config", CONFIG, "--seed", 1]
    run_step(exposures.main, *flags)
    return read_csv(folder / "e.csv")


def test_exposures_step(tmp_path: Path, run_step: Callable) -> None:
    written(tmp_path, "words", "m", items(6, "exposure", LEVELS))
    written(tmp_path, "words", "k", items(60, "exposure", LEVELS))
    found = run_exposures(tmp_path, run_step, "m", "k")
    threshold = {(r["modality"], r["measure"]): r for r in found if r["quantity"] == "threshold"}
    assert set(threshold) == set(itertools.product("mk", exposures.MEASURES))
    assert float(threshold["m", "accuracy"]["value"]) == pytest.approx(6, rel=0.5)
    assert float(threshold["k", "accuracy"]["value"]) == pytest.approx(60, rel=0.5)
    tokens = [r["value"] for r in found if r["measure"] == "baseline_tokens" and r["modality"] == "m"]
    assert tokens == ["1.0"] * 5
    [ratio] = [r for r in found if r["factor"] == "B" and r["measure"] == "accuracy"]
    assert (ratio["quantity"], ratio["baseline"], ratio["modality"]) == ("times_more_data", "m", "k")
    own = [float(threshold[name, "accuracy"]["value"]) for name in "km"]
    assert float(ratio["value"]) == pytest.approx(own[0] / own[1], rel=1e-4)
    assert float(ratio["ci_low"]) > 1
    first = (tmp_path / "e.csv").read_bytes()
    run_exposures(tmp_path, run_step, "m", "k")
    assert (tmp_path / "e.csv").read_bytes() == first


@pytest.mark.parametrize("levels", [(4,), (4, 16)])
def test_too_few_levels_say_why_there_is_no_curve(tmp_path: Path, run_step: Callable, levels: tuple) -> None:
    written(tmp_path, "words", "m", items(6, "exposure", levels))
    found = run_exposures(tmp_path, run_step, "m")
    [said] = {r["text"] for r in found if r["quantity"] == "threshold"}
    assert said == f"{len(levels)} level{'s' * (len(levels) > 1)}; a curve needs 3"
    assert {r["value"] for r in found if r["quantity"] == "threshold"} == {""}
    assert len([r for r in found if r["quantity"] == "share"]) == 3 * len(levels)


def test_a_perfect_modality_needs_less_than_the_lowest_level(tmp_path: Path, run_step: Callable) -> None:
    written(
        tmp_path, "words", "m", [{**r, "logprob_positive": 1.0, "correct": "1"} for r in items(6, "exposure", LEVELS)]
    )
    found = run_exposures(tmp_path, run_step, "m")
    assert {r["text"] for r in found if r["quantity"] == "threshold"} == {"< 1"}


def test_without_exposures_and_distances_there_is_a_header(tmp_path: Path, run_step: Callable, capsys) -> None:
    written(tmp_path, "words", "m", [row("1", "1", 1.0)])
    assert run_exposures(tmp_path, run_step, "m") == []
    assert (tmp_path / "e.csv").read_text().startswith("factor,baseline,modality,task,measure,quantity,exposure,")
    assert run_reach(tmp_path, run_step) == []
    assert "no task has exposures" in (said := capsys.readouterr().err)
    assert "no task has distances" in said


def run_reach(folder: Path, run_step: Callable) -> list[dict[str, str]]:
    flags = ["--evaluation", folder, "--modalities", "m", "--tasks", "words", "--dropped", folder / "dropped.csv"]
    run_step(reach.main, *flags, "--out", folder / "r.csv", "--config", CONFIG, "--seed", 1)
    return read_csv(folder / "r.csv")


def test_reach_step(tmp_path: Path, run_step: Callable) -> None:
    rows = items(5, "distance", (1, 2, 3, 4, 6, 12), sign=-1)
    rows = [{**r, "distance_seconds": 0.25 * float(r["distance"])} for r in rows]
    probes = items(1, "distance", (4,), group="attractor-number")
    written(tmp_path, "words", "m", rows + probes)
    found = run_reach(tmp_path, run_step)
    bins = [
        (r["shortest"], r["longest"], r["n"]) for r in found
        if (r["quantity"], r["unit"], r["measure"]) == ("share", "words", "accuracy")
    ]  # fmt: skip
    assert bins == [("1.0", "1.0", "60"), ("2.0", "2.0", "60"), ("3.0", "4.0", "120"), ("6.0", "6.0", "60"),
                    ("12.0", "12.0", "60")]  # fmt: skip
    ends = {r["unit"]: r for r in found if (r["quantity"], r["measure"]) == ("threshold", "accuracy")}
    assert float(ends["words"]["ci_low"]) <= 5 <= float(ends["words"]["ci_high"])
    assert float(ends["seconds"]["value"]) == pytest.approx(0.25 * float(ends["words"]["value"]), rel=0.2)
    [probe] = [r for r in found if (r["quantity"], r["measure"]) == ("attractor", "accuracy")]
    assert float(probe["value"]) == np.mean([float(r["correct"]) for r in probes])


@pytest.mark.parametrize(
    ("distance", "octave"), [(1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (8, 3), (9, 4), (1.5, 0), (2.5, 1)]
)
def test_bins_of_words(distance: float, octave: int) -> None:
    assert reach.word_octave(distance) == octave
