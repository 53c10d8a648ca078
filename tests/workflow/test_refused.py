"""Impossible configurations are refused with a line per problem, before any job starts."""

import pytest

from tests.factories.workflow import Workflow

WRONG_KEYS = """
tokns: {}
seed: -1
lm: {training: {patience: 0, evaluations_per_epoch: 0, epochs: 0, learning_rate: .nan}}
corpus: {shards: {train: 1000000000}, world: {noise: -.inf}}
evaluation: {foreign: {}}
alignment: {oov: shrug, triphone: {leaves: 5, gaussians: 500}, external: 3}
modalities: {x: {source: smell, tokenizer: bpe}}
"""
SAYS = [
    "tokns is not a known key",
    "seed is -1; it must be at least 0",
    "lm.training.patience is 0; it must be at least 1",
    "lm.training.evaluations_per_epoch is 0; it must be at least 1",
    "lm.training.epochs is 0; it must be at least 1",
    "lm.training.learning_rate is nan; it must be a finite number",
    "corpus.shards.train is 1000000000; it must be at most 100000",
    "corpus.world.noise is -inf; it must be a finite number",
    "evaluation.foreign was renamed: it is now evaluation.external_systems",
    "alignment.oov is 'shrug'; it must be one of auto, drop, guess, noise",
    "alignment.triphone.leaves is 5; it must be at least 100",
    "alignment.external is 3; it must be of type string or null",
    "modalities.x.source is 'smell'",
]
WRONG_TOGETHER = "factors: [{name: A, from: text-bpe, to: nowhere}]"


@pytest.mark.parametrize(
    ("override", "says"),
    [(WRONG_KEYS, SAYS), (WRONG_TOGETHER, ["names unknown modality 'nowhere'"])],
    ids=["keys", "together"],
)
def test_a_wrong_configuration_is_refused_by_its_keys(workflow: Workflow, override: str, says: list[str]):
    done = workflow.snakemake("--dry-run", "--configfile", workflow.overlay(override), check=False)
    assert done.returncode != 0
    said = done.stdout + done.stderr  # a dry run says everything on stdout
    assert [line for line in says if line not in said] == []
    assert "Traceback" not in said
    assert "config.py" not in said
    assert not (workflow.folder / "results").exists()


def test_results_of_an_earlier_version_are_refused_before_any_job(workflow: Workflow):
    old = workflow.folder / "results/mini/config.json"
    old.parent.mkdir(parents=True)
    old.write_text("{}")
    done = workflow.snakemake("--dry-run", check=False)
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "results/mini holds results of format 1 or older" in said
    assert "make clean NAME=mini" in said
    assert "Traceback" not in said
