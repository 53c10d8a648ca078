"""Reruns: the jobs that a dry run lists after a change, and the commands that run a part of the workflow.

Each row of the tables in docs/reruns.md is a test here, on a copy of the smoke run.
"""

import gzip
import json

import pytest

from scripts.common.stages import STAGES
from tests.factories.workflow import SMOKE, Workflow

pytestmark = pytest.mark.slow
LATE = {"lm", "evaluation", "continuation", "report"}
LEARNING_RATE = "lm: {training: {learning_rate: 0.001}}"


def stages_of(jobs: set[str]) -> set[str]:
    return {job.split("_")[0] for job in jobs if "_" in job}


def trained(jobs: set[str]) -> set[str]:
    return {job.removeprefix("lm_train/") for job in jobs if job.startswith("lm_train/")}


def remove_lines(run: Workflow, word: str) -> None:
    """Both configuration files without the lines that hold a word: an overlay can add keys, but not remove them."""
    for name in ("config.yaml", "workflow/configs/smoke.yaml"):
        run.edit(name, lambda text: "".join(line for line in text.splitlines(keepends=True) if word not in line))


# What was changed, and what runs.


def test_a_learning_rate(smoke_copy: Workflow):
    jobs = smoke_copy.would_run(*SMOKE, smoke_copy.overlay(LEARNING_RATE))
    assert {"lm_train", "evaluation_score", "report"} <= jobs
    assert stages_of(jobs) == LATE


def test_one_line_of_a_modality(smoke_copy: Workflow):
    jobs = smoke_copy.would_run(*SMOKE, smoke_copy.overlay("modalities: {text-bpe: {vocab_size: 140}}"))
    assert trained(jobs) == {"text-bpe"}
    assert stages_of(jobs) == LATE | {"tokens"}


def test_a_further_modality(smoke_copy: Workflow):
    jobs = smoke_copy.would_run(
        *SMOKE, smoke_copy.overlay("modalities: {phone-small: {source: phones, tokenizer: bpe, vocab_size: 90}}")
    )
    assert trained(jobs) == {"phone-small"}
    assert {job for job in jobs if job.startswith("tokens_pack/")} >= {"tokens_pack/phone-small"}
    assert not {job for job in jobs if job.startswith("tokens_") and job.endswith(("text-bpe", "phone-raw"))}
    assert "evaluation_score/text-bpe" not in jobs
    assert stages_of(jobs) == LATE | {"tokens"}


def test_one_modality_less(smoke_copy: Workflow):
    remove_lines(smoke_copy, "text-raw")
    jobs = smoke_copy.would_run(*SMOKE)
    assert "report_table_results" in jobs
    assert not trained(jobs)
    assert not {"evaluation_score", "continuation_generate"} & jobs
    assert not stages_of(jobs) & {"corpus", "alignment", "units", "tokens", "lm"}


def test_one_task_less_or_more_is_another_world(smoke_copy: Workflow):
    remove_lines(smoke_copy, "sblimp")
    jobs = smoke_copy.would_run(*SMOKE)
    assert {"corpus_write_tasks", "corpus_write", "alignment_train", "lm_train"} <= jobs


def test_the_number_of_clusters(smoke_copy: Workflow):
    jobs = smoke_copy.would_run(*SMOKE, smoke_copy.overlay("units: {clusters: 30}"))
    assert {"units_kmeans", "units_extract"} <= jobs
    assert "units_encoder" not in jobs
    assert trained(jobs) == {"speech-hubert"}
    assert not stages_of(jobs) & {"corpus", "alignment"}


def test_what_a_scheduler_is_asked_for(smoke_copy: Workflow):
    gpus = smoke_copy.overlay("cluster: {gpus: {lm: 4}}")
    assert smoke_copy.would_run(*SMOKE, gpus, "--set-resources", "units_kmeans:mem_mb=9000", "--") == set()


@pytest.mark.parametrize(
    ("module", "reruns", "stands"),
    [
        ("scripts/evaluation/layers.py", "evaluation_score", {"corpus", "alignment", "units", "tokens", "lm"}),
        ("scripts/lm/train.py", "lm_train", {"corpus", "alignment", "units", "tokens"}),
        ("scripts/tokens/encode.py", "tokens_encode", {"corpus", "alignment", "units"}),
        ("scripts/alignment/align.py", "alignment_align", {"corpus"}),
    ],
)
def test_a_steps_module(smoke_copy: Workflow, module: str, reruns: str, stands: set[str]):
    smoke_copy.edit(module, lambda text: text + "\nEDITED = True\n")
    jobs = smoke_copy.would_run(*SMOKE)
    assert reruns in jobs
    assert not stages_of(jobs) & stands


def test_a_comment_a_docstring_and_an_untouched_content(smoke_copy: Workflow):
    """Every step imports the module; the shard is written again with the same bytes."""
    shard = smoke_copy.results / "alignment/cuts/train/1.jsonl.gz"
    shard.write_bytes(shard.read_bytes())
    smoke_copy.edit("scripts/common/files.py", lambda text: text.replace('"""', '"""So. ', 1) + "\n# edited\n")
    assert smoke_copy.would_run(*SMOKE) == set()


