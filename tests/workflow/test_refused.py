"""What cannot work is refused in a line, before any job starts."""

import pytest

from tests.factories.workflow import Workflow


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("tokns: {}", "tokns is not a known key"),
        ("seed: -1", "seed is -1; it must be at least 0"),
        ("lm: {training: {patience: 0}}", "lm.training.patience is 0; it must be at least 1"),
        (
            "lm: {training: {evaluations_per_epoch: 0}}",
            "lm.training.evaluations_per_epoch is 0; it must be at least 1",
        ),
        ("lm: {training: {epochs: 0}}", "lm.training.epochs is 0; it must be at least 1"),
        ("alignment: {oov: shrug}", "alignment.oov is 'shrug'; it must be one of drop, guess, noise"),
        (
            "alignment: {triphone: {leaves: 5, gaussians: 500}}",
            "alignment.triphone.leaves is 5; it must be at least 100",
        ),
        ("alignment: {external: 3}", "alignment.external is 3; it must be of type string or null"),
        ("modalities: {x: {source: smell, tokenizer: bpe}}", "modalities.x.source is 'smell'"),
        ("factors: [{name: A, from: text-bpe, to: nowhere}]", "names unknown modality 'nowhere'"),
    ],
)
def test_a_wrong_configuration_is_refused_by_its_key(workflow: Workflow, override: str, says: str):
    done = workflow.snakemake("--dry-run", "--configfile", workflow.overlay(override), check=False)
    assert done.returncode != 0
    said = done.stdout + done.stderr  # a dry run says everything on stdout
    assert says in said
    assert "Traceback" not in said
    assert "config.py" not in said
    assert not (workflow.folder / "results").exists()
