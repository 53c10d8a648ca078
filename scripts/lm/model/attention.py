"""Causal attention within each of the sequences that lie end to end in a row: two of three implementations.

The docstring of `scripts.lm.model` says which is used where. A row is described to
- `flash_attention` and `cpu_attention` by `Packed`: where each sequence begins (`cu_seqlens`) or its length (`sizes`);
- `packed_attention`, which transformers calls, by `Part`s: sequences, of which some continue a beginning that lies
  elsewhere in the row.
"""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Any

import torch
from torch.nn import functional as F
from torch.nn.attention.varlen import varlen_attn
from transformers import AttentionInterface

PACKED = "packed"  # the name under which transformers finds `packed_attention`


def grouped_heads_argument(kernel: Callable[..., Any]) -> dict[str, bool]:
    """The keyword that lets this version of `varlen_attn` take fewer key-value heads than query heads.

    Since torch 2.12 the function checks the heads and wants `enable_gqa`. Before, there is neither keyword nor check:
    the kernel below it, FlashAttention, has always taken grouped heads.
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


@dataclass(frozen=True)
class Part:
    """Neighbouring sequences of one length in a row. Each attends to itself and to the beginning, if there is one.

    Attributes:
        start, count, size: `count` times `size` tokens from `start` on.
        beginning: tokens of the row that come before the part's own in its sequence; empty for none.
    """

    start: int
    count: int
    size: int
    beginning: slice = field(default_factory=lambda: slice(0, 0))

    @property
    def before(self) -> int:
        """Tokens of the beginning."""
        return self.beginning.stop - self.beginning.start


def parts_of(sizes: list[int]) -> list[Part]:
    """The parts of a row of sequences of these lengths, none of which share a beginning."""
    starts = accumulate(sizes, initial=0)
    return merge_equal(Part(start, 1, size) for start, size in zip(starts, sizes, strict=False))


def merge_equal(parts: Iterable[Part]) -> list[Part]:
    """The same with neighbours of equal length and without beginnings joined: they share one call of attention."""
    merged: list[Part] = []
    for part in parts:
        last = merged[-1] if merged else None
        if last and last.size == part.size and not part.before and not last.before:
            merged[-1] = replace(last, count=last.count + part.count)
        else:
            merged.append(part)
    return merged


def attention_masks(parts: list[Part], dtype: torch.dtype, device: torch.device) -> list[torch.Tensor | None]:
    """What is added to each part's attention scores, [size, before + size], 0 or -inf; None where nothing is before.

    Made on the device, once for all layers of a row. The rows of a mask lie a multiple of 8 numbers apart, because
    PyTorch's memory-efficient kernel copies any other mask at every call.
    """
    by_shape: dict[tuple[int, int], torch.Tensor] = {}
    masks: list[torch.Tensor | None] = []
    for part in parts:
        if not part.before:
            masks.append(None)
            continue
        shape = (part.size, part.before + part.size)
        if shape not in by_shape:
            width = -(-shape[1] // 8) * 8
            full = torch.full((part.size, width), float("-inf"), dtype=dtype, device=device)
            by_shape[shape] = full.triu(part.before + 1)[:, : shape[1]]
        masks.append(by_shape[shape])
    return masks


def packed_attention(
    module: torch.nn.Module,
    query: torch.Tensor,  # [1, heads, N, D]
    key: torch.Tensor,  # [1, kv_heads, N, D]
    value: torch.Tensor,  # [1, kv_heads, N, D]
    attention_mask: torch.Tensor | None,
    scaling: float,
    parts: list[Part],
    masks: list[torch.Tensor | None] | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """One call of PyTorch's attention per part, as transformers calls it; returns [1, N, heads, D].

    Grouped heads are repeated here and not by `enable_gqa`: in float32, and in any type with a mask, the only fused
    kernel on a GPU is the memory-efficient one, whose `can_use_mem_efficient_attention` (PyTorch's sdp_utils.cpp)
    refused grouped heads up to PyTorch 2.13, so that the products were written out in full.

    Args:
        module: unused.
        query: of all tokens of a row.
        key: of all tokens of a row.
        value: of all tokens of a row.
        attention_mask: None: the parts say who sees whom.
        scaling: of the scores.
        parts: of the row, in order; they cover it.
        masks: `attention_masks` of the parts; None where no part has a beginning.
        **kwargs: what else transformers passes.
    """
    assert attention_mask is None, "the parts say what is masked"
    query, key = query.to(value.dtype), key.to(value.dtype)  # under autocast the rotary embedding returns float32
    repeats = query.shape[1] // key.shape[1]
    if repeats > 1:
        key, value = (x.repeat_interleave(repeats, dim=1) for x in (key, value))
    outputs = []
    for part, mask in zip(parts, masks or [None] * len(parts), strict=True):
        own = slice(part.start, part.start + part.count * part.size)
        q, k, v = (x[0, :, own].unflatten(1, (part.count, part.size)).transpose(0, 1) for x in (query, key, value))
        if mask is not None:
            k, v = (torch.cat([x[:, :, part.beginning], y], dim=2) for x, y in ((key, k), (value, v)))
        output = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None, scale=scaling)
        outputs.append(output.transpose(1, 2).flatten(0, 1))  # from [count, heads, size, D]
    return torch.cat(outputs)[None], None


AttentionInterface.register(PACKED, packed_attention)
