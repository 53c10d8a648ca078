"""Relations between costs; tests/workflow/test_storage.py compares them with a run."""

import copy
from pathlib import Path

import pytest

from scripts.plan import costs, work
from scripts.plan.amounts import Amounts
from scripts.plan.profile import Profile
from scripts.plan.storage import storage
from tests.factories.rules import read_rules
from tests.plan.conftest import MINI, PAPER

REGISTRY = Path("resources/datasets.yaml")
PROFILE = Profile(Path(PAPER["plan"]["profile"]))
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
    "tokens_shared_context": 1,
    "lm_train": 6,
    "evaluation_score": 6,
    "evaluation_scaling": 6,
    "evaluation_baselines": 6,
    "report_figures_and_tables": 18,
}


def test_every_formula_is_of_a_rule_and_every_rule_with_a_gpu_has_one():
    stages = dict(enumerate(("units", "lm", "evaluation", "continuation"), start=2))
    gpus = {stage: count for count, stage in stages.items()}
    asked_for = {"units_sweep"}  # by its own target only
    config = {"cluster": {"gpus": gpus}, "seeds": [2], "evaluation": {"text_tasks": {"mine": "items.jsonl"}}}
    rules = {rule.name: rule.gpus for rule in read_rules(config)}
    others = {rule.name for rule in read_rules({"corpus": {"source": "libriheavy"}})}
    assert set(work.FORMULAS) <= set(rules) | others
    for rule in set(rules) - asked_for:
        stage = work.rule_work(rule, Amounts(MINI)).gpu_stage
        if rules[rule] > 1:  # as many as its stage's; one alone: whichever stage's
            assert stage == stages[rules[rule]], rule
        else:
            assert (stage is not None) == (rules[rule] == 1), rule


def test_four_gpus_train_four_times_as_fast_and_hold_as_many_hours():
    config = copy.deepcopy(PAPER)
    config["cluster"]["gpus"]["lm"] = 1
    one = costs.rule_cost("lm_train", 6, Amounts(config), PROFILE)
    config["cluster"]["gpus"]["lm"] = 4
    many = costs.rule_cost("lm_train", 6, Amounts(config), PROFILE)
    start = PAPER["plan"]["start_seconds"]["torch"] / 3600
    assert many.longest_hours - start == pytest.approx((one.longest_hours - start) / 4)
    assert many.gpu_hours == pytest.approx(one.gpu_hours + 6 * 3 * start)


@pytest.mark.parametrize(
    ("backend", "device", "gpus", "torch"),
    [
        ("auto", "auto", 1, True),
        ("auto", "cuda", 1, True),
        ("auto", "auto", 0, False),
        ("auto", "cpu", 1, False),
        ("faiss", "cuda", 1, False),
        ("torch", "cpu", 0, True),
    ],
)
def test_torch_multiplies_twice_in_k_means(backend: str, device: str, gpus: int, torch: bool):
    config = copy.deepcopy(PAPER)
    config["units"] |= {"kmeans_backend": backend, "device": device}
    config["cluster"]["gpus"]["units"] = gpus
    speech = 2 * 1_000_000 / 50 / 1000  # seconds for twice the sample's frames through the encoder
    clustering = 2 * 1_000_000 * 2048 * 1024 * 25 * 3 / 7.8e12
    expected = speech + (2 if torch else 1) * clustering
    assert work.rule_work("units_kmeans", Amounts(config)).seconds == pytest.approx(expected)


def test_a_machine_without_gpus_holds_none():
    rows = costs.rule_costs(MINI, JOBS, REGISTRY, PROFILE)
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
    assert work.rule_work("lm_train", Amounts(config)).seconds == pytest.approx(
        3 * work.rule_work("lm_train", Amounts(MINI)).seconds
    )


def test_models_on_shares_of_the_data_train_in_proportion():
    config = copy.deepcopy(MINI)
    config["lm"]["data_shares"] = [0.25, 0.5]
    more, less = (work.rule_work("lm_train", Amounts(each)) for each in (config, MINI))
    assert 1.75 < more.seconds / less.seconds < 1.78  # the dev loss is measured on all of dev
    assert more.kept == pytest.approx(3 * less.kept)
    scored = [work.rule_work("evaluation_score", Amounts(each)).seconds for each in (config, MINI)]
    assert scored[0] == pytest.approx(3 * scored[1])
    scaled = [work.rule_work("evaluation_scaling", Amounts(each)).seconds for each in (config, MINI)]
    assert scaled[0] == pytest.approx(scaled[1])  # checkpoints of the modalities' own models alone
    hours = [sum(row.hours for row in costs.model_costs(each)) for each in (config, MINI)]
    assert hours[0] == pytest.approx(hours[1] * more.seconds / less.seconds)
    assert costs.stage_of("shares_tokens") == "tokens"


def test_the_peak_is_what_is_kept_and_everything_temporary():
    jobs = {rule: count for rule, count in JOBS.items() if "speak" not in rule}
    stages = costs.stage_costs(costs.rule_costs(PAPER, {**jobs, "download_dataset": 9}, REGISTRY, PROFILE), 20.0)
    temporary = sum(stage.temporary_gb for stage in stages)
    assert temporary > 100  # the trainings' states
    assert costs.peak_gb(stages) == pytest.approx(costs.kept_gb(stages) + temporary)
    stored = {row.what: row.gigabytes for row in storage(PAPER, stages)}
    assert stored["audio"] > 3_000
    assert sum(stored.values()) == pytest.approx(costs.peak_gb(stages), rel=0.05)
