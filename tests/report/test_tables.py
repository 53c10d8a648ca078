import json

import numpy as np
import pytest

from scripts.common.files import read_csv, write_csv
from scripts.evaluation import common_items, score_rows
from scripts.evaluation.config import Factor
from scripts.report import (
    summary_page,
    table_dropped,
    table_factors,
    table_overlap,
    table_results,
    table_shared_context,
)
from scripts.report.comparison import Comparison
from scripts.report.labels import display_name
from scripts.report.result_files import item_scores
from tests.report import fake
from tests.report.commands import ABOUT, PAPER, commands

NOTHING = common_items.Dropped([])


def test_each_table_stands_in_every_form(written):
    names = (
        "modalities",
        "results",
        "factors",
        "bit_factors",
        "decisions",
        "groups",
        "controls",
        "bit_breakdown",
        "dropped",
    )
    forms = {f"{name}.{form}" for name in (*names, "dropped") for form in ("csv", "md", "tex", "html")}
    assert {path.name for path in written.iterdir()} == forms


def test_shared_contexts_show_the_share_that_differs(tmp_path, call):
    table = tmp_path / "shared_context.csv"
    rows = ["modality,task,items,frames,differing", "speech-hubert,topic-storycloze,300,40000,1000"]
    table.write_text("\n".join(rows) + "\n")
    call(table_shared_context, "--shared-context", table, "--output", tmp_path / "out")
    lines = (tmp_path / "out/shared_context.md").read_text()
    assert "| Speech-HuBERT | Topic-SC | 300 | 40,000 | 2.5 |" in lines
    assert read_csv(tmp_path / "out/shared_context.csv")[0]["differing"] in ("1000", "1000.0")


def test_overlap_shows_the_share_of_sides_that_train_has_too(tmp_path, call):
    table = tmp_path / "overlap.csv"
    rows = [
        "task,kind,compared,shared,example",
        "next-utterance,speaker,60,0,",
        "next-utterance,words,60,3,a-positive and b of train",
    ]
    table.write_text("\n".join(rows) + "\n")
    call(table_overlap, "--overlap", table, "--output", tmp_path / "out")
    lines = (tmp_path / "out/overlap.md").read_text()
    assert "| Next-Utterance | speaker | 60 | 0 | 0.0 |" in lines
    assert "| Next-Utterance | 8 words in a row | 60 | 3 | 5.0 | a-positive and b of train |" in lines


def test_columns_are_those_agreed(written):
    heads = {path.stem: path.read_text().splitlines()[0] for path in written.glob("*.csv")}
    assert heads == {
        "modalities": "modality,vocab_size,tokens,seconds,tokens_per_second,factor,start",
        "results": "modality,task,metric,value,ci_low,ci_high,n,measurable",
        "factors": "factor,baseline,modality,task,metric,change_percent,ci_low,ci_high,n,p_value,p_holm,"
        "change_points,points_ci_low,points_ci_high,above_chance,above_chance_ci_low,above_chance_ci_high,"
        "smallest_effect,measurable,p_equivalence,p_equivalence_holm",
        "bit_factors": "factor,baseline,modality,baseline_bits_per_second,bits_per_second,change_percent,ci_low,"
        "ci_high,difference,difference_ci_low,difference_ci_high,n,p_value,p_holm",
        "decisions": "factor,baseline,modality,task,score_normalization,change_percent,ci_low,ci_high,n",
        "controls": "modality,task,control,value,ci_low,ci_high,n",
        "groups": "modality,task,by,name,value,ci_low,ci_high,n",
        "bit_breakdown": "modality,part,metric,value,ci_low,ci_high,n",
        "dropped": "stage,split,reason,count,example",
    }


def test_modalities_hold_the_training_split(written):
    rows = read_csv(written / "modalities.csv")
    assert [row["modality"] for row in rows] == list(fake.MODALITIES)
    assert [row["factor"] for row in rows] == ["", "", "A", "A", "B", "C"]
    assert (rows[4]["tokens"], rows[4]["seconds"], rows[4]["tokens_per_second"]) == ("538920", "10800.0", "49.9")
    assert "| Phone-Raw | A | 93 | 80 | 120,960 | 1.542B | 11.20 | 9.97 |" in (written / "modalities.md").read_text()


