"""The convolutional network of the speech model: symbols and a speaker to mel frames, or to durations.

Residual gated convolutions as in WaveNet (van den Oord et al. 2016, equation 2), with growing dilation. The receptive
field is half a second to each side, so the cost per second of speech does not depend on the length.
"""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from scripts.common.files import read_json

KERNEL = 5
FORMAT = 1


class Network(nn.Module):
    """Symbols and a speaker -> values per symbol.

    Args:
        symbols: number of symbols; the next index is padding.
        speakers: number of speakers.
        width: channels.
        layers: convolutions, of dilation 1, 2, 4 ...
        outputs: values per symbol.
    """

    def __init__(self, symbols: int, speakers: int, width: int, layers: int, outputs: int):
        super().__init__()
        self.padding = symbols
        self.embed = nn.Embedding(symbols + 1, width)
        self.voice = nn.Embedding(speakers, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(layers))
        self.convolutions = nn.ModuleList(
            nn.Conv1d(width, 2 * width, KERNEL, dilation=2**i, padding=KERNEL // 2 * 2**i) for i in range(layers)
        )
        self.out = nn.Linear(width, outputs)
        # The network predicts normalised values (mean 0, standard deviation 1); these restore the scale.
        self.register_buffer("mean", torch.zeros(outputs))
        self.register_buffer("deviation", torch.ones(outputs))

    def normalised(self, ids: torch.Tensor, speaker: torch.Tensor) -> torch.Tensor:
        """Normalised values [B, T, outputs] of ids int64 [B, T] and speakers int64 [B]."""
        x = self.embed(ids) + self.voice(speaker)[:, None]  # [B, T, W]
        for norm, convolution in zip(self.norms, self.convolutions, strict=True):
            value, gate = convolution(norm(x).transpose(1, 2)).chunk(2, dim=1)
            x = x + (torch.tanh(value) * torch.sigmoid(gate)).transpose(1, 2)
        return self.out(x)

    @torch.inference_mode()
    def forward(self, ids: torch.Tensor, speaker: int) -> torch.Tensor:
        """Values, float32 [T, outputs], of ids int64 [T] for one speaker."""
        voice = torch.tensor([speaker], device=ids.device)
        return self.normalised(ids[None], voice)[0] * self.deviation + self.mean


def save(network: Network, about: dict[str, Any], folder: Path) -> None:
    """Write model.safetensors and model.json into an existing folder."""
    save_file(
        {name: tensor.contiguous() for name, tensor in network.state_dict().items()}, folder / "model.safetensors"
    )
    shape = {
        "symbols": network.padding,
        "speakers": network.voice.num_embeddings,
        "width": network.out.in_features,
        "layers": len(network.convolutions),
        "outputs": network.out.out_features,
    }
    text = json.dumps({"format": FORMAT, "shape": shape, **about}, indent=2)
    (folder / "model.json").write_text(text + "\n", encoding="utf-8")


def load(folder: str | Path) -> tuple[Network, dict[str, Any]]:
    """The network and its description; ValueError names the folder if it is damaged or of another format."""
    about = read_json(Path(folder) / "model.json")
    if about.get("format") != FORMAT:
        raise ValueError(f"{folder}: format {about.get('format')}, expected {FORMAT}; train it again")
    network = Network(**about["shape"])
    try:
        network.load_state_dict(load_file(Path(folder) / "model.safetensors"))
    except (SafetensorError, RuntimeError, OSError) as error:
        raise ValueError(f"{folder}: the weights cannot be read ({error}); train it again") from None
    return network.eval(), about


def fit(
    network: Network,
    batches: Sequence[tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]],
    learning_rate: float,
    report: Any,
) -> float:
    """Train by AdamW with warm-up and cosine; returns the mean loss of the last tenth.

    Args:
        network: trained in place.
        batches: one per step: ids int64 [B, T], voices int64 [B], normalised targets [B, T, outputs], and their
            weights [B, T], 0 for padding. The loss is the weighted mean absolute error.
        learning_rate: peak.
        report: called with (steps done, loss).
    """
    optimizer = torch.optim.AdamW(network.parameters(), lr=learning_rate, weight_decay=0.01)
    steps = len(batches)
    warmup = max(1, steps // 10)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / warmup) * (1 + math.cos(math.pi * step / steps)) / 2
    )
    network.train()
    losses = []
    for step, (ids, voices, targets, weights) in enumerate(batches, start=1):
        error = (network.normalised(ids, voices) - targets).abs().mean(dim=-1)
        loss = (error * weights).sum() / weights.sum()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        report(step, losses[-1])
    network.eval()
    last = losses[-max(1, steps // 10) :]
    return sum(last) / len(last)
