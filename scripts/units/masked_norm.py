"""Norms that padding would enter: what they compute of an utterance is what they compute of it alone.

The group norm after HuBERT base's first convolution normalises every channel over time. Padding enters its mean and
variance, which no attention mask reaches in transformers, and a chunk of a long utterance has others than the whole
utterance. Here padding is left out, and the whole utterance's statistics can be given. The batch norm that some HuBERTs
have before their positional convolution makes other values of the zeros of padding; here they stay zeros.
"""

from collections.abc import Sequence

import torch
from torch import nn

ChannelStats = tuple[torch.Tensor, torch.Tensor]  # mean and variance of each channel, float32 [C] each


class MaskedGroupNorm(nn.Module):
    """Group norm with one channel per group, over the first `lengths[b]` frames of row b, or with `stats[b]`.

    Its output for padding means nothing.
    """

    def __init__(self, norm: nn.GroupNorm):
        super().__init__()
        self.weight, self.bias, self.eps = norm.weight, norm.bias, norm.eps
        self.lengths: Sequence[int] = ()  # frames of each row without padding; empty: no row is padded
        self.stats: Sequence[ChannelStats | None] = ()  # one per row; empty: each row's own

    def forward(self, x: torch.Tensor) -> torch.Tensor:  # [B, C, T]
        if not self.lengths and not any(self.stats):
            return nn.functional.group_norm(x, x.shape[1], self.weight, self.bias, self.eps)
        out = torch.empty_like(x)
        # Row by row: a mask over all of them would cost as many passes over the largest tensor there is.
        for number, row in enumerate(x):
            given = self.stats[number] if self.stats else None
            if given is None:
                unpadded = row[:, : self.lengths[number]] if self.lengths else row
                variance, mean = torch.var_mean(unpadded.float(), dim=1, correction=0)  # [C] each
            else:
                mean, variance = given
            scale = self.weight.float() * torch.rsqrt(variance + self.eps)
            shift = self.bias.float() - mean * scale
            out[number] = torch.addcmul(shift[:, None], row.float(), scale[:, None])
        return out


class MaskedBatchNorm(nn.Module):
    """The batch norm before a positional convolution, with zeros for padding.

    It computes with the statistics of its training. These turn the zeros of padding into other values, which the
    convolution would mix into an utterance's last frames; alone, the utterance is followed by zeros.
    """

    def __init__(self, norm: nn.BatchNorm1d):
        super().__init__()
        self.norm = norm
        self.lengths: Sequence[int] = ()  # frames of each row without padding; empty: no row is padded

    def forward(self, x: torch.Tensor) -> torch.Tensor:  # [B, D, T]
        out = self.norm(x)
        for row, length in zip(out, self.lengths, strict=False):
            row[:, length:] = 0
        return out


@torch.inference_mode()
def channel_stats(convolution: nn.Conv1d, wave: torch.Tensor, block: int = 2**22) -> ChannelStats:
    """Mean and variance of a convolution's output over a waveform of any length, block by block.

    Args:
        convolution: the first one, without padding.
        wave: [N], of the convolution's dtype and device.
        block: outputs times channels held at a time, so that memory does not grow with N.

    Returns:
        What the norm would find on the whole output at once, up to rounding.
    """
    kernel, stride = convolution.kernel_size[0], convolution.stride[0]
    count = (len(wave) - kernel) // stride + 1
    step = max(1, block // convolution.out_channels)
    total = torch.zeros(2, convolution.out_channels, dtype=torch.float64, device=wave.device)
    for first in range(0, count, step):
        last = min(count, first + step)
        out = convolution(wave[None, None, first * stride : (last - 1) * stride + kernel])[0].double()  # [C, step]
        total += torch.stack([out.sum(dim=1), (out**2).sum(dim=1)])
    mean = total[0] / count
    return mean.float(), (total[1] / count - mean**2).clamp(min=0).float()