def test_modalities_say_what_their_models_started_from(standing, written, tmp_path, call):
    module, arguments = next(commands(standing, tmp_path))
    starts = ("--starts", "phone-raw=text-bpe", "phone-repeat=models/a=b")
    call(module, *arguments, *starts)
    rows = {row["modality"]: row["start"] for row in read_csv(tmp_path / "modalities.csv")}
    assert rows == dict.fromkeys(fake.MODALITIES, "") | {"phone-raw": "text-bpe", "phone-repeat": "models/a=b"}
    note = (
        "Training started from another model's weights: Phone-Raw from Text-BPE, Phone-Repeat from models/a=b; others"
    )
    assert note in (tmp_path / "modalities.md").read_text()
    assert "started from" not in (written / "modalities.md").read_text()


def test_results_are_the_summary_in_the_configs_order(written, standing):
    ours, theirs = read_csv(written / "results.csv"), read_csv(standing / "evaluation/summary.csv")
    assert [tuple(row.values())[:3] for row in ours] == [tuple(row.values())[:3] for row in theirs]
    assert [float(row["value"]) for row in ours] == [float(row["value"]) for row in theirs]
    assert all(row["n"].isdigit() for row in ours)


def test_results_show_paper_and_baselines_beside_every_score(written):
    lines = (written / "results.md").read_text().splitlines()
    text = next(line for line in lines if line.startswith("| Text-BPE"))
    assert "| 93.0 [90.1, 95.9] | 93.0 [90.1, 95.9] | 85.1 | 4-gram 86.0 [82.1, 89.9] | +7.0 |" in text
    heads = " | ".join(
        f"sWUGGY, %: {name}" for name in ("ours", "couples", "paper", "best baseline", "above it, points")
    )
    assert heads in lines[2]
    assert "sWUGGY, %: best baseline" in lines[2]
    assert any(
        "without a trained language model (length, tokens, unigram, 4-gram, untrained)" in line for line in lines
    )
    assert any("| 4-gram 86.0 [" in line for line in lines)
    assert "bits per second" in lines[2]
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1


def test_no_cell_waits_for_continuations(written):
    for path in written.iterdir():
        assert "continuation" not in path.read_text().lower()


def test_factors_are_100_times_the_ratio_less_one(written, standing):
    found = [row for row in read_csv(written / "factors.csv") if row["metric"] == "accuracy"]
    rows = {(r["baseline"], r["modality"], r["task"]): r for r in found}
    assert len(rows) == len(fake.FACTORS) * len(fake.TASKS)
    for (base, new, task), row in rows.items():
        files = [standing / f"evaluation/{task}/{name}.csv" for name in (base, new)]
        means = [item_scores(file, NOTHING)["correct"].mean() for file in files]
        assert float(row["change_percent"]) == pytest.approx(100 * (means[1] / means[0] - 1), abs=1e-6)
        assert float(row["change_points"]) == pytest.approx(100 * (means[1] - means[0]), abs=1e-5)
        if row["above_chance"]:
            assert float(row["above_chance"]) == pytest.approx((means[1] - 0.5) / (means[0] - 0.5), abs=1e-5)
        assert float(row["ci_low"]) <= float(row["change_percent"]) <= float(row["ci_high"])
    markdown = (written / "factors.md").read_text()
    assert "| C | Phone-Repeat → Speech-HuBERT | sWUGGY | −24.5 [" in markdown
    assert "] | −40.6 | −23.0 [" in markdown


def test_dropped_counts_by_stage_split_and_reason(written):
    rows = [tuple(row.values()) for row in read_csv(written / "dropped.csv")]
    assert rows == [
        ("corpus", "", "too-long", "1", "utt-9"),
        ("alignment", "train", "oov", "2", "train-1"),
        ("alignment", "dev", "low-likelihood", "1", "dev-3"),
    ]


def test_nothing_dropped_is_said(tmp_path, call):
    write_csv(tmp_path / "c.csv", ["id", "reason", "detail"], [])
    write_csv(tmp_path / "a.csv", ["split", "id", "reason", "detail"], [])
    write_csv(tmp_path / "e.csv", common_items.COLUMNS, [])
    files = ("--corpus", tmp_path / "c.csv", "--alignment", tmp_path / "a.csv", "--evaluation", tmp_path / "e.csv")
    call(table_dropped, *files, "--output", tmp_path / "out")
    assert "Nothing was dropped." in (tmp_path / "out/dropped.md").read_text()
    left = {"task": "sblimp", "id": "p7", "modality": "phone-raw", "reason": "too-long"}
    write_csv(tmp_path / "e.csv", common_items.COLUMNS, [left])
    call(table_dropped, *files, "--output", tmp_path / "out")
    assert "| evaluation | sblimp | too-long in phone-raw | 1 | p7 |" in (tmp_path / "out/dropped.md").read_text()


