import hashlib
import json

import pandas as pd
import pytest

from scripts.common.files import read_csv, read_json, write_csv, write_json
from scripts.evaluation.config import Factor
from scripts.report import (
    figure_bit_breakdown,
    figure_chain,
    figure_exposures,
    figure_factors,
    figure_kmeans,
    figure_layers_by_task,
    figure_layers_lexical,
    figure_reach,
    figure_scaling,
    figure_training,
    figure_unit_quality,
    figure_unit_sweep,
)
from scripts.report.paper_values import read_paper
from scripts.report.style import modality_styles
from tests.report import fake, fake_curves

PAPER = "resources/paper.yaml"


def factors_table(folder):
    """A factors.csv of two factors and two tasks."""
    path = folder / "report/tables/factors.csv"
    rows = [
        {"factor": f.name, "baseline": f.from_, "modality": f.to, "task": task, "metric": "accuracy",
         "change_percent": -5.0, "ci_low": -8.0, "ci_high": -2.0}
        for f in (*fake.FACTORS[2:], Factor("D", "phone-raw", "my-units")) for task in fake.TASKS[:2]
    ]  # fmt: skip
    write_csv(path, list(rows[0]), rows)
    return path


def bit_breakdown_table(folder):
    """A bit_breakdown.csv of the modalities that there are."""
    path = folder / "report/tables/bit_breakdown.csv"
    rows = [
        {"modality": modality, **row}
        for modality in fake.MODALITIES if (folder / f"evaluation/bit_breakdown/{modality}.csv").exists()
        for row in read_csv(folder / f"evaluation/bit_breakdown/{modality}.csv")
    ]  # fmt: skip
    write_csv(path, list(rows[0]), rows)
    return path


def commands(folder, out, formats):
    """Every figure's module, its name and arguments, over the small results folder."""
    modalities, tasks = ("--modalities", *fake.MODALITIES[3:]), ("--tasks", *fake.TASKS[:2])
    evaluation, end = folder / "evaluation", lambda name: ("--formats", *formats, "--output", out / name)
    scaling = ("--scaling", evaluation / "scaling", "--schedules", evaluation / "schedules.csv")
    yield figure_scaling, "scaling", (*scaling, *modalities, *tasks, *end("scaling"))
    exposures = ("--exposures", evaluation / "exposures.csv")
    yield figure_exposures, "exposures", (*exposures, *modalities, *end("exposures"))
    yield figure_reach, "reach", ("--reach", evaluation / "reach.csv", *modalities, *end("reach"))
    factors = fake.factors_json(*(f for f in fake.FACTORS if f.from_ in fake.MODALITIES[3:]))
    yield figure_chain, "chain", (
        "--evaluation", evaluation, "--dropped", evaluation / "dropped.csv", *modalities, *tasks, "--config", factors,
        "--score-normalization", "total", "--samples", 50, "--seed", 1, "--paper", PAPER, *end("chain"))  # fmt: skip
    layers = ("--layers", evaluation / "layers", "--tuned-lens", evaluation / "tuned_lens", *modalities)
    yield figure_layers_by_task, "layers_by_task", (*layers, *tasks, *end("layers_by_task"))
    yield figure_layers_lexical, "layers_lexical", (
        *layers, "--summary", evaluation / "summary.csv", "--task", "swuggy", *end("layers_lexical"))  # fmt: skip
    yield figure_factors, "factors", ("--factors", factors_table(folder), "--paper", PAPER, *end("factors"))
    yield figure_bit_breakdown, "bit_breakdown", ("--bit-breakdown", bit_breakdown_table(folder), *end("bit_breakdown"))
    logs = ("--logs", folder / "lm", "--tokens", folder / "tokens")
    yield figure_training, "training", (*logs, *modalities, *end("training"))
    yield figure_unit_quality, "unit_quality", ("--quality", folder / "units/quality.csv", *end("unit_quality"))
    swept = [folder / f"units/sweep/{layer}.csv" for layer in (1, 2)]
    yield figure_unit_sweep, "unit_sweep", ("--sweep", *swept, *end("unit_sweep"))
    yield figure_kmeans, "kmeans", ("--about", folder / "units/kmeans.json", *end("kmeans"))


def test_every_figure_in_every_format_with_its_data_and_the_same_bytes(results, call, tmp_path):
    digests = []
    for attempt in ("first", "second"):
        out = tmp_path / attempt
        for module, name, arguments in commands(results, out, ("svg", "pdf", "png")):
            call(module, *arguments)
            for form, magic in {"svg": b"<?xml", "pdf": b"%PDF", "png": b"\x89PNG"}.items():
                assert (out / f"{name}.{form}").read_bytes().startswith(magic)
            assert len(read_csv(out / f"{name}.csv")) > 2
        digests.append({p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in out.iterdir()})
    assert digests[0] == digests[1]
    assert len(digests[0]) == 12 * 4


