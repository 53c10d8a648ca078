"""Input that training refuses, with one line each."""

import subprocess
import sys

import pytest
from safetensors import SafetensorError
from transformers import LlamaForCausalLM

from scripts.lm.loop import gradients
from tests.lm.conftest import arguments


def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_good_state(train, toy, monkeypatch):
    loss, calls = gradients.packed_loss, []

    def explode(model, packed):
        calls.append(1)
        return loss(model, packed) * (float("nan") if len(calls) == 5 else 1.0)

    monkeypatch.setattr(gradients, "packed_loss", explode)
    with pytest.raises(ValueError, match=r"lm/toy: step 5: the loss is nan .*train-\d+, .*checkpoints") as error:
        train("out", "--save-minutes", "0")
    assert "\n" not in str(error.value)
    assert max(p.name for p in (toy / "out" / "checkpoints").glob("step-*.pt")) == "step-000000004.pt"


def run(arguments):
    return subprocess.run(
        [sys.executable, "-m", "scripts.lm.train", *arguments], capture_output=True, text=True, check=False
    )


def test_bad_input_is_one_line_and_no_output(toy, section):
    section["training"]["batch_utterances"] = -4
    result = run(arguments(toy, section))
    assert result.returncode == 1
    assert result.stderr.startswith("error: lm.training.batch_utterances is -4; it must be at least 1 (utterances per")
    assert result.stderr.count("\n") == 1
    assert not (toy / "out").exists()


def test_bad_tokenizers_are_refused(train, toy):
    path = toy / "tokenizer" / "tokenizer.json"
    content = path.read_text()
    path.write_text(content.replace("</s>", "<end>"))
    with pytest.raises(ValueError, match=r"tokenizer\.json: no token </s>"):
        train()
    path.write_text(content[:-9])
    with pytest.raises(ValueError, match=r"tokenizer\.json: not a tokenizer"):
        train()
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"tokenizer\.json: no such file"):
        train()


def test_a_folder_that_cannot_be_written_is_one_clear_line(train, toy):
    (toy / "out").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="out"):
        train()


def test_no_room_for_a_model_is_one_clear_line(train, monkeypatch):
    def full(self, folder):
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(LlamaForCausalLM, "save_pretrained", full)
    with pytest.raises(ValueError, match=r"scaling/tokens-\d+: the model cannot be written \(.*No space left"):
        train()