def test_one_shard(smoke_copy: Workflow):
    shard = smoke_copy.results / "alignment/cuts/dev/0.jsonl.gz"
    shard.write_bytes(gzip.compress(gzip.decompress(shard.read_bytes()) + b"\n"))
    jobs = smoke_copy.would_run(*SMOKE)
    assert {"units_extract/dev", "tokens_encode/dev", "lm_train"} <= jobs
    assert not {"units_extract/train", "tokens_encode/train", "units_kmeans", "tokens_tokenizer"} & jobs
    assert not stages_of(jobs) & {"corpus"}


def test_a_caption(smoke_copy: Workflow):
    smoke_copy.edit("workflow/report/scaling.rst", lambda text: text + "\nAnd more.\n")
    assert smoke_copy.would_run(*SMOKE) == {"report"}


def test_a_deleted_figure(smoke_copy: Workflow):
    (smoke_copy.results / "report/figures/scaling.png").unlink()
    assert smoke_copy.would_run(*SMOKE, "--", "figures") == {"figures", "report_figure_scaling"}


# By what a run is kept to a part.


def test_every_stage_is_a_target_and_so_are_tables_figures_and_report(smoke_copy: Workflow):
    targets = {*STAGES, "tables", "figures"}
    assert smoke_copy.would_run(*SMOKE, "--", *sorted(targets)) <= targets


def test_a_modality_a_task_and_a_file_are_targets(smoke_copy: Workflow):
    changed = (*SMOKE, smoke_copy.overlay(LEARNING_RATE))
    jobs = smoke_copy.would_run(*changed, "--", "modality_phone-raw")
    assert trained(jobs) == {"phone-raw"}
    assert "evaluation_score/phone-raw" in jobs
    assert stages_of(jobs) == {"lm", "evaluation", "modality"}
    jobs = smoke_copy.would_run(*changed, "--", "task_sblimp")
    assert len(trained(jobs)) == 6
    assert stages_of(jobs) == {"lm", "evaluation", "task"}
    jobs = smoke_copy.would_run(*changed, "--", "results/smoke/lm/phone-raw/model")
    assert jobs == {"lm_train", "lm_train/phone-raw"}


def test_a_run_ends_with_the_rules_of_until_and_before_those_of_omit_from(smoke_copy: Workflow):
    changed = (*SMOKE, smoke_copy.overlay(LEARNING_RATE))
    assert stages_of(smoke_copy.would_run(*changed, "--until", "lm_train")) == {"lm"}
    jobs = smoke_copy.would_run(*changed, "--omit-from", "continuation_generate", "--", "evaluation", "continuation")
    assert {"lm_train", "evaluation_score"} <= jobs
    assert not {"continuation_generate", "continuation_speak", "continuation_summary"} & jobs


def test_with_keep_going_what_does_not_need_the_broken_part_is_made(smoke_copy: Workflow):
    tables = [smoke_copy.results / f"report/tables/{name}.csv" for name in ("modalities", "dropped")]
    before = [table.read_bytes() for table in tables]
    for table in tables:
        table.unlink()
    wanted = [str(table.relative_to(smoke_copy.folder)) for table in tables]
    paper = smoke_copy.folder / "resources/paper.yaml"
    kept = paper.read_text()
    smoke_copy.edit("resources/paper.yaml", lambda text: "[broken")
    done = smoke_copy.snakemake(*SMOKE, "--keep-going", "--", *wanted, check=False)
    assert done.returncode != 0
    assert [table.exists() for table in tables] == [False, True]
    assert tables[1].read_bytes() == before[1]
    smoke_copy.edit("resources/paper.yaml", lambda text: kept)
    smoke_copy.snakemake(*SMOKE, "--", *wanted)
    assert tables[0].read_bytes() == before[0]


def test_another_experiment_shares_stages_without_making_them(smoke_copy: Workflow):
    other = {"name": "other", "share": {"with": "smoke", "through": "tokens"}, "lm": {"training": {"epochs": 1}}}
    shared = (*SMOKE, smoke_copy.overlay(json.dumps(other)))
    jobs = smoke_copy.would_run(*shared)
    assert len(trained(jobs)) == 6
    assert stages_of(jobs) == LATE
    table = "results/other/evaluation/baselines/sblimp/text-raw.csv"
    smoke_copy.snakemake(*shared, "--", table)
    made = smoke_copy.folder / table
    assert made.read_bytes() == (smoke_copy.folder / table.replace("other", "smoke")).read_bytes()
    assert not (smoke_copy.folder / "results/other/tokens").exists()
    assert smoke_copy.would_run(*SMOKE) == set()  # for the owner nothing has changed

    other["tokens"] = {"silence": "drop"}
    done = smoke_copy.snakemake(*SMOKE, smoke_copy.overlay(json.dumps(other)), "--dry-run", check=False)
    assert 'tokens.silence is "drop" here and "keep" in results/smoke/config.json' in done.stdout + done.stderr
    jobs = smoke_copy.would_run(
        *SMOKE, smoke_copy.overlay(json.dumps(other | {"share": {"with": "smoke", "through": "units"}}))
    )
    assert stages_of(jobs) == LATE | {"tokens"}