def test_same_input_same_bytes(written, standing, tmp_path, call):
    for module, arguments in commands(standing, tmp_path):
        call(module, *arguments)
    for path in written.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name


# What a row of the factors holds.


def compared(folder, base, new, couples=None, dropped=NOTHING):
    """Rows of the factors' table for one pair of modalities, given the differences of their items' sides in nats."""
    for name, differences in (("base", base), ("new", new)):
        rows = [
            score_rows.score_row(
                (f"i{i:03}", "v", "all", "g", couples[i] if couples else f"i{i:03}", "", "", ""),
                {"logprob": [-10.0, -10.0 - difference]},
            )
            for i, difference in enumerate(differences)
        ]
        write_csv(folder / f"t/{name}.csv", score_rows.COLUMNS, score_rows.fill_correct(rows, "total"))
    factors = [Factor("A", "base", "new")]
    return table_factors.rows(Comparison(folder, dropped, factors, ["t"], 200, 1), "total")


def test_equal_scores_have_no_width_and_are_the_same(tmp_path):
    scores = [1.0] * 70 + [-1.0] * 10
    (row,) = compared(tmp_path, scores, scores)
    assert [row[name] for name in (*table_factors.CHANGE, *table_factors.POINTS)] == [0] * 6
    assert (row["above_chance"], row["smallest_effect"], row["p_value"], row["p_equivalence"]) == (1, 0, 1, 0)
    assert table_factors.finding(row) == "the same within 10 points"


def test_a_baseline_that_has_less_than_the_margin_to_lose_is_never_the_same(tmp_path):
    scores = [1.0] * 470 + [-1.0] * 330  # 58.75%
    (row,) = compared(tmp_path, scores, [1.0] * 400 + [-1.0] * 400)
    assert row["measurable"] == "yes"
    (same,) = compared(tmp_path, scores, scores)
    assert (same["p_equivalence"], same["p_equivalence_holm"]) == (1, 1)
    assert table_factors.finding(same) == "no difference shown"


def test_pairing_narrows_the_interval(tmp_path):
    base = [1.0] * 70 + [-1.0] * 30
    (row,) = compared(tmp_path / "alike", base, [-1.0] * 10 + base[10:])  # the same items fail, and ten more
    (apart,) = compared(tmp_path / "apart", base, [-1.0] * 40 + [1.0] * 60)
    assert row["change_points"] == apart["change_points"] == -10.0
    widths = [each["points_ci_high"] - each["points_ci_low"] for each in (row, apart)]
    assert widths[0] < 0.6 * widths[1]
    assert row["smallest_effect"] < 0.6 * apart["smallest_effect"]


def test_mirrors_are_compared_as_couples(tmp_path):
    couples = [f"c{i // 2}" for i in range(120)]
    # The baseline is right in both pairs of a couple; the other model only in one of them, by less than it is wrong.
    rows = compared(tmp_path, [2.0] * 120, [1.0, -3.0] * 60, couples)
    accuracy, together = rows
    assert [row["metric"] for row in rows] == ["accuracy", "couples"]
    assert (accuracy["change_points"], accuracy["points_ci_low"], accuracy["points_ci_high"]) == (-50, -50, -50)
    assert (together["change_points"], together["above_chance"], together["n"]) == (-100, -1, 60)
    assert (accuracy["smallest_effect"], accuracy["measurable"]) == (0, "yes")  # every couple says the same
    assert table_factors.finding(accuracy) == "lower"


def test_a_couple_counts_once_in_the_tests(tmp_path):
    couples = [f"c{i // 2}" for i in range(120)]
    new = np.repeat([-1.0] * 6 + [1.0] * 54, 2).tolist()
    bound, apart = (compared(tmp_path / str(bool(each)), [1.0] * 120, new, each)[0] for each in (couples, None))
    assert bound["p_value"] == pytest.approx(2 / 2**6, abs=0.003)
    assert apart["p_value"] < 0.001
    assert bound["smallest_effect"] == pytest.approx(2**0.5 * apart["smallest_effect"], rel=0.01)


