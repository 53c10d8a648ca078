"""HuBERT, wav2vec 2.0 or WavLM in transformers: an utterance has the same features whatever else is in its batch.

Two things make a padded batch differ from one utterance alone. Attention sees the padding: the
attention mask hides it. And padding enters norms that no mask reaches in transformers (scripts.units.masked_norm): a
group norm over time after the first convolution (HuBERT base, and the small one trained here), and a batch norm before
the positional convolution (some multilingual HuBERTs). The convolutions have no padding of their own, so frame t
reads samples [320 t, 320 t + 400) and nothing else.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import transformers
from torch import nn
from transformers import AutoModel, HubertConfig, PreTrainedModel, Wav2Vec2FeatureExtractor

from scripts.common.frames import SAMPLE_RATE, frame_count
from scripts.common.weights import check_complete
from scripts.units import waveforms
from scripts.units.masked_norm import ChannelStats, MaskedBatchNorm, MaskedGroupNorm, channel_stats
from scripts.units.positional import compute_narrow_groups_in_float32
from scripts.units.waveforms import pad

transformers.utils.logging.disable_progress_bar()  # steps report their own progress

PREPROCESSOR = "preprocessor_config.json"
STRIDES = [5, 2, 2, 2, 2, 2, 2]  # HuBERT's hops; with KERNELS a 25 ms window every 20 ms
KERNELS = [10, 3, 3, 3, 3, 2, 2]
MODEL_TYPES = ("hubert", "wav2vec2", "wavlm")  # with these convolutions
# oneDNN keeps what it prepared for the last 1,024 shapes of a convolution, and batches hardly ever have the same shape:
# a job of an hour of audio grew to 1.7 GiB by it. It reads this before its first convolution.
FEW_PRIMITIVES = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "16"}
# Norms over time or over the batch; those that the architectures of MODEL_TYPES have are replaced by masked ones.
MIXING_NORMS = (nn.modules.batchnorm._NormBase, nn.GroupNorm)
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}


class WaveBatch(NamedTuple):
    """Waveforms that go through an encoder together.

    Attributes:
        samples: float32 [B, N] at 16 kHz, normalised if the encoder wants it, zeros behind shorter ones.
        lengths: samples of each row.
    """

    samples: torch.Tensor
    lengths: list[int]

    @classmethod
    def of(cls, waves: Sequence[np.ndarray], *, normalise: bool) -> "WaveBatch":
        """Waveforms float32 [N_b], normalised one by one if asked, and padded."""
        return cls(
            torch.from_numpy(pad([waveforms.normalise(wave) for wave in waves] if normalise else waves)),
            [len(wave) for wave in waves],
        )

    def to(self, device: torch.device) -> "WaveBatch":
        """The batch on a device; from page-locked memory the copy runs beside what the device computes."""
        return WaveBatch(self.samples.to(device, non_blocking=True), self.lengths)


@dataclass
class Encoder:
    """A frozen network up to the layer whose output is clustered.

    Attributes:
        model: in evaluation mode, later layers cut off.
        layer: 1 is the first transformer layer; 0 the input of the first.
        normalise: waveforms are brought to zero mean and unit variance per utterance.
    """

    model: PreTrainedModel
    layer: int
    normalise: bool

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.model.device

    def features(self, waves: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Features of a batch of whole utterances.

        Args:
            waves: float32 [N_b] at 16 kHz each, at least 400 samples.

        Returns:
            float32 [frame_count(N_b), D] each; equal to the utterance alone up to rounding.
        """
        out = self.encode(WaveBatch.of(waves, normalise=self.normalise)).float().cpu().numpy()  # [B, T, D]
        return [row[: frame_count(len(wave))] for row, wave in zip(out, waves, strict=True)]

    @torch.inference_mode()
    def encode(self, batch: WaveBatch, stats: Sequence[ChannelStats | None] = ()) -> torch.Tensor:
        """Features [B, T, D] on the encoder's device and in its precision.

        Args:
            batch: B utterances or chunks; frames beyond frame_count(lengths[b]) of the result mean nothing.
            stats: of each row: `channel_stats` of the utterance of which the row is a chunk; None, or no list at all,
                where the row is a whole utterance.
        """
        longest = max(batch.lengths)
        mask: torch.Tensor | None = None
        norm = self.group_norm()
        if norm is not None:
            norm.lengths, norm.stats = [], stats
        batch_norm = self.batch_norm()
        if batch_norm is not None:
            batch_norm.lengths = (
                [frame_count(length) for length in batch.lengths] if min(batch.lengths) < longest else []
            )
        if min(batch.lengths) < longest:
            lengths = _copy(torch.tensor(batch.lengths), self.device)
            mask = torch.arange(longest, device=self.device) < lengths[:, None]  # [B, N]
            if norm is not None:
                kernel, stride = self.model.config.conv_kernel[0], self.model.config.conv_stride[0]
                norm.lengths = [(length - kernel) // stride + 1 for length in batch.lengths]
        samples = batch.to(self.device).samples.to(self.model.dtype)
        return self.model(samples, attention_mask=mask).last_hidden_state

    def channel_stats(self, wave: torch.Tensor) -> ChannelStats | None:
        """What the first norm must know of a whole utterance [N] to treat its chunks alike; None without that norm."""
        if self.group_norm() is None:
            return None
        first = self.model.feature_extractor.conv_layers[0].conv
        return channel_stats(first, wave.to(self.device, self.model.dtype))

    def group_norm(self) -> MaskedGroupNorm | None:
        """The norm after the first convolution, if it is one over time."""
        norm = getattr(self.model.feature_extractor.conv_layers[0], "layer_norm", None)
        return norm if isinstance(norm, MaskedGroupNorm) else None

    def batch_norm(self) -> MaskedBatchNorm | None:
        """The norm before the positional convolution, if there is one."""
        norm = getattr(self.model.encoder.pos_conv_embed, "batch_norm", None)
        return norm if isinstance(norm, MaskedBatchNorm) else None


def _copy(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """A small tensor on the device without waiting for what the device computes."""
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor


def prepare(model: PreTrainedModel, layer: int, normalise: bool, source: str = "the encoder") -> Encoder:
    """Make a model an encoder up to `layer`.

    Raises:
        ValueError: it has no such layer, is not on the workflow's clock of 50 Hz, or has a norm that would mix
            utterances with padding.
    """
    config = model.config
    if not 0 <= layer <= config.num_hidden_layers:
        raise ValueError(f"units.layer is {layer}; {source} has layers 0 to {config.num_hidden_layers}")
    if list(config.conv_stride) != STRIDES or list(config.conv_kernel) != KERNELS:
        raise ValueError(
            f"{source}: convolutions {config.conv_kernel} by {config.conv_stride} do not give a 25 ms window every"
            f" 20 ms; HuBERT's {KERNELS} by {STRIDES} are expected"
        )
    first = model.feature_extractor.conv_layers[0]
    if isinstance(getattr(first, "layer_norm", None), nn.GroupNorm):
        first.layer_norm = MaskedGroupNorm(first.layer_norm)
    positional = model.encoder.pos_conv_embed
    if isinstance(getattr(positional, "batch_norm", None), nn.BatchNorm1d):
        positional.batch_norm = MaskedBatchNorm(positional.batch_norm)
    for name, module in model.named_modules():
        if isinstance(module, MIXING_NORMS) and not name.endswith("pos_conv_embed.batch_norm.norm"):
            raise ValueError(
                f"{source}: {name} ({type(module).__name__}) mixes utterances or frames with padding: units"
                " would depend on the batch; such an encoder cannot be used"
            )
    compute_narrow_groups_in_float32(model)
    # hidden_states[layer] of transformers: in the variant with a final norm it is taken before that norm.
    model.encoder.layers = model.encoder.layers[:layer]
    if config.do_stable_layer_norm:
        model.encoder.layer_norm = nn.Identity()
    return Encoder(model.eval(), layer, normalise)


def load(folder: str | Path, layer: int, *, device: str = "cpu", precision: str = "fp32") -> tuple[Encoder, str]:
    """The encoder in a Hugging Face folder and its `fingerprint`."""
    os.environ.update(FEW_PRIMITIVES)
    model = load_model(str(folder), local=True)
    normalise = wants_normalisation(str(folder))
    digest = fingerprint(model, normalise)
    network = prepare(model, layer, normalise, str(folder))
    place(network, device, precision)
    return network, digest


def place(network: Encoder, device: str, precision: str) -> None:
    """Move an encoder to its device and precision.

    TF32 is switched off for the process: torch allows it in convolutions by default, and it keeps 10 bits of a factor's
    mantissa. So fp32 on a GPU is IEEE's, also for distances to centroids, which are in fp32 whatever the precision.
    """
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    network.model.to(device=torch.device(device), dtype=PRECISIONS[precision])


def load_model(source: str, local: bool = False) -> PreTrainedModel:
    """The network from a local folder or, unless `local`, by its name on the hub.

    Weights are read as tensors alone: code that a pickled file would run is refused by torch.

    Raises:
        ValueError: there is no such model, it is damaged, or it is of another kind.
    """
    if local and not (Path(source) / "config.json").exists():
        raise ValueError(f"{source}: no encoder here (a Hugging Face folder with config.json is expected)")
    try:
        config = HubertConfig.get_config_dict(source, local_files_only=local)[0]
        model_type = config.get("model_type")
        if model_type not in MODEL_TYPES:
            raise ValueError(
                f"its model_type is {model_type!r}; one of {', '.join(map(repr, MODEL_TYPES))} is expected"
            )
        if config.get("add_adapter"):
            raise ValueError("its config says add_adapter, which changes the frame rate")
        model, loading = AutoModel.from_pretrained(source, local_files_only=local, output_loading_info=True)
    except Exception as error:  # transformers, safetensors, torch and the hub each raise their own
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ValueError(f"{source}: cannot be loaded as a HuBERT encoder ({reason})") from None
    check_complete(source, loading, unused=("masked_spec_embed",))  # nothing is masked here
    return model


def wants_normalisation(source: str) -> bool:
    """Whether the encoder's preprocessor config asks for normalised waveforms; ValueError if none, or another rate.

    Guessing would silently give other features: HuBERT base was trained without, HuBERT large with it.
    """
    try:
        extractor = Wav2Vec2FeatureExtractor.from_pretrained(source)
    except Exception as error:  # transformers, json and the hub each raise their own
        raise ValueError(
            f"{source}: no readable {PREPROCESSOR} with do_normalize ({str(error).strip().splitlines()[0]})"
        ) from None
    if extractor.sampling_rate != SAMPLE_RATE:
        raise ValueError(
            f"{source}: {PREPROCESSOR} says a sampling_rate of {extractor.sampling_rate} Hz; the workflow's"
            f" audio comes at {SAMPLE_RATE}"
        )
    return bool(extractor.do_normalize)


def save(model: PreTrainedModel, normalise: bool, folder: str | Path) -> None:
    """Write config, weights (safetensors) and preprocessor config; same model, same bytes."""
    model.save_pretrained(folder)
    preprocessor = {
        "do_normalize": normalise,
        "feature_extractor_type": "Wav2Vec2FeatureExtractor",
        "feature_size": 1,
        "padding_side": "right",
        "padding_value": 0.0,
        "return_attention_mask": True,
        "sampling_rate": SAMPLE_RATE,
    }
    (Path(folder) / PREPROCESSOR).write_text(json.dumps(preprocessor, indent=2) + "\n", encoding="utf-8")


def fingerprint(model: PreTrainedModel, normalise: bool) -> str:
    """Hash of everything the features depend on: weights, shape of the network, normalisation."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    config = model.config
    shape = [config.num_attention_heads, config.conv_stride, config.feat_extract_norm, config.do_stable_layer_norm]
    model_type = [] if config.model_type == "hubert" else [config.model_type]
    digest.update(json.dumps([*shape, config.hidden_act, normalise, *model_type]).encode())
    return digest.hexdigest()
