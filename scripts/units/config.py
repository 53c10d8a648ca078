"""The configuration's section `units`, and the parts of it that the steps take."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt, MinLen

from scripts.common.bounds import Pattern, Text, Threads, Unique

POSITION_GROUPS = 4  # of the positional convolution of the HuBERT that is pretrained here
Layer = Annotated[int, Ge(1), Le(1000)]
Clusters = Annotated[int, Ge(2), Le(65_000)]
Channels = Annotated[int, Ge(1), Le(65_536)]
FILES_TO_UNITS = "[{]files[}].*[{]units[}]|[{]units[}].*[{]files[}]"


@dataclass(frozen=True)
class EncoderSource:
    """Where the encoder comes from and what runs it."""

    source: Text
    """pretrain: a small HuBERT that is trained here; or a Hugging Face folder or hub name; or a fairseq checkpoint
    (.pt)"""
    backend: Literal["transformers", "fairseq"]
    """what computes the features: transformers (HuBERT, wav2vec2, WavLM), fairseq (HuBERT)"""
    fairseq_python: Text
    """Python interpreter that has fairseq (make fairseq, or envs/fairseq.yaml)"""


@dataclass(frozen=True)
class Pretraining:
    """The HuBERT that is trained here, and its training."""

    hidden_size: Annotated[int, Ge(8), Le(65_536)]
    """width of the transformer"""
    layers: Layer
    """transformer layers"""
    heads: Annotated[int, Ge(1), Le(1024)]
    """attention heads"""
    conv_dim: tuple[Channels, Channels, Channels, Channels, Channels, Channels, Channels]
    """channels of the seven convolutions"""
    targets: Annotated[int, Ge(2), Le(65_000)]
    """clusters of MFCC that HuBERT is trained to predict"""
    steps: Annotated[int, Ge(1), Le(1_000_000_000)]
    """optimizer steps"""
    batch_crops: Annotated[int, Ge(1), Le(1_000_000)]
    """training crops per step"""
    crop_seconds: Annotated[float, Gt(0.1), Le(3600)]
    """seconds of a training crop"""
    learning_rate: Annotated[float, Gt(0), Le(100)]
    """AdamW's peak learning rate"""
    warmup_steps: Annotated[int, Ge(0), Le(1_000_000_000)]
    """steps of linear warm-up; then linear decay"""
    mask_start: Annotated[float, Gt(0), Lt(1)]
    """probability that a masked span starts at a frame"""
    mask_span: Annotated[int, Ge(1), Le(10_000)]
    """frames per masked span"""


@dataclass(frozen=True)
class Encoder(EncoderSource, Pretraining):
    """What computes the features that are clustered."""


@dataclass(frozen=True)
class Choice:
    """Which features are clustered, into how many clusters."""

    layer: Layer
    """transformer layer whose output is clustered (1 = first)"""
    clusters: Clusters
    """number of clusters (K) of k-means"""


@dataclass(frozen=True)
class Device:
    """Where and in what precision the encoder runs."""

    device: Literal["cpu", "cuda", "auto"]
    """where the encoder runs: cpu, cuda, or auto: a GPU where there is one"""
    precision: Literal["fp32", "bf16"]
    """precision of the encoder's weights and features: fp32, or bf16 on a GPU"""


@dataclass(frozen=True)
class Chunking:
    """How audio is cut for the encoder."""

    batch_seconds: Annotated[float, Gt(0), Le(1e6)]
    """seconds of audio per forward pass"""
    chunk_seconds: Annotated[float, Ge(1), Le(86_400)]
    """longest part of an utterance that the encoder processes at once, in seconds; a longer utterance is cut into
    chunks"""
    overlap_seconds: Annotated[float, Ge(0.04), Le(3600)]
    """seconds of context on either side of a chunk, whose features are discarded"""


@dataclass(frozen=True)
class Encoding(Chunking, Device):
    """How features are computed."""