def test_a_baseline_at_chance_is_not_measurable(tmp_path):
    (row,) = compared(tmp_path, [1.0, -1.0] * 50, [1.0, -1.0, -1.0, 1.0] * 25)
    assert row["measurable"] == "the baseline is not above chance"
    assert row["above_chance"] == ""
    write_csv(tmp_path / "factors.csv", table_factors.COLUMNS, [row])
    table = table_factors.build_table(tmp_path / "factors.csv", summary_page.read_paper(PAPER))
    assert table.rows[0][-2:] == [row["measurable"], "not measurable: the baseline is not above chance"]


def test_few_items_show_neither_a_difference_nor_a_sameness(tmp_path):
    (row,) = compared(tmp_path, [1.0] * 18 + [-1.0] * 2, [1.0] * 16 + [-1.0] * 2 + [1.0] * 2)
    assert row["measurable"] == "the smallest detectable effect exceeds 10 points"
    assert table_factors.finding(row) == "no difference shown"


def test_voices_are_averaged_within_an_item(tmp_path):
    rows = [{"id": "a", "couple": "x", "correct": right} for right in (1, 0)]
    write_csv(tmp_path / "x.csv", ["id", "couple", "correct"], [*rows, {"id": "b", "couple": "x", "correct": 1}])
    found = item_scores(tmp_path / "x.csv", NOTHING)
    assert found["correct"].to_dict() == {"a": 0.5, "b": 1.0}
    assert found["couple"].to_dict() == {"a": "x", "b": "x"}


def test_a_baseline_of_zero_has_no_change(tmp_path):
    (row,) = compared(tmp_path, [-1.0] * 5, [1.0] * 5)
    assert [row[name] for name in table_factors.CHANGE] == [""] * 3
    write_csv(tmp_path / "factors.csv", table_factors.COLUMNS, [row])
    table = table_factors.build_table(tmp_path / "factors.csv", summary_page.read_paper(PAPER))
    assert table.rows[0][:5] == ["A", "Base → New", "T", "–", "–"]
    assert table.rows[0][-1] == "not measurable: the baseline is not above chance"


def test_factors_carry_a_paired_test_corrected_for_their_number(written, standing):
    rows = [row for row in read_csv(written / "factors.csv") if row["metric"] == "accuracy"]
    p = [float(row["p_value"]) for row in rows]
    corrected = [float(row["p_holm"]) for row in rows]
    assert all(before <= after <= 1 for before, after in zip(p, corrected, strict=True))
    assert min(corrected) == pytest.approx(len(rows) * min(p))
    assert {row["n"] for row in rows} == {"300"}
    for row, after in zip(rows, corrected, strict=True):
        if after < 0.05:  # what survives the correction has an interval without zero
            assert float(row["ci_low"]) * float(row["ci_high"]) > 0
    markdown = (written / "factors.md").read_text()
    assert "Holm's procedure for 12 comparisons" in markdown
    assert "Items: sWUGGY 300, sBLIMP 300, Topic-SC 300." in markdown


def test_groups_stand_in_the_configs_order_with_their_size(written):
    rows = read_csv(written / "groups.csv")
    assert [row["modality"] for row in rows[:2]] == ["text-bpe", "text-bpe"]
    assert list(dict.fromkeys(row["task"] for row in rows)) == list(fake.TASKS)
    lines = (written / "groups.md").read_text().splitlines()
    assert lines[2].startswith("| task | items | pairs | accuracy, %: Text-BPE | ")
    assert lines[4].startswith("| sWUGGY | first | 150 | ")


def test_controls_stand_beside_the_model(written):
    lines = (written / "controls.md").read_text().splitlines()
    heads = " | ".join(f"sWUGGY, %: {name}" for name in ("trained", "untrained", "shuffled durations"))
    assert lines[2].startswith(f"| modality | {heads} |")
    cells = {line.split(" | ")[0][2:]: line.split(" | ") for line in lines[4:10]}
    assert list(cells) == [display_name(name) for name in fake.MODALITIES]  # the config's order, whatever the step's
    assert cells["Text-BPE"][3] == "–"  # it has no durations
    assert "[" in cells["Phone-Repeat"][3]
    assert "sWUGGY 50.0 [44.3, 55.7] of 300" in (written / "controls.md").read_text()


