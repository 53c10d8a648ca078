"""A decoder layer's forward and backward pass written out, for training in bf16 on a CPU.

The same Llama as transformers', layer for layer: products in bf16, the residual stream and the norms in float32, as
under autocast. Written out because at small sizes most of a step's time is not in products but between them: here
nothing is cast twice, a norm's weight and the attention's scale are folded into the matrix that follows, and
gradients are written where they belong. Attention is `scripts.lm.model.cpu_attention`.
"""

from typing import Any

import torch
from torch import nn
from transformers import LlamaForCausalLM

from scripts.lm.batching.batches import Packed
from scripts.lm.model.cpu_attention import Layout, attend, attend_backward, group_by_length

silu, silu_backward = torch.ops.aten.silu, torch.ops.aten.silu_backward


def hidden_states(model: LlamaForCausalLM, packed: Packed, products: torch.dtype = torch.bfloat16) -> torch.Tensor:
    """The last layer's output before the final norm, float32 [N, H]; `products`: their type."""
    config = model.config
    layout = group_by_length(packed.sizes, config.num_attention_heads, config.num_key_value_heads)
    hidden = model.model.embed_tokens(packed.inputs)  # [N, H]
    cos, sin = model.model.rotary_emb(hidden[None], packed.positions[None])  # [1, N, D], both halves the same
    half = cos.shape[-1] // 2
    tables = [x[0, :, None, :half].to(products, copy=True) for x in (cos, sin)]  # [N, 1, D / 2]
    for layer in model.model.layers:
        hidden = Layer.apply(hidden, *tables, layout, config.rms_norm_eps, *_weights(layer))
    return hidden


def _weights(layer: nn.Module) -> list[torch.Tensor]:
    attention, mlp = layer.self_attn, layer.mlp
    return [
        layer.input_layernorm.weight,
        attention.q_proj.weight,
        attention.k_proj.weight,
        attention.v_proj.weight,
        attention.o_proj.weight,
        layer.post_attention_layernorm.weight,
        mlp.gate_proj.weight,
        mlp.up_proj.weight,
        mlp.down_proj.weight,
    ]


