"""LibriSpeech's own layout, on speech of the written world; and the overlay for Mini LibriSpeech."""

from pathlib import Path

import pytest
import yaml

from scripts.common.files import read_csv, read_jsonl
from scripts.plan.costs import datasets
from tests.factories.librispeech import write_subset
from tests.factories.workflow import Workflow
from tests.plan.conftest import MINI, merged

pytestmark = pytest.mark.slow
RUNG = "workflow/configs/mini-librispeech.yaml"
SMALL = """
name: layout
corpus:
  source: librispeech
  shards: {train: 2, dev: 1}
  librispeech: {audio_root: LibriSpeech, train: [train-tiny], dev: [dev-tiny]}
  dev_tasks: {next-utterance: {pairs: 4}}
alignment: {sample_hours: 1.0, gaussians: 250, iterations: 6}
"""


def make_tree(world: Path, root: Path, subsets: dict[str, str]) -> dict[str, list[str]]:
    """Train and dev of the world as subsets of these names; ids by subset."""
    made = {}
    for first, (split, subset) in enumerate(subsets.items(), start=1):
        cuts = list(read_jsonl(world / f"{split}.jsonl.gz"))[:16]
        made[subset] = write_subset(root, subset, cuts, world / "audio", 100 * first)
    return made


def test_a_tree_in_this_layout_is_read_and_aligned(workflow: Workflow, world: Path):
    root = workflow.folder / "LibriSpeech"
    made = make_tree(world, root, {"train": "train-tiny", "dev": "dev-tiny"})
    chapter = min(root.glob("train-tiny/*/7"))
    lost = min(chapter.glob("*.flac"))
    lost.unlink()
    transcript = next(path for path in sorted(root.glob("train-tiny/*/7/*.trans.txt")) if path.parent != chapter)
    lines = transcript.read_text().splitlines(keepends=True)
    transcript.write_text("".join([lines[0].rstrip() + " FROBNICATING\n", *lines[1:]]))
    # So small an aligner may fail on an item, whose couple then leaves with it.
    limits = "  max_missing_audio: 0.1\n  max_dropped_items: 0.5\n"
    text = SMALL.replace("  librispeech: {", limits + "  librispeech: {")
    config = ("--configfile", workflow.overlay(text))
    results = workflow.folder / "results/layout"
    scored = "results/layout/tokens/text-raw/tasks/next-utterance.bin"
    tables = (f"results/layout/{stage}/dropped.csv" for stage in ("corpus", "alignment"))
    workflow.snakemake(*config, "--", *tables, scored)
    items = {item["id"]: item for item in read_jsonl(results / "corpus/tasks/next-utterance.jsonl.gz")}
    assert len(items) == 4
    kept = [item["couple"] for item in read_jsonl(results / "alignment/tasks/next-utterance.jsonl.gz")]
    assert kept
    assert {kept.count(couple) for couple in kept} == {2}
    assert set(items) <= set(made["dev-tiny"])
    assert {item["group"] for item in items.values()} == {"another-speaker"}
    aligned = {
        split: [cut for path in sorted(results.glob(f"alignment/cuts/{split}/*")) for cut in read_jsonl(path)]
        for split in ("train", "dev")
    }
    dropped = {row["id"]: row["reason"] for row in read_csv(results / "corpus/dropped.csv")}
    assert dropped == {lost.stem: "no-audio"}
    assert len(aligned["train"]) >= 0.9 * (len(made["train-tiny"]) - 1)
    assert {cut["id"] for cut in aligned["dev"]} <= set(made["dev-tiny"])
    log = (results / "logs/alignment/train.log").read_text()
    assert "alignment.oov is guess; 1 of" in log
    assert "oov" not in {row["reason"] for row in read_csv(results / "alignment/dropped.csv")}


def test_the_rung_is_planned_and_would_run(workflow: Workflow):
    jobs = workflow.would_run("--configfile", RUNG)
    assert {"download_dataset/librispeech-train-clean-5", "download_dataset/librispeech-dev-clean-2"} <= jobs
    assert {"corpus_librispeech/train-clean-5", "alignment_train", "lm_train/speech-hubert"} <= jobs
    tasks = ("next-utterance", "next-utterance-in-chapter")
    assert {f"corpus_next_utterance/{task}" for task in tasks} <= jobs
    assert {f"tokens_encode_task/{task}" for task in tasks} <= jobs
    assert "report_table_shared_context" in jobs
    assert not {rule for rule in jobs if rule.startswith("continuation")}
    workflow.snakemake("--configfile", RUNG, "--", "plan")


@pytest.mark.parametrize("name", ["librispeech", "libriheavy-small"])
def test_the_rungs_for_one_gpu_are_planned_and_would_run(workflow: Workflow, name: str):
    rung = f"workflow/configs/{name}.yaml"
    jobs = workflow.would_run("--configfile", rung)
    assert {"units_kmeans", "lm_train/speech-hubert"} <= jobs
    assert any(job.startswith("download_dataset/") for job in jobs)
    assert not {job for job in jobs if job.startswith("continuation")}
    workflow.snakemake("--configfile", rung, "--", "plan")


def test_the_rung_of_a_hundred_hours_would_run_on_a_tree_that_is_there(workflow: Workflow):
    rung = yaml.safe_load((workflow.folder / "workflow/configs/librispeech.yaml").read_text())
    for subset in ("train-clean-100", "dev-clean"):
        (workflow.folder / "speech" / subset).mkdir(parents=True)
    rung["corpus"]["librispeech"]["audio_root"] = "speech"
    jobs = workflow.would_run("--configfile", workflow.overlay(yaml.safe_dump(rung)))
    assert "lm_train/speech-hubert" in jobs
    assert "download_dataset" not in jobs


def test_with_an_audio_root_nothing_is_fetched_and_a_misspelled_subset_is_one_line(workflow: Workflow):
    rung = yaml.safe_load((workflow.folder / RUNG).read_text())
    (workflow.folder / "speech/train-clean-5").mkdir(parents=True)
    (workflow.folder / "speech/dev-clean-2").mkdir()
    rung["corpus"]["librispeech"]["audio_root"] = "speech"
    jobs = workflow.would_run("--configfile", workflow.overlay(yaml.safe_dump(rung)))
    assert "corpus_librispeech" in jobs
    assert "download_dataset" not in jobs
    rung["corpus"]["librispeech"] |= {"audio_root": None, "dev": ["dev-clean-5"]}
    done = workflow.snakemake("--dry-run", "--configfile", workflow.overlay(yaml.safe_dump(rung)), check=False)
    assert "corpus.librispeech.dev: 'dev-clean-5' cannot be fetched; set audio_root, or take train-clean-5" in (
        done.stdout + done.stderr
    )


def test_the_plan_counts_the_subsets_that_are_fetched():
    config = merged(MINI, yaml.safe_load(Path(RUNG).read_text()))
    assert datasets(config) == ["librispeech-train-clean-5", "librispeech-dev-clean-2"]
    config["corpus"]["librispeech"]["audio_root"] = "/data/LibriSpeech"
    assert datasets(config) == []
