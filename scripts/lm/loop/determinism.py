"""Have torch compute the same bytes again from the same inputs on a GPU, where that costs speed."""

import os

import torch
import torch.utils.deterministic


def make_deterministic() -> None:
    """Choose algorithms whose result does not depend on the order in which a GPU's blocks end.

    FlashAttention's backward pass, which `varlen_attn` calls, then adds the parts of the queries' gradient in a fixed
    order instead of atomically; torch's operators do the same or raise. cuBLAS needs its workspace fixed, by a
    variable that it reads when a process first uses it: call this before anything runs on the GPU. On a CPU the
    training is deterministic without it.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[assignment]