def test_scaling_data_hold_points_and_the_fitted_line(results):
    evaluation = results / "evaluation"
    drawn = figure_scaling.points(evaluation / "scaling", evaluation / "schedules.csv", ["phone-raw"], ["swuggy"])
    assert list(drawn.columns) == ["task", "modality", "model", *figure_scaling.NUMBERS, "line", "curve"]
    data = drawn[drawn["model"] == "checkpoint"]
    fit = read_json(evaluation / "scaling/swuggy/phone-raw.fit.json")
    gain = data["line"].iloc[-1] - data["line"].iloc[0]
    decades = pd.Series(data["tokens"]).transform("log10")
    assert gain == pytest.approx(fit["slope"] * (decades.iloc[-1] - decades.iloc[0]))
    assert (data["curve"] >= 0.5).all()
    complete = drawn[drawn["model"] == "complete"]
    assert complete["hours"].tolist() == [0.75, 1.5, 3.0]
    assert complete["curve"].is_monotonic_increasing


def test_the_chain_says_what_each_factor_costs(results):
    rows = {("swuggy", name): fake_curves.score_rows({1: share}, "distance", name, 100)
            for name, share in (("phone-raw", 0.9), ("phone-repeat", 0.7), ("speech-hubert", 0.55))}  # fmt: skip
    factors = fake.FACTORS[2:]
    step = figure_chain.steps(fake.MODALITIES, factors)
    assert step == {"phone-raw": 0, "phone-repeat": 1, "speech-hubert": 2}
    data = figure_chain.chain(rows, ["swuggy"], step, factors, read_paper(PAPER), "total", 100, 1)
    score = data[(data["kind"] == "score") & (data["measure"] == "accuracy")].set_index("modality")
    assert score["paper"].tolist() == [0.858, 0.855, 0.508]
    change = data[(data["kind"] == "change") & (data["measure"] == "accuracy")].set_index("factor")
    assert change.loc["B", "value"] == pytest.approx(
        score.loc["phone-repeat", "value"] - score.loc["phone-raw", "value"]
    )
    assert change.loc["B", "ci_low"] < change.loc["B", "value"] < change.loc["B", "ci_high"] < 0
    couples = data[(data["measure"] == "couples") & (data["kind"] == "score")]
    assert couples["n"].tolist() == [100] * 3


def test_factors_in_a_circle_have_no_beginning():
    factors = [Factor("A", "a", "b"), Factor("B", "b", "a")]
    with pytest.raises(ValueError, match=r"factors lead from a modality back to it \(a -> b, b -> a\)"):
        figure_chain.steps(["a", "b"], factors)


@pytest.mark.parametrize(("module", "table", "said"), [
    (figure_exposures, "exposures", "no task has exposures"), (figure_reach, "reach", "no task has distances"),
])  # fmt: skip
def test_a_table_without_levels_says_so(results, call, tmp_path, module, table, said):
    path = results / f"evaluation/{table}.csv"
    path.write_text(path.read_text().splitlines()[0] + "\n")
    call(module, f"--{table}", path, "--modalities", "phone-raw", "--formats", "svg", "--output", tmp_path / table)
    assert read_csv(tmp_path / f"{table}.csv") == []
    assert said in (tmp_path / f"{table}.svg").read_text()


def test_lexical_layers_carry_the_best_baseline(results):
    folders = {lens: results / "evaluation" / name for lens, name in (("plain", "layers"), ("tuned", "tuned_lens"))}
    layers = figure_layers_lexical.read_layers(folders, ["phone-raw"], ["swuggy"])
    data = figure_layers_lexical.with_baseline(layers, results / "evaluation/summary.csv", "swuggy")
    assert len(data) == len(layers) == 10
    assert list(data["lens"]) == ["plain"] * 5 + ["tuned"] * 5
    assert set(data["baseline"]) == {"4-gram"}
    assert set(data["baseline_value"]) == {0.86}


def test_lexical_layers_stand_without_baselines(results, call, tmp_path):
    path = results / "evaluation/summary.csv"
    rows = [row for row in read_csv(path) if not row["metric"].startswith("baseline_")]
    write_csv(path, list(rows[0]), rows)
    for module, name, arguments in commands(results, tmp_path, ("svg",)):
        if name == "layers_lexical":
            call(module, *arguments)
    assert {row["baseline"] for row in read_csv(tmp_path / "layers_lexical.csv")} == {""}


