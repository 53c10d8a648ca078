"""Models, tokenizers and cuts small enough to check by hand."""

from pathlib import Path

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from scripts.tokens import hf_tokenizer

WORDS = ["THE", "DOG", "SAT", "ON", "A", "MAT", "CAT", "RAN", "TO", "ME"]
PHONES = ["SIL", *"ABCDEFGHIJKLMNOP"]
CONTEXT = 200


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def build_model(vocab_size: int = 20, seed: int = 0, context: int = CONTEXT) -> LlamaForCausalLM:
    """A random Llama with strong opinions."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocab_size,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=context,
        initializer_range=0.3,
        bos_token_id=1,
        eos_token_id=2,
    )
    return LlamaForCausalLM(config).eval()


def say(model: LlamaForCausalLM, token: int) -> LlamaForCausalLM:
    """The model, made to say this token and nothing else."""
    model.lm_head = torch.nn.Linear(model.config.hidden_size, model.config.vocab_size)
    with torch.no_grad():
        model.lm_head.weight.zero_()
        model.lm_head.bias.zero_()
        model.lm_head.bias[token] = 100.0
    return model


@pytest.fixture
def model_folder(tmp_path: Path) -> Path:
    """A model over PHONES with its tokenizer, as the lm stage leaves it."""
    folder = tmp_path / "model"
    build_model(len(PHONES) + 3).save_pretrained(folder)
    hf_tokenizer.save(hf_tokenizer.from_symbols(PHONES), folder)
    return folder


def cut(name: str = "u1", sentences: int = 4, word_seconds: float = 0.5, speaker: str = "s1") -> dict:
    """An aligned cut: sentences of four words, each word two phones, 0.1 s of silence before each sentence."""
    words, phones, written, at = [], [], [], 0.0
    for n in range(sentences):
        phones.append(["SIL", round(at, 4), 0.1, -1.0])
        at += 0.1
        for i in range(4):
            word = WORDS[(4 * n + i) % len(WORDS)]
            words.append([word, round(at, 4), word_seconds, -1.0])
            phones += [[PHONES[1 + (n + i + k) % 16], round(at + k * word_seconds / 2, 4), word_seconds / 2, -1.0]
                       for k in range(2)]  # fmt: skip
            written.append(word.capitalize() if i == 0 else word.lower() + "." * (i == 3))
            at += word_seconds
    supervision = {
        "id": name, "recording_id": "r", "start": 0.0, "duration": round(at, 4), "channel": 0, "speaker": speaker,
        "custom": {"texts": [" ".join(written), " ".join(w[0] for w in words)]},
        "alignment": {"word": words, "phone": phones},
    }  # fmt: skip
    return {"id": name, "start": 1.0, "duration": round(at, 4), "channel": 0, "supervisions": [supervision],
            "recording": {"id": "r", "sources": [{"type": "file", "channels": [0], "source": "r.flac"}],
                          "sampling_rate": 16000, "num_samples": 16000 * 60, "duration": 60.0, "channel_ids": [0]},
            "type": "MonoCut"}  # fmt: skip
