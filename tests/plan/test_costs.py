"""Costs against a recorded run of the miniature, and what must hold between them."""

import copy
import re
from pathlib import Path

import pytest

from scripts.plan import costs, work
from scripts.plan.amounts import Amounts
from scripts.plan.check import compare
from scripts.plan.jobs import Measured
from scripts.plan.storage import storage
from tests.plan.conftest import MINI, PAPER

REGISTRY = Path("resources/datasets.yaml")
# docs/plan.md: seconds of the jobs of a stage, of the run that scored every checkpoint on all items, without
# controls and continuations. Where the page says what a step took, it stands by itself.
RECORDED = {
    "corpus": 90,
    "corpus_speak_tasks": 55,
    "corpus_speak": 27,
    "alignment": 135,
    "alignment_train": 33,
    "alignment_align": 55,
    "alignment_align_task": 47,
    "units": 361,
    "units_encoder": 162,
    "units_quality": 43,
    "units_kmeans": 27,
    "tokens": 13,
    "lm": 1249,
    "evaluation": 537,  # 613 less the pairs' own job of 76
    "evaluation_scaling": 411,
    "evaluation_score": 121,  # its layers and bits, which are one job now; the pairs are among the layers
    "report": 16,
}
JOBS = {
    "corpus_write": 1,
    "corpus_write_tasks": 1,
    "corpus_speak": 5,
    "corpus_speak_tasks": 3,
    "corpus_lexicon": 1,
    "alignment_train": 1,
    "alignment_align": 5,
    "alignment_align_task": 3,
    "units_encoder": 1,
    "units_kmeans": 1,
    "units_extract": 5,
    "units_extract_task": 3,
    "units_quality": 1,
    "tokens_tokenizer": 6,
    "tokens_encode": 30,
    "tokens_encode_task": 18,
    "tokens_pack": 12,
    "tokens_stats": 6,
    "lm_train": 6,
    "evaluation_score": 6,
    "evaluation_scaling": 6,
    "evaluation_baselines": 6,
    "report_figures_and_tables": 17,
}


def test_a_recorded_run_of_the_miniature_is_predicted_within_twice():
    config = copy.deepcopy(MINI)
    config["evaluation"]["scaling_items"] = None
    config["plan"]["times_real_time"]["align"] = 250  # as it was then: MFCC took half of the time
    config["plan"]["flops"]["train"] = 9.0e10  # the same: a training step is faster now
    stages, rules = compare(config, {rule: Measured(jobs, 1.0, 1.0) for rule, jobs in JOBS.items()})
    predicted = {row.name: row.predicted for row in [*stages, *rules]}
    off = {name: (predicted[name], seconds) for name, seconds in RECORDED.items()}
    off = {name: (got, said) for name, (got, said) in off.items() if not said / 2 <= got <= 2 * said}
    assert not off


def test_every_formula_is_of_a_rule_and_every_rule_of_the_report_with_a_gpu_has_one():
    asked_for = "unit_quality.smk"  # by its own target only
    rules = "".join(path.read_text() for path in Path("workflow/rules").glob("*.smk") if path.name != asked_for)
    blocks = {
        (block.split()[1] if block.startswith("rule") else block.split()[4]).rstrip(":"): block
        for block in re.findall(
            r"^ *((?:rule \w+|use rule \w+ as \w+ with):.*?)(?=^ *(?:use )?rule |\Z)", rules, re.S | re.M
        )
    }
    assert set(work.FORMULAS) <= set(blocks)
    for rule, block in blocks.items():
        if stage := re.search(r'gpu=config\["cluster"\]\["gpus"\]\["(\w+)"\]', block):
            assert work.of_rule(rule, Amounts(MINI)).gpu_stage == stage[1], rule


def test_four_gpus_train_four_times_as_fast_and_hold_as_many_hours():
    config = copy.deepcopy(PAPER)
    config["cluster"]["gpus"]["lm"] = 1
    one = costs.rule_cost("lm_train", 6, Amounts(config))
    config["cluster"]["gpus"]["lm"] = 4
    many = costs.rule_cost("lm_train", 6, Amounts(config))
    start = PAPER["plan"]["start_seconds"]["torch"] / 3600
    assert many.longest_hours - start == pytest.approx((one.longest_hours - start) / 4)
    assert many.gpu_hours == pytest.approx(one.gpu_hours + 6 * 3 * start)


def test_a_machine_without_gpus_holds_none():
    rows = costs.rule_costs(MINI, JOBS, REGISTRY)
    assert not any(row.gpu_hours or row.download_gb for row in rows)
    assert all(row.core_hours > 0 for row in rows)


def test_the_paper_downloads_what_the_registry_says():
    names = costs.datasets(PAPER)
    assert "librilight-large" in names
    assert "tsc" in names
    row = costs.download(PAPER, len(names), REGISTRY)
    assert 3_400 < row.download_gb < 3_500
    assert row.written_gb >= row.download_gb


def test_seed_replicas_train_as_long_again():
    config = copy.deepcopy(MINI)
    config["seeds"] = [2, 3]
    assert work.of_rule("lm_train", Amounts(config)).seconds == pytest.approx(
        3 * work.of_rule("lm_train", Amounts(MINI)).seconds
    )


def test_the_peak_is_what_is_kept_and_everything_temporary():
    jobs = {rule: count for rule, count in JOBS.items() if "speak" not in rule}
    stages = costs.stage_costs(costs.rule_costs(PAPER, {**jobs, "download_dataset": 9}, REGISTRY), 20.0)
    temporary = sum(stage.temporary_gb for stage in stages)
    assert temporary > 100  # the trainings' states
    assert costs.peak_gb(stages) == pytest.approx(costs.kept_gb(stages) + temporary)
    stored = {row.what: row.gigabytes for row in storage(PAPER, stages)}
    assert stored["audio"] > 3_000
    assert sum(stored.values()) == pytest.approx(costs.peak_gb(stages), rel=0.05)
