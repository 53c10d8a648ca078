"""The decoder layers for training in bf16 on a GPU: one function of tensors, compiled once for all layers and rows.

The same Llama as transformers': products in bf16; the residual stream, the norms and the gradients of the weights in
float32, as under autocast.
- Run eagerly, a layer moves more memory between its products than in them; `torch.compile` fuses these operations.
  The numbers of tokens and sequences and the longest sequence are dynamic sizes of tensors: one graph serves every row.
- Inside `weights_cast_once` the weights are cast to bf16 once, however many rows follow. Queries, keys and
  values come from one product, gate and up from another.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from transformers import LlamaForCausalLM

from scripts.lm.batching.batches import Packed, pack
from scripts.lm.model.attention import flash_attention

PRODUCTS = torch.bfloat16
ATTENTION_BLOCK = 128  # fewest queries that FlashAttention starts a block for


def decoder_layer(
    hidden: torch.Tensor,
    positions: torch.Tensor,
    cos: torch.Tensor,
    sin: torch.Tensor,
    cu_seqlens: torch.Tensor,
    eps: float,
    weights: tuple[torch.Tensor, ...],
) -> torch.Tensor:
    """One layer of Llama on a row of sequences.

    Args:
        hidden: float32 [N, H].
        positions: int64 [N], from 0 within each sequence.
        cos: float32 [M, 1, D / 2], the rotary table; no sequence is longer than M.
        sin: float32 [M, 2, D / 2], the negative of the sine, and the sine.
        cu_seqlens: int32 [sequences + 1], where each sequence begins, and N.
        eps: of the norms.
        weights: as `cast_layer` returns them.

    Returns:
        float32 [N, H].
    """
    norm_1, qkv_weight, out_weight, norm_2, gate_up_weight, down_weight = weights
    max_seqlen, head_dim = cos.shape[0], 2 * cos.shape[2]
    heads = out_weight.shape[1] // head_dim
    kv_heads = (qkv_weight.shape[0] // head_dim - heads) // 2

    qkv = F.linear(_rms_norm(hidden, norm_1, eps), qkv_weight).unflatten(1, (-1, head_dim))
    query_key, value = qkv.split([heads + kv_heads, kv_heads], dim=1)  # [N, heads + kv_heads or kv_heads, D]
    query, key = _rotate(query_key, cos[positions], sin[positions]).split([heads, kv_heads], dim=1)
    value = value.contiguous()  # a view would keep all of `qkv` for the backward pass
    attended = flash_attention(query, key, value, cu_seqlens, max_seqlen)
    hidden = hidden + F.linear(attended.flatten(1), out_weight)

    gate, up = F.linear(_rms_norm(hidden, norm_2, eps), gate_up_weight).chunk(2, dim=1)  # [N, I]
    return hidden + F.linear(F.silu(gate) * up, down_weight)


def _rms_norm(x: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
    return (x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps) * weight).to(PRODUCTS)


def _rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Rotary embedding of [N, heads, D] by [N, 1, D / 2] and [N, 2, D / 2], computed in float32."""
    halves = x.float().unflatten(-1, (2, -1))  # [N, heads, 2, D / 2]
    return (halves * cos[:, None] + halves.flip(2) * sin[:, None]).flatten(2).to(x.dtype)


def cast_layer(layer: nn.Module) -> tuple[torch.Tensor, ...]:
    """The weights of a transformers layer as `decoder_layer` takes them, differentiable.

    Returns:
        First norm [H], queries, keys and values [(heads + 2 kv_heads) D, H], attention's output [H, heads D], second
        norm [H], gate and up [2 I, H], down [H, I]: the norms are the parameters, the matrices bf16 copies.
    """
    attention, mlp = layer.self_attn, layer.mlp
    qkv, out, gate_up, down = _CastAndConcatenate.apply(
        (3, 1, 2, 1),
        *(attention.q_proj.weight, attention.k_proj.weight, attention.v_proj.weight, attention.o_proj.weight),
        *(mlp.gate_proj.weight, mlp.up_proj.weight, mlp.down_proj.weight),
    )
    return layer.input_layernorm.weight, qkv, out, layer.post_attention_layernorm.weight, gate_up, down