def test_factors_have_the_papers_value_or_none(results, call, tmp_path):
    for module, name, arguments in commands(results, tmp_path, ("svg",)):
        if name == "factors":
            call(module, *arguments)
    rows = {(row["factor"], row["task"]): row["paper_percent"] for row in read_csv(tmp_path / "factors.csv")}
    assert rows["B", "sblimp"] == "-11.1"
    assert rows["D", "sblimp"] == ""


def test_training_bits_count_the_end_of_each_utterance(results):
    data = figure_training.curves(results / "lm", results / "tokens", ["phone-raw"])
    assert data["dev_loss"].notna().all()
    dev = json.loads((results / "tokens/phone-raw/stats.json").read_text())["splits"]["dev"]
    rate = (dev["tokens"] + dev["utterances"]) / dev["seconds"]
    assert data["dev_bits_per_second"].iloc[-1] == pytest.approx(data["dev_loss"].iloc[-1] * rate / 0.6931472, abs=1e-4)


@pytest.mark.parametrize("count", [1, 2, 6, 11])
def test_every_modality_has_its_own_style(count):
    styles = modality_styles([f"m-{i}" for i in range(count)])
    assert len({style["color"] for style in styles.values()}) == count
    assert styles["m-0"]["label"] == "M-0"


def test_one_modality_and_one_task_can_be_drawn(tmp_path, call):
    fake.write(tmp_path, modalities=["phone-raw"], tasks=["swuggy"], items=20)
    fake_curves.write(tmp_path, ["phone-raw"], ["swuggy"])
    for module, name, arguments in commands(tmp_path, tmp_path / "out", ("svg",)):
        if name not in ("factors", "chain"):  # which have factors of two modalities
            one = [a for a in arguments if a not in (*fake.MODALITIES[4:], "sblimp")]
            call(module, *one)
            assert (tmp_path / f"out/{name}.svg").exists()


# Bad input.


def fails(results, call, tmp_path, name_wanted, message, error=ValueError):
    for module, name, arguments in commands(results, tmp_path / "out", ("svg",)):
        if name == name_wanted:
            with pytest.raises(error, match=message):
                call(module, *arguments)
            assert not (tmp_path / f"out/{name}.svg").exists()


@pytest.mark.parametrize(
    ("figure", "file", "column"),
    [
        ("scaling", "evaluation/scaling/sblimp/phone-repeat.csv", "hours"),
        ("scaling", "evaluation/schedules.csv", "hours"),
        ("exposures", "evaluation/exposures.csv", "exposure"),
        ("reach", "evaluation/reach.csv", "unit"),
        ("layers_by_task", "evaluation/layers/sblimp/phone-repeat.csv", "layer"),
        ("layers_lexical", "evaluation/layers/swuggy/phone-raw.csv", "value"),
        ("layers_by_task", "evaluation/tuned_lens/sblimp/phone-repeat.csv", "value"),
        ("layers_lexical", "evaluation/summary.csv", "metric"),
        ("training", "lm/phone-repeat/log.csv", "dev_loss"),
        ("unit_quality", "units/quality.csv", "pnmi"),
        ("unit_sweep", "units/sweep/2.csv", "speaker_pnmi"),
    ],
)
def test_a_missing_column_names_its_file(results, call, tmp_path, figure, file, column):
    rows = [{key: value for key, value in row.items() if key != column} for row in read_csv(results / file)]
    write_csv(results / file, list(rows[0]), rows)
    fails(results, call, tmp_path, figure, rf"{file}: no column '{column}'; found ")
    (results / file).unlink()
    fails(results, call, tmp_path, figure, rf"{file}: no such file", FileNotFoundError)


def test_a_fit_without_slope_is_named(results, call, tmp_path):
    write_json(results / "evaluation/scaling/swuggy/phone-raw.fit.json", {"r2": 1})
    fails(
        results, call, tmp_path, "scaling", r"phone-raw\.fit\.json: no key 'slope', 'intercept', 'centre', .*; found r2"
    )


def test_a_log_without_dev_loss_is_named(results, call, tmp_path):
    path = results / "lm/phone-raw/log.csv"
    rows = [{**row, "dev_loss": ""} for row in read_csv(path)]
    write_csv(path, list(rows[0]), rows)
    fails(results, call, tmp_path, "training", r"phone-raw/log\.csv: no row holds a dev_loss")


def test_a_k_means_without_its_curve_is_named(results, call, tmp_path):
    write_json(results / "units/kmeans.json", {"clusters": 20})
    fails(results, call, tmp_path, "kmeans", r"kmeans\.json: no key 'objective'; found clusters")


def test_an_unknown_format_is_named(results, call, tmp_path):
    for module, name, arguments in commands(results, tmp_path, ("bmp",)):
        if name == "unit_quality":
            with pytest.raises(ValueError, match=r"report\.formats: 'bmp' is not one of svg, pdf, png"):
                call(module, *arguments)
