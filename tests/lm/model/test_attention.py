"""The arguments of a GPU's attention kernel, in both versions of PyTorch's signature."""

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from scripts.lm.model.attention import flash_attention, grouped_heads_argument


def of_torch_2_11(query, key, value, cu_seq_q, cu_seq_k, max_q, max_k, *, return_aux=None, scale=None, window_size=()):
    """The signature of that version."""


def of_torch_2_13(
    query,
    key,
    value,
    cu_seq_q,
    cu_seq_k,
    max_q,
    max_k,
    *,
    return_aux=None,
    scale=None,
    window_size=(),
    enable_gqa=False,
):
    """The signature of that version, but for what inference alone takes."""


def test_grouped_heads_are_named_where_the_function_wants_it():
    assert grouped_heads_argument(of_torch_2_11) == {}
    assert grouped_heads_argument(of_torch_2_13) == {"enable_gqa": True}


@pytest.mark.parametrize("kv_heads", [1, 2])
def test_the_installed_kernel_takes_what_it_is_given_forward_and_backward(kv_heads):
    with FakeTensorMode():  # shapes and types only: the kernel itself is a GPU's
        tensors = [torch.randn(24, h, 64, dtype=torch.bfloat16, requires_grad=True) for h in (2, kv_heads, kv_heads)]
        out = flash_attention(*tensors, torch.zeros(3, dtype=torch.int32), 16)
        assert out.shape == (24, 2, 64)
        for tensor, gradient in zip(tensors, torch.autograd.grad(out.sum(), tensors), strict=True):
            assert gradient.shape == tensor.shape
