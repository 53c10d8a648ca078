"""Causal attention within each of the sequences that lie end to end in a row."""

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional as F
from torch.nn.attention.varlen import varlen_attn


def grouped_heads_argument(kernel: Callable[..., Any]) -> dict[str, bool]:
    """The keyword that lets this version of `varlen_attn` take fewer key-value heads than query heads.

    Since torch 2.12 the function checks the heads and wants `enable_gqa`. Before, it there is neither
    keyword nor check: the kernel below it, FlashAttention, has always taken grouped heads.
    """
    return {"enable_gqa": True} if "enable_gqa" in inspect.signature(kernel).parameters else {}


GROUPED_HEADS = grouped_heads_argument(varlen_attn)


def flash_attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, cu_seqlens: torch.Tensor, max_seqlen: int
) -> torch.Tensor:
    """All sequences of a row by one kernel, which GPUs have, in 16 bits only.

    Args:
        query: bf16 [N, heads, D].
        key: bf16 [N, kv_heads, D].
        value: bf16 [N, kv_heads, D].
        cu_seqlens: int32 [sequences + 1], where each sequence begins, and N.
        max_seqlen: no sequence is longer.

    Returns:
        bf16 [N, heads, D].
    """
    causal = (-1, 0)  # every key before, none after
    return varlen_attn(
        query, key, value, cu_seqlens, cu_seqlens, max_seqlen, max_seqlen, window_size=causal, **GROUPED_HEADS
    )


def attention_per_sequence(
    module: torch.nn.Module,
    query: torch.Tensor,  # [1, heads, N, D]
    key: torch.Tensor,  # [1, kv_heads, N, D]
    value: torch.Tensor,  # [1, kv_heads, N, D]
    attention_mask: torch.Tensor | None,
    scaling: float,
    sizes: list[int],
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """One call of PyTorch's attention per sequence, as transformers wants it: returns [1, N, heads, D]."""
    assert attention_mask is None, "packed sequences need no mask"
    gqa = query.shape[1] != key.shape[1]
    parts = zip(*(x.to(value.dtype).split(sizes, dim=2) for x in (query, key, value)), strict=True)
    out = [F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=scaling, enable_gqa=gqa) for q, k, v in parts]
    return torch.cat(out, dim=2).transpose(1, 2), None
