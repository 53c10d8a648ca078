"""Precision of the matrix products of scoring.

The weights, the residual stream and the norms are float32 in every precision, and so are the logits and their
log-softmax. `tf32` rounds the factors of a product to 10 bits of mantissa, `bf16` those of the decoder layers to 7 as
training does; the output head, which decides close pairs, then uses TF32.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import torch

PRECISIONS = ("auto", "fp32", "tf32", "bf16")


def resolve_precision(requested: str, device: torch.device) -> str:
    """fp32, tf32 or bf16. `auto` is fp32 on a CPU and tf32 on a GPU.

    Raises:
        ValueError: TF32 is requested on a CPU, or `requested` is not in PRECISIONS.
    """
    if requested not in PRECISIONS:
        raise ValueError(f"evaluation.precision is {requested!r}; it must be one of {', '.join(PRECISIONS)}")
    if requested == "tf32" and device.type != "cuda":
        raise ValueError(f"evaluation.precision is tf32, which a {device.type} does not have; take auto, fp32 or bf16")
    if requested == "auto":
        return "tf32" if device.type == "cuda" else "fp32"
    return requested


@contextmanager
def float32_products(precision: str) -> Iterator[None]:
    """Inside this context a GPU multiplies float32 matrices in TF32, unless `precision` is fp32. A CPU is not affected.

    `allow_tf32` sets PyTorch's newer `fp32_precision` too; setting only the latter makes reading `allow_tf32` an error.
    """
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = precision != "fp32"
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def decoder_products(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """The context of the decoder layers: autocast to bf16 if that is the precision."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
