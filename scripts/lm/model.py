"""The language model: transformers' `LlamaForCausalLM`, computed on packed utterances.

Notable: the parameters and the files are plain Llama; only the way a training step runs is ours.
- Sequences lie end to end in one row; the attention registered here as "packed" runs each by itself, so
  nothing attends across utterances and next to nothing is padding. On a GPU in bf16 one kernel does all sequences
  of a row (variable-length FlashAttention); otherwise each is a call.
- Of a long row the logits are computed piece by piece, and again for the gradient: in float32 they are never all there.
- On a CPU in bf16 the layers are written out in `scripts.lm.layer`, with their attention in `scripts.lm.blocks`.
- In bf16 the rotary tables are bf16 too: products of mixed type are slow.
"""

from itertools import accumulate
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.attention.varlen import varlen_attn
from torch.utils.checkpoint import checkpoint
from transformers import AttentionInterface, LlamaConfig, LlamaForCausalLM

from scripts.lm.batches import Packed
from scripts.lm.config import ModelConfig
from scripts.lm.layer import hidden_states

PIECE = 4096  # most tokens whose logits are held at once


def build_model(
    config: ModelConfig, vocab_size: int, bos: int, eos: int, seed: int, precision: str
) -> LlamaForCausalLM:
    """A freshly initialised Llama, float32, whose training forward pass is packed.

    The seed draws the same weights for every modality as far as the shapes agree: the vocabulary's
    two matrices are drawn last.
    """
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocab_size,
            hidden_size=config.hidden_size,
            intermediate_size=config.intermediate_size,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            num_key_value_heads=config.kv_heads,
            max_position_embeddings=config.context,
            rms_norm_eps=1e-5,
            # 0.022 at TinyLlama's width, near everybody's 0.02; at the miniature's, 0.088 instead of 0.02 lowers
            # the dev loss of Text-Raw from 0.79 to 0.72 nats per character.
            initializer_range=config.hidden_size**-0.5,
            bos_token_id=bos,
            eos_token_id=eos,
            pad_token_id=None,
            tie_word_embeddings=False,
            attn_implementation="packed",
        )
    )
    draw_weights(model, model.config.initializer_range, seed)
    if precision == "bf16":
        model.model.rotary_emb.register_forward_hook(_as_bf16)
    return model


def draw_weights(model: nn.Module, std: float, seed: int) -> None:
    """Draw every matrix from N(0, std), those that depend on the vocabulary last."""
    generator = torch.Generator().manual_seed(seed)
    matrices = [(name, p) for name, p in model.named_parameters() if p.dim() > 1]
    with torch.no_grad():
        for _, parameter in sorted(matrices, key=lambda item: "embed_tokens" in item[0] or "lm_head" in item[0]):
            parameter.normal_(0.0, std, generator=generator)


def packed_logits(model: LlamaForCausalLM, packed: Packed) -> torch.Tensor:
    """Logits of every input token, [N, V], in the autocast type."""
    return model.lm_head(_last_hidden(model, packed))


def packed_loss(model: LlamaForCausalLM, packed: Packed) -> torch.Tensor:
    """Sum of the next-token losses in nats, float32 []."""
    hidden = _last_hidden(model, packed)
    if len(hidden) <= PIECE:
        return _loss(model.lm_head, hidden, packed.targets)
    pieces = zip(hidden.split(PIECE), packed.targets.split(PIECE), strict=True)
    losses = [checkpoint(_loss, model.lm_head, *piece, use_reentrant=False) for piece in pieces]
    return torch.stack(losses).sum()


def _loss(head: nn.Module, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(head(hidden).float(), targets, reduction="sum")


def _last_hidden(model: LlamaForCausalLM, packed: Packed) -> torch.Tensor:
    """What the output head reads, [N, H]."""
    if packed.inputs.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
        return model.model.norm(hidden_states(model, packed))
    return model.model(
        input_ids=packed.inputs[None],  # [1, N]
        position_ids=packed.positions[None],
        sizes=packed.sizes,
        edges=torch.tensor([0, *accumulate(packed.sizes)], dtype=torch.int32, device=packed.inputs.device),
        use_cache=False,
    ).last_hidden_state[0]


def packed_attention(
    module: nn.Module,
    query: torch.Tensor,  # [1, heads, N, D]
    key: torch.Tensor,  # [1, kv_heads, N, D]
    value: torch.Tensor,  # [1, kv_heads, N, D]
    attention_mask: torch.Tensor | None,
    scaling: float,
    sizes: list[int],
    edges: torch.Tensor,  # int32 [sequences + 1]: where each begins, and the end
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each of the sequences that lie end to end; returns [1, N, heads, D]."""
    assert attention_mask is None, "packed sequences need no mask"
    query, key, value = (x[0].to(value.dtype) for x in (query, key, value))
    if query.device.type == "cuda" and query.dtype == torch.bfloat16:
        return _all_at_once(query, key, value, scaling, max(sizes), edges)[None], None
    parts = zip(*(x.split(sizes, dim=1) for x in (query, key, value)), strict=True)
    out = torch.cat([_fused(q, k, v, scaling) for q, k, v in parts], dim=1)  # [heads, N, D]
    return out.transpose(0, 1)[None], None


def _all_at_once(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float, longest: int, edges: torch.Tensor
) -> torch.Tensor:
    """[N, heads, D] of all sequences, from [heads, N, D], by one kernel that only GPUs have, in bf16."""
    gqa = query.shape[0] != key.shape[0]
    query, key, value = (x.transpose(0, 1) for x in (query, key, value))  # [N, heads, D]
    causal = (-1, 0)  # every key before, none after
    return varlen_attn(
        query, key, value, edges, edges, longest, longest, scale=scaling, window_size=causal, enable_gqa=gqa
    )


def _fused(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float) -> torch.Tensor:
    """[heads, T, D] of one sequence, by PyTorch's kernel."""
    gqa = query.shape[0] != key.shape[0]
    return F.scaled_dot_product_attention(
        query[None], key[None], value[None], is_causal=True, scale=scaling, enable_gqa=gqa
    )[0]


def _as_bf16(module: nn.Module, args: Any, tables: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    return tuple(table.bfloat16() for table in tables)


AttentionInterface.register("packed", packed_attention)
