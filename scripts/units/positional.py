"""The positional convolution in float32 where oneDNN computes it wrongly in bf16.

On CPUs with AMX, oneDNN's forward convolution in bf16 (brg_conv_fwd:avx10_1_512_amx) returns wrong values if a group
has an even number of channels below 16 and channels times kernel width is a multiple of 32 above 32. Measured with
torch 2.13.0 (oneDNN 3.12.0) on an Intel Xeon of model 207: a relative RMS error of 0.9 to 1.2 for all 156 such shapes
out of 2,088, and below 0.01 for the others. Of torch 2.11.0 (oneDNN 3.10.2) one such shape was tried: it is wrong there
too. The backward pass is right, and so is the forward pass with ONEDNN_MAX_CPU_ISA=AVX512_CORE_FP16. Batch size,
length, padding, memory layout, number of threads and capacity of the primitive cache make no difference.

HuBERT base and large have 48 and 64 channels per group and the miniature's encoder has 32: those are right in bf16. The
convolutions of the feature extractor have 1 channel and a kernel of 10, or kernels of 3 and 2: no such product of 32.
"""

import torch
from torch import nn
from transformers import PreTrainedModel

SAFE_CHANNELS = 16  # channels per group from which on bf16 is right


def compute_narrow_groups_in_float32(model: PreTrainedModel) -> None:
    """Make the positional convolution compute in float32 if its groups have fewer than SAFE_CHANNELS channels.

    Weights and their names stay as they are, and so does the type of the output. It applies on every device, so that
    one model has one definition; in float32 nothing changes.
    """
    convolution = model.encoder.pos_conv_embed.conv
    if convolution.in_channels // convolution.groups >= SAFE_CHANNELS:
        return

    def forward(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        # x [B, D, T], weight [D, D / groups, K], bias [D]
        with torch.autocast(x.device.type, enabled=False):
            out = nn.functional.conv1d(
                x.float(), weight.float(), bias.float(),
                convolution.stride, convolution.padding, convolution.dilation, convolution.groups,
            )  # fmt: skip
        return out.to(x.dtype)  # [B, D, T']

    convolution._conv_forward = forward
