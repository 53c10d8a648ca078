"""Attention in blocks against PyTorch's own, one sequence at a time."""

import pytest
import torch
from torch.nn import functional as F

from scripts.lm.model.cpu_attention import attend, attend_backward, group_by_length

WIDTH = 16


@pytest.mark.parametrize(
    ("sizes", "heads", "kv_heads"),
    [
        ([1], 1, 1),
        ([5, 1, 17], 2, 2),
        ([16, 16, 16], 2, 1),
        ([128, 129, 127], 2, 2),
        ([700, 3, 300, 256, 257, 40, 512], 4, 2),
    ],
)
def test_blocks_equal_pytorchs_attention(sizes, heads, kv_heads):
    generator = torch.Generator().manual_seed(sum(sizes))
    shape = (sum(sizes), heads + 2 * kv_heads, WIDTH)
    qkv, above = torch.randn(shape, generator=generator), torch.randn(shape[0], heads, WIDTH, generator=generator)
    layout = group_by_length(sizes, heads, kv_heads)

    turned = qkv[:, : heads + kv_heads].reshape(-1, WIDTH)
    value = qkv.view(-1, WIDTH)[layout.value]
    out, saved = attend(turned[layout.query], turned[layout.key], value, layout)
    d_out = above.view(-1, WIDTH)[layout.out].index_fill_(0, layout.padding, 0)
    found = [x[layout.token_rows].view(-1, heads, WIDTH) for x in (out, *attend_backward(d_out, saved, layout))]

    parts = [qkv[:, :heads], *(x.repeat_interleave(heads // kv_heads, 1) for x in qkv[:, heads:].chunk(2, 1))]
    parts = [part.clone().requires_grad_() for part in parts]  # query, key, value, [N, heads, D]
    expected = torch.cat(
        [
            F.scaled_dot_product_attention(*(x.transpose(0, 1)[None] for x in one), is_causal=True, scale=1.0)[0]
            for one in zip(*(part.split(sizes) for part in parts), strict=True)
        ],
        dim=1,
    ).transpose(0, 1)
    expected.backward(above)
    for ours, theirs in zip(found, [expected.detach(), *(part.grad for part in parts)], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_what_is_padded_stays_within_bounds():
    layout = group_by_length([30] * 80 + [1400], 2, 2)
    assert len(layout.query) < 1.3 * 2 * (80 * 30 + 1400)
