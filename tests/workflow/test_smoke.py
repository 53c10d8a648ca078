"""The DAG end to end on the smoke experiment: results, nothing to do, further seeds, the same bytes."""

import csv
from pathlib import Path

import pytest

from tests.factories.workflow import SMOKE, Workflow, digests


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.smoke
def test_the_report_and_its_tables_stand(smoke: Workflow):
    results = smoke.folder / "results/smoke"
    page = (results / "report.html").read_text()
    assert len(page) > 100_000
    modalities = {row["modality"]: row for row in rows(results / "report/tables/modalities.csv")}
    assert list(modalities) == ["text-bpe", "text-raw", "phone-bpe", "phone-raw", "phone-repeat", "speech-hubert"]
    assert modalities["phone-repeat"]["tokens"] == modalities["speech-hubert"]["tokens"]
    accuracy = {
        (row["modality"], row["task"]): float(row["value"])
        for row in rows(results / "report/tables/results.csv")
        if row["metric"] == "accuracy"
    }
    assert len(accuracy) == 6 * 3
    assert all(0 <= value <= 100 for value in accuracy.values())
    assert {row["factor"] for row in rows(results / "report/tables/factors.csv")} == {"A", "B", "C"}
    for figure in ("scaling", "layers_by_task", "layers_lexical"):
        for form in ("svg", "pdf", "png", "csv"):
            assert (results / f"report/figures/{figure}.{form}").stat().st_size > 100


@pytest.mark.smoke
def test_stories_have_one_context_that_the_encoder_reads_in_two_ways(smoke: Workflow):
    found = {row["modality"]: row for row in rows(smoke.folder / "results/smoke/report/tables/shared_context.csv")}
    assert set(found) == {"phone-repeat", "speech-hubert"}
    share = {name: float(row["differing"]) / float(row["frames"]) for name, row in found.items()}
    assert share["phone-repeat"] < 0.02 < share["speech-hubert"] < 0.2


@pytest.mark.smoke
def test_continuations_are_said_heard_judged_and_shown(smoke: Workflow):
    results = smoke.folder / "results/smoke"
    judged = {path.stem: rows(path) for path in (results / "continuation/judged/generated").glob("*.csv")}
    assert len(judged) == 6
    assert {len(found) for found in judged.values()} == {3 * 2}
    table = rows(results / "report/tables/continuation.csv")
    direct, spoken = {"continuation", "continuation-real"}, {"continuation-spoken", "continuation-spoken-real"}
    assert {row["task"] for row in table} == direct | spoken
    assert {row["modality"] for row in table if row["task"] in spoken} == {"text-bpe", "text-raw"}
    recogniser = [row["speech"] for row in rows(results / "continuation/recogniser.csv")]
    assert recogniser[:3] == ["held-out", "copied", "random-words"]
    assert len(recogniser) == 3 + 6
    changes = {(row["factor"], row["task"]) for row in rows(results / "report/tables/factors.csv")}
    assert {("A", "continuation"), ("A", "continuation-spoken"), ("C", "continuation")} <= changes
    assert ("C", "continuation-spoken") not in changes
    assert (results / "report/listen.html").read_text().count("<section>") == 3


@pytest.mark.smoke
def test_models_load_with_transformers_alone(smoke: Workflow):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    for folder in sorted((smoke.folder / "results/smoke/lm").iterdir()):
        model = AutoModelForCausalLM.from_pretrained(folder / "model")
        tokenizer = AutoTokenizer.from_pretrained(folder / "model")
        assert model.config.vocab_size == len(tokenizer)


@pytest.mark.smoke
def test_a_second_run_has_nothing_to_do(smoke: Workflow):
    assert smoke.would_run(*SMOKE) == set()


@pytest.mark.slow
def test_a_further_seed_trains_every_model_again_on_the_same_tokens(smoke_copy: Workflow):
    seeds = (*SMOKE, smoke_copy.overlay("seeds: [7]"))
    jobs = smoke_copy.would_run(*seeds)
    assert {job for job in jobs if job.startswith("lm_train/")} == {
        f"lm_train/{modality}-seed7"
        for modality in ("text-bpe", "text-raw", "phone-bpe", "phone-raw", "phone-repeat", "speech-hubert")
    }
    assert {"seeds_tokens", "evaluation_score", "report_table_seeds"} <= jobs
    assert not {job for job in jobs if job.startswith(("tokens", "units", "alignment", "corpus"))}

    results = smoke_copy.results
    smoke_copy.snakemake(*seeds, "--", "results/smoke/evaluation/sblimp/text-bpe-seed7.csv")
    replica = results / "tokens/text-bpe-seed7/train.bin"
    assert replica.is_symlink()
    assert replica.samefile(results / "tokens/text-bpe/train.bin")
    weights = [results / f"lm/{name}/model/model.safetensors" for name in ("text-bpe", "text-bpe-seed7")]
    assert weights[0].read_bytes() != weights[1].read_bytes()
    ids = [
        [row["id"] for row in rows(results / f"evaluation/sblimp/{name}.csv")]
        for name in ("text-bpe", "text-bpe-seed7")
    ]
    assert ids[0] == ids[1]
    assert smoke_copy.would_run(*SMOKE) == set()  # without the key nothing has changed


# Everything that must not differ between two runs of one seed.
MADE = ("corpus/**/*", "alignment/**/*", "units/**/*", "tokens/**/*", "lm/*/model/*", "lm/*/scaling/**/*",
        "evaluation/**/*", "continuation/**/*", "report/**/*")  # fmt: skip


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes(smoke: Workflow, workflow: Workflow):
    workflow.snakemake(*SMOKE, "--", "all")
    first, second = (digests(run.results, *MADE) for run in (smoke, workflow))
    assert set(first) == set(second)
    assert [name for name in first if first[name] != second[name]] == []