@dataclass(frozen=True)
class KMeans:
    """How centroids are found."""

    sample_frames: Annotated[int, Ge(2), Le(1_000_000_000)]
    """frames that k-means is trained on, drawn from utterances that hold twice as many"""
    kmeans_redo: Annotated[int, Ge(1), Le(1000)]
    """FAISS nredo: restarts, the best is kept"""
    kmeans_iterations: Annotated[int, Ge(1), Le(100_000)]
    """FAISS niter: iterations per restart"""
    kmeans_spherical: bool
    """whether centroids have length 1, so that directions are clustered (cosine)"""
    kmeans_backend: Literal["faiss", "torch", "auto"]
    """what computes k-means: faiss, torch, or auto: torch on a GPU, FAISS on a CPU"""
    speaker_directions: Annotated[int, Ge(0), Le(65_536)]
    """directions in which speakers' mean features differ most, removed before k-means"""


@dataclass(frozen=True)
class FrameRate:
    """The units' clock."""

    frame_rate: Literal[50]
    """units per second; HuBERT hops by 20 ms"""


@dataclass(frozen=True)
class Extraction(Encoding, Choice):
    """What the units depend on besides encoder and centroids."""

    decode_workers: Annotated[int, Ge(0), Le(256)]
    """processes that decode audio while the encoder runs; 0: one process does both in turn"""


@dataclass(frozen=True)
class Fitting(Encoding, KMeans):
    """What centroids of any layer and number depend on besides the encoder."""


@dataclass(frozen=True)
class Clustering(Fitting, Choice):
    """What the centroids depend on besides the encoder."""


@dataclass(frozen=True)
class Measuring(Clustering, FrameRate):
    """What the units' quality depends on besides encoder and units."""


@dataclass(frozen=True)
class Sweeping(Fitting, FrameRate):
    """What the quality at other layers and numbers of clusters depends on besides the encoder."""


@dataclass(frozen=True)
class Sweep:
    """What `snakemake unit_quality` compares."""

    layers: Annotated[tuple[Layer, ...], MinLen(1), Unique()]
    """layers whose units are compared"""
    clusters: Annotated[tuple[Clusters, ...], MinLen(1), Unique()]
    """numbers of clusters that are compared"""


@dataclass(frozen=True)
class Units(Measuring, Sweeping, Extraction):
    """Discrete symbols of speech, from a self-supervised encoder."""

    external: Text | None
    """folder of units to import (jsonl, or fairseq's tsv and km); null: computed here"""
    command: Annotated[str, Pattern(FILES_TO_UNITS)] | None
    """program that computes units instead of the encoder: reads {files} (a list of wav files, 16 kHz) and writes
    {units} (a line of numbers per file, 50 a second)"""
    command_timeout: Annotated[float, Gt(0), Le(1e7)]
    """seconds after which a run of the command, for at most ten hours of speech, is ended"""
    threads: Threads
    """CPU threads; part of the result's bytes, so set here and not by --cores"""
    sweep: Sweep
    """what `snakemake unit_quality` compares"""
    encoder: Encoder
    """what computes the features"""


def problems(units: Units) -> Iterator[str]:
    """What is wrong between keys of the section, a line each."""
    encoder = units.encoder
    if encoder.source == "pretrain":
        if units.layer > encoder.layers:
            yield f"units.layer is {units.layer}; the encoder has {encoder.layers} layers"
        for layer in units.sweep.layers:
            if layer > encoder.layers:
                yield f"units.sweep.layers holds {layer}; the encoder has {encoder.layers} layers"
        if encoder.hidden_size % encoder.heads or encoder.hidden_size % POSITION_GROUPS:
            yield (
                f"units.encoder.hidden_size is {encoder.hidden_size};"
                f" it must be a multiple of units.encoder.heads ({encoder.heads}) and of {POSITION_GROUPS}"
            )
    if encoder.backend == "fairseq" and not encoder.source.endswith(".pt"):
        yield f"units.encoder.source is {encoder.source!r}; backend fairseq needs a checkpoint, a .pt file"
    if encoder.backend == "transformers" and encoder.source.endswith(".pt"):
        yield f"units.encoder.source is {encoder.source!r}; a .pt file needs units.encoder.backend fairseq"
    if units.chunk_seconds <= 2 * units.overlap_seconds:
        yield f"units.chunk_seconds is {units.chunk_seconds}; it must be more than twice units.overlap_seconds"
    if units.external is not None and units.command is not None:
        yield "units.external and units.command are set; set one of them, the other to null"
    if units.clusters > units.sample_frames:
        yield f"units.clusters is {units.clusters}, more than units.sample_frames"