def test_another_system_has_a_row_and_may_lack_tasks_and_bits(results, call, tmp_path):
    path = results / "evaluation/summary.csv"
    rows = read_csv(path)
    theirs = {"modality": "their-slm", "task": "swuggy", "metric": "accuracy"}
    write_csv(path, list(rows[0]), [*rows, {**theirs, "value": 0.6, "ci_low": 0.5, "ci_high": 0.7, "n": 40}])
    arguments = ("--summary", path, "--tasks", *fake.TASKS[:2], "--score-normalization", "total", "--paper", PAPER,
                 "--output", tmp_path, "--modalities", *fake.MODALITIES[3:], "their-slm")  # fmt: skip
    call(table_results, *arguments, "--external-systems", "their-slm")
    line = (tmp_path / "results.md").read_text().splitlines()[7]
    assert line.startswith("| Their-Slm | 60.0 [50.0, 70.0] | – |")
    assert line.endswith("| – | – | – |")
    with pytest.raises(ValueError, match="no row for their-slm, sblimp, accuracy"):
        call(table_results, *arguments)


# The first page.


# Without tasks, and a stranger's modality.


def test_without_tasks_bits_and_streams_remain(tmp_path, call):
    folder, out = tmp_path / "r", tmp_path / "out"
    fake.write(folder, tasks=())
    for module, arguments in commands(folder, out, tasks=()):
        call(module, *arguments)
    call(summary_page, "--tables", out, "--about", json.dumps({**ABOUT, "source": "manifest"}), "--paper", PAPER,
         "--with-bit-factors", "--output", tmp_path / "summary.html")  # fmt: skip
    assert "Dev losses of the language models" in (out / "results.md").read_text()
    assert not (out / "factors.csv").exists()
    text = (tmp_path / "summary.html").read_text()
    assert "The cost of each factor" not in text
    assert text.count("<svg ") == 1
    row = read_csv(out / "bit_factors.csv")[2]
    interval = f"(+{float(row['change_percent']):.1f}% [+{float(row['ci_low']):.1f}, +{float(row['ci_high']):.1f}])"
    assert f"costs {float(row['difference']):.1f} bits per second of speech {interval}" in text
    assert "compared on the same items (utterances 128)" in text
    assert "C (units of real sound, which vary with voice, prosody and noise, instead of exact phones):" in text
    assert "Phone-Repeat → Speech-HuBERT shows no difference in bits per second" in text
    assert "bits per second" in text


def test_a_strangers_modality_needs_no_code(tmp_path, call):
    modalities = ("phone-raw", "my-units")
    fake.TRUE["my-task"] = fake.TRUE["sblimp"]
    try:
        fake.write(tmp_path, modalities=modalities, tasks=("my-task",), items=20)
    finally:
        del fake.TRUE["my-task"]
    factors = fake.factors_json(Factor("D", "phone-raw", "my-units"))
    out = tmp_path / "out"
    call(table_factors, "--evaluation", tmp_path / "evaluation", "--dropped", tmp_path / "evaluation/dropped.csv",
         "--config", factors, "--tasks", "my-task", "--score-normalization", "total", "--samples", 50, "--seed", 1,
         "--paper", PAPER, "--output", out)  # fmt: skip
    lines = (out / "factors.md").read_text().splitlines()
    assert lines[4].startswith("| D | Phone-Raw → My-Units | My-Task |")
    assert lines[4].split(" | ")[4] == "–"  # of the paper


def test_a_task_of_text_alone_has_dashes_elsewhere(results, tmp_path, call):
    path = results / "evaluation/summary.csv"
    rows = read_csv(path)
    scored = next(row for row in rows if row["modality"] == "phone-raw" and row["metric"] == "accuracy")
    write_csv(path, list(rows[0]), [*rows, {**scored, "task": "blimp", "n": "67"}])
    for module, arguments in commands(results, tmp_path, fake.TASKS[:2], fake.MODALITIES[3:]):
        if module is table_results:
            call(module, *arguments, "--text-tasks", "blimp")
    lines = [line for line in (tmp_path / "results.md").read_text().splitlines() if line.startswith("| Phone-R")]
    heads = next(line for line in (tmp_path / "results.md").read_text().splitlines() if line.startswith("| modality"))
    at = [head.strip() for head in heads.split("|")].index("BLiMP, %: ours")
    shown = {line.split("|")[1].strip(): line.split("|")[at].strip() for line in lines}
    assert shown["Phone-Raw"].startswith(f"{100 * float(scored['value']):.1f} [")
    assert shown["Phone-Repeat"] == "–"
