"""Models, tokenizers and cuts small enough to check by hand."""

from pathlib import Path

import pytest
import torch
from transformers import LlamaForCausalLM

from scripts.tokens import hf_tokenizer
from tests.factories.cuts import LETTER_PHONES
from tests.factories.models import tiny_llama


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def say(model: LlamaForCausalLM, token: int) -> LlamaForCausalLM:
    """The model, changed so that it predicts only this token."""
    model.lm_head = torch.nn.Linear(model.config.hidden_size, model.config.vocab_size)
    with torch.no_grad():
        model.lm_head.weight.zero_()
        model.lm_head.bias.zero_()
        model.lm_head.bias[token] = 100.0
    return model


@pytest.fixture
def model_folder(tmp_path: Path) -> Path:
    """A model over LETTER_PHONES with its tokenizer, as the lm stage leaves it."""
    folder = tmp_path / "model"
    tiny_llama(len(LETTER_PHONES) + 3, context=200).save_pretrained(folder)
    hf_tokenizer.save(hf_tokenizer.from_symbols(LETTER_PHONES), folder)
    return folder
