"""What the matrix products of scoring are computed in.

The weights, the residual stream and the norms are float32 in every precision, and so are the logits and their
log-softmax. `tf32` rounds the factors of a product to 10 bits of mantissa, `bf16` those of the decoder layers to 7 as
training does; the output head, which decides close pairs, then multiplies in TF32.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import torch

PRECISIONS = ("auto", "fp32", "tf32", "bf16")


def resolve_precision(asked: str, device: torch.device) -> str:
    """fp32, tf32 or bf16. `auto` is fp32 on a CPU and tf32 on a GPU.

    Raises:
        ValueError: TF32 is asked of a CPU, or `asked` is none of PRECISIONS.
    """
    if asked not in PRECISIONS:
        raise ValueError(f"evaluation.precision is {asked!r}; it must be one of {', '.join(PRECISIONS)}")
    if asked == "tf32" and device.type != "cuda":
        raise ValueError(f"evaluation.precision is tf32, which a {device.type} does not have; take auto, fp32 or bf16")
    if asked == "auto":
        return "tf32" if device.type == "cuda" else "fp32"
    return asked


@contextmanager
def float32_products(precision: str) -> Iterator[None]:
    """While it lasts, a GPU multiplies float32 matrices in TF32, unless `precision` is fp32. A CPU is not affected.

    `allow_tf32` sets PyTorch's newer `fp32_precision` too; to set that alone makes it an error to read `allow_tf32`.
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