class Layer(torch.autograd.Function):
    """[N, H] float32 in and out; gradients of it and of the nine weights."""

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, layout: Layout, eps: float, *weights: Any
    ) -> torch.Tensor:
        norm_1, q, k, v, o, norm_2, gate, up, down = weights
        dtype, head_dim = cos.dtype, 2 * cos.shape[-1]  # of products; of a head
        scale = head_dim**-0.5
        with torch.autocast("cpu", enabled=False):
            qkv_matrix = (torch.cat([q * scale, k, v]) * norm_1).to(dtype)
            gate_matrix, up_matrix = (gate * norm_2).to(dtype), (up * norm_2).to(dtype)
            o_matrix, down_matrix = o.to(dtype), down.to(dtype)

            normed_1, inverse_1 = _rms_norm(x, eps, dtype)
            qkv = normed_1 @ qkv_matrix.T
            rotated = _rotate(qkv[:, : q.shape[0] + k.shape[0]], cos, sin).view(-1, head_dim)
            query, key = rotated.index_select(0, layout.query), rotated.index_select(0, layout.key)
            value = qkv.view(-1, head_dim).index_select(0, layout.value)
            attended, attention = attend(query, key, value, layout)
            heads = attended.index_select(0, layout.token_rows).view(len(x), -1)
            residual = x + heads @ o_matrix.T

            normed_2, inverse_2 = _rms_norm(residual, eps, dtype)
            gated, raised = normed_2 @ gate_matrix.T, normed_2 @ up_matrix.T
            activated = silu(gated)
            product = activated * raised
            out = residual + product @ down_matrix.T
        ctx.layout, ctx.scale, ctx.attention = layout, scale, attention
        ctx.save_for_backward(
            *(cos, sin, norm_1, q, k, v, norm_2, gate, up, qkv_matrix, gate_matrix, up_matrix, o_matrix, down_matrix),
            *(normed_1, inverse_1, heads, normed_2, inverse_2, gated, raised, activated, product),
        )
        return out

    @staticmethod
    def backward(ctx: Any, d_out: torch.Tensor) -> Any:
        cos, sin, norm_1, q, k, v, norm_2, gate, up, qkv_matrix, gate_matrix, up_matrix, o_matrix, down_matrix = (
            ctx.saved_tensors[:14]
        )
        normed_1, inverse_1, heads, normed_2, inverse_2, gated, raised, activated, product = ctx.saved_tensors[14:]
        layout: Layout = ctx.layout
        dtype, length, head_dim = cos.dtype, len(d_out), 2 * cos.shape[-1]
        with torch.autocast("cpu", enabled=False):
            grad_out = d_out.to(dtype)
            d_down = grad_out.T @ product
            d_product = grad_out @ down_matrix
            d_raised = d_product * activated
            d_gated = silu_backward(d_product.mul_(raised), gated)
            d_gate_matrix, d_up_matrix = (d_gated.T @ normed_2).float(), (d_raised.T @ normed_2).float()
            d_normed = torch.addmm(d_gated @ gate_matrix, d_raised, up_matrix)
            d_residual = _rms_norm_backward(d_out, d_normed, normed_2, inverse_2)
            d_norm_2 = (d_gate_matrix * gate + d_up_matrix * up).sum(0)

            grad_out = d_residual.to(dtype)
            d_o = grad_out.T @ heads
            d_attended = (grad_out @ o_matrix).view(-1, head_dim).index_select(0, layout.out)
            d_attended.index_fill_(0, layout.padding, 0)
            d_attention = attend_backward(d_attended, ctx.attention, layout)
            d_query, d_key, d_value = (d.index_select(0, layout.token_rows).view(length, -1) for d in d_attention)
            d_key, d_value = (
                _sum_repeated_heads(d, layout.heads, head_dim, len(k) // head_dim) for d in (d_key, d_value)
            )
            d_rotated = torch.cat([d_query, d_key], dim=1)
            d_qkv = torch.cat([_rotate(d_rotated, cos, -sin).view(length, -1), d_value], dim=1)
            d_qkv_matrix = (d_qkv.T @ normed_1).float()
            d_x = _rms_norm_backward(d_residual, d_qkv @ qkv_matrix, normed_1, inverse_1)
            d_q, d_k, d_v = d_qkv_matrix.split([len(q), len(k), len(v)])
            d_q.mul_(ctx.scale)
            d_norm_1 = (d_q * q).sum(0) + (d_k * k).sum(0) + (d_v * v).sum(0)
            d_qkv_matrix.mul_(norm_1)
        return (
            *(d_x, None, None, None, None),
            *(d_norm_1, d_q, d_k, d_v, d_o.float()),
            *(d_norm_2, d_gate_matrix.mul_(norm_2), d_up_matrix.mul_(norm_2), d_down.float()),
        )


def _rms_norm(x: torch.Tensor, eps: float, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    """(x divided by the root of its mean square, as `dtype`; that divisor's inverse, [N, 1])."""
    inverse = torch.rsqrt(x.square().mean(-1, keepdim=True) + eps)
    return (x * inverse).to(dtype), inverse


def _rms_norm_backward(
    grad_out: torch.Tensor, d_normed: torch.Tensor, normed: torch.Tensor, inverse: torch.Tensor
) -> torch.Tensor:
    """`grad_out`, the residual stream's gradient, plus what comes through the norm."""
    along = (d_normed * normed).mean(-1, keepdim=True, dtype=torch.float32)
    return torch.addcmul(grad_out, torch.addcmul(d_normed.float(), normed, along, value=-1), inverse)


def _rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Rotary embedding of [N, heads * D]; returns [N, heads, 2, D / 2]."""
    x = x.unflatten(1, (-1, 2, cos.shape[-1]))
    out = torch.empty_like(x, memory_format=torch.contiguous_format)
    first, second = x.unbind(2)
    torch.mul(first, cos, out=out[:, :, 0]).addcmul_(second, sin, value=-1)
    torch.mul(second, cos, out=out[:, :, 1]).addcmul_(first, sin)
    return out


def _sum_repeated_heads(gradient: torch.Tensor, heads: int, head_dim: int, kv_heads: int) -> torch.Tensor:
    """[N, heads * D] to [N, kv_heads * D]: keys and values were repeated, so their gradients are summed."""
    if heads == kv_heads:
        return gradient
    return gradient.view(-1, kv_heads, heads // kv_heads, head_dim).sum(2).flatten(1)
