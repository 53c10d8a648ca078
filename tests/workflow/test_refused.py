"""What cannot work is refused in a line per problem, before any job starts."""

import pytest

from tests.factories.workflow import Workflow

WRONG_KEYS = """
tokns: {}
seed: -1
lm: {training: {patience: 0, evaluations_per_epoch: 0, epochs: 0}}
alignment: {oov: shrug, triphone: {leaves: 5, gaussians: 500}, external: 3}
modalities: {x: {source: smell, tokenizer: bpe}}
"""
SAYS = [
    "tokns is not a known key",
    "seed is -1; it must be at least 0",
    "lm.training.patience is 0; it must be at least 1",
    "lm.training.evaluations_per_epoch is 0; it must be at least 1",
    "lm.training.epochs is 0; it must be at least 1",
    "alignment.oov is 'shrug'; it must be one of drop, guess, noise",
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
