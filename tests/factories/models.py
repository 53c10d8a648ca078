"""Untrained models of a few thousand weights, and sequences of their tokens."""

import json
from typing import Any

import numpy as np
import torch
from transformers import HubertConfig, HubertModel, LlamaConfig, LlamaForCausalLM

from scripts.lm.config import parse_config
from scripts.lm.model.llama import build_model

VOCABULARY, CONTEXT = 20, 400  # of `tiny_llama`


def tiny_llama(
    vocab_size: int = VOCABULARY, seed: int = 0, *, context: int = CONTEXT, **changes: Any
) -> LlamaForCausalLM:
    """A random Llama whose next tokens are far from equally likely; `changes` are keys of its config."""
    torch.manual_seed(seed)
    shape: dict[str, Any] = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 3,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "initializer_range": 0.3,
        "bos_token_id": 1,
        "eos_token_id": 2,
    }
    config = LlamaConfig(vocab_size=vocab_size, max_position_embeddings=context, **{**shape, **changes})
    return LlamaForCausalLM(config).eval()


def random_sequence(rng: np.random.Generator, length: int) -> np.ndarray:
    """BOS, `length` symbols of `tiny_llama`, EOS: uint16 [length + 2]."""
    return np.concatenate([[1], rng.integers(3, VOCABULARY, length), [2]]).astype(np.uint16)


def spread_llama(section: dict[str, Any]) -> LlamaForCausalLM:
    """The lm stage's model over 11 tokens, drawn so that attention is far from uniform and norms are not 1."""
    model = build_model(parse_config(json.dumps(section)).model, 11, 1, 2, seed=0)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            draw = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(0.16 * draw if parameter.dim() > 1 else 1 + 0.3 * draw)
    return model


def tiny_hubert(seed: int = 0, **changes: Any) -> HubertModel:
    """A random HuBERT; `changes` are keys of its config."""
    torch.manual_seed(seed)
    shape: dict[str, Any] = {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 3,
        "num_attention_heads": 2,
        "conv_dim": [8] * 7,
        "num_conv_pos_embeddings": 16,
        "num_conv_pos_embedding_groups": 2,
        "mask_time_prob": 0.08,
    }
    return HubertModel(HubertConfig(**{**shape, **changes})).eval()