class _CastAndConcatenate(torch.autograd.Function):
    """Matrices [R, C] to bf16, groups of them one above the other; one kernel forward, one backward."""

    @staticmethod
    def forward(ctx: Any, counts: tuple[int, ...], *weights: torch.Tensor) -> tuple[torch.Tensor, ...]:
        ctx.groups = []
        joined, parts, end = [], [], 0
        for count in counts:
            group = weights[end : end + count]
            rows = [len(weight) for weight in group]
            joined.append(group[0].new_empty(sum(rows), group[0].shape[1], dtype=PRODUCTS))
            parts += joined[-1].split(rows)
            ctx.groups.append(rows)
            end += count
        torch._foreach_copy_(parts, weights)
        return tuple(joined)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        parts = [part for gradient, rows in zip(gradients, ctx.groups, strict=True) for part in gradient.split(rows)]
        cast = [torch.empty_like(part, dtype=torch.float32) for part in parts]
        torch._foreach_copy_(cast, parts)
        return None, *cast


class Decoder:
    """The layers of one model on a GPU.

    Args:
        model: float32, on its device.
        compiled: whether to compile `decoder_layer`; where that fails, one line says so and it runs eagerly.
        row_tokens: the usual length of a row: compiled kernels are chosen for it.
    """

    def __init__(self, model: LlamaForCausalLM, compiled: bool, row_tokens: int):
        self.model = model.model
        self.layer: Callable[..., torch.Tensor] = decoder_layer
        self._shared: list[tuple[torch.Tensor, ...]] | None = None
        if compiled:
            try:
                self._compile(row_tokens)
            except torch.OutOfMemoryError:
                raise
            except Exception as error:  # compilers raise exceptions of many types
                self.layer = decoder_layer
                reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
                print(f"the decoder layers run eagerly, since compiling them failed ({reason})", file=sys.stderr)

    def hidden_states(self, packed: Packed) -> torch.Tensor:
        """The last layer's output before the final norm, float32 [N, H]."""
        row = self.row_inputs(packed)
        hidden = self.model.embed_tokens(packed.inputs)
        with torch.autocast(hidden.device.type, enabled=False):
            for weights in self._shared or self._cast():
                hidden = self._run(hidden, row, weights)
        return hidden

    @contextmanager
    def weights_cast_once(self) -> Iterator[None]:
        """Cast the weights once for all rows inside this context; the weights must not change in it."""
        self._shared = list(self._cast())
        try:
            yield
        finally:
            self._shared = None

    def _cast(self) -> Iterator[tuple[torch.Tensor, ...]]:
        return (cast_layer(layer) for layer in self.model.layers)

    def row_inputs(self, packed: Packed) -> list[Any]:
        """The arguments of every layer that depend on the row: positions, cos, sin, cu_seqlens; and eps."""
        # Attention starts blocks for so many queries of every sequence, however short: a power of two near the longest.
        max_seqlen = max(ATTENTION_BLOCK, 1 << (max(packed.sizes) - 1).bit_length())
        frequencies = self.model.rotary_emb.inv_freq.float()  # [D / 2]
        angles = torch.arange(max_seqlen, device=frequencies.device)[:, None, None] * frequencies  # [M, 1, D / 2]
        sin = angles.sin()
        row = [packed.positions, angles.cos(), torch.cat([-sin, sin], dim=1), packed.cu_seqlens]
        for tensor in row:
            torch._dynamo.mark_dynamic(tensor, 0)
        return [*row, self.model.config.rms_norm_eps]

    def _run(self, hidden: torch.Tensor, row: list[Any], weights: tuple[torch.Tensor, ...]) -> torch.Tensor:
        torch._dynamo.mark_dynamic(hidden, 0)
        return self.layer(hidden, *row, weights)

    def _compile(self, row_tokens: int) -> None:
        """Compile forward and backward pass by running one layer, so that a failing compiler fails here.

        The sizes of this row differ from each other, because the compiler takes equal ones to be equal in every row.
        """
        torch._dynamo.config.optimize_ddp = False  # it would split what is compiled inside DDP's forward pass
        self.layer = torch.compile(decoder_layer, fullgraph=True)
        sequence = np.zeros(max(1, row_tokens // 24) + 1, dtype=np.int64)
        packed = pack([sequence] * 24).to(self.model.norm.weight.device)
        hidden = self.model.embed_tokens(packed.inputs)
        row, weights = self.row_inputs(packed), cast_layer(self.model.layers[0])
        out = self._run(hidden, row, weights)
        torch.autograd.grad(out, (hidden, *weights), torch.ones_like(out))
        with torch.no_grad():
            self._run(hidden.detach(), row, cast_layer(self.model.layers[0]))
