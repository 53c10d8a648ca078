"""The configuration's section `plan`: sizes and speeds that a plan is computed from."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le, MinLen

Positive = Annotated[float, Gt(0), Le(1e18)]
Size = Annotated[float, Ge(0), Le(1e18)]


@dataclass(frozen=True)
class Hours:
    """Hours of speech; null: as the world or LibriHeavy says."""

    train: Positive | None
    """hours of speech of the train split; null: as the world or LibriHeavy says"""
    dev: Positive | None
    """hours of speech of the dev split; null: as the world or LibriHeavy says"""


@dataclass(frozen=True)
class SymbolsPerSecond:
    """Symbols of a second of speech."""

    text: Positive
    """characters of a second of speech"""
    phones: Positive
    """phones of a second of speech"""
    units: Positive
    """runs of equal units in a second of speech, for units without repeats"""
    tokens: Positive
    """tokens of a second of speech that were made elsewhere"""


@dataclass(frozen=True)
class SymbolsPerBpe:
    """Symbols that a bpe token joins."""

    text: Annotated[float, Ge(1), Le(1e6)]
    """characters that a bpe token joins"""
    phones: Annotated[float, Ge(1), Le(1e6)]
    """phones that a bpe token joins"""


@dataclass(frozen=True)
class TaskSize:
    """How large a task is."""

    sides: Annotated[int, Ge(1), Le(1_000_000_000)] | None
    """utterances of the task; null: as the world says"""
    seconds: Positive
    """mean seconds of an utterance"""


@dataclass(frozen=True)
class StartSeconds:
    """Seconds until a job works."""

    light: Positive
    """seconds until a small step works"""
    numeric: Positive
    """seconds until a step with scipy, pandas or matplotlib works"""
    torch: Positive
    """seconds until a step with torch works"""


@dataclass(frozen=True)
class TimesRealTime:
    """Seconds of speech per second of a core, or of a GPU where cluster.gpus gives one."""

    speak: Positive
    """seconds of speech that are spoken per second of a core"""
    speak_tasks: Positive
    """the same for tasks, which speak candidates"""
    align_pass: Positive
    """seconds of speech per second in a pass of the aligner's training"""
    align: Positive
    """seconds of speech that are aligned per second"""
    pretrain: Positive
    """seconds of speech per second in the training of the encoder"""
    extract: Positive
    """seconds of speech per second through the encoder at extraction"""
    encode: Positive
    """seconds of speech per second that become tokens of one modality"""
    sound: Positive
    """seconds of speech per second that the vocoder makes"""
    transcribe: Positive
    """seconds of speech per second through the recogniser"""


@dataclass(frozen=True)
class Flops:
    """Floating-point operations per second."""

    train: Positive
    """operations per second of a training"""
    forward: Positive
    """operations per second of scoring"""
    kmeans: Positive
    """operations per second of k-means, of one core or, where torch computes it on a GPU, of that GPU"""


@dataclass(frozen=True)
class StepSeconds:
    """Seconds of a step."""

    train: Positive
    """seconds of an optimizer step beside its operations"""
    generate: Positive
    """seconds of one more token of a batch of continuations"""
    voice: Positive
    """seconds of a training step of a voice"""


@dataclass(frozen=True)
class Bytes:
    """Bytes on the disk."""

    audio_second: Positive
    """bytes of a second of synthesised audio"""
    cut: Positive
    """bytes of a cut"""
    phone: Positive
    """bytes of an aligned phone"""
    unit: Positive
    """bytes of a unit"""
    token_index: Positive
    """bytes of an utterance's entry in the index of a token file"""


@dataclass(frozen=True)
class Plan:
    """Sizes and speeds for `snakemake plan`; no result depends on them."""

    profile: Annotated[str, MinLen(1)]
    """Snakemake profile whose time limits the longest jobs are compared with"""
    hours: Hours
    """hours of speech"""
    utterance_seconds: Positive
    """mean seconds of a cut, less the words alone"""
    symbols_per_second: SymbolsPerSecond
    """symbols of a second of speech"""
    symbols_per_bpe: SymbolsPerBpe
    """symbols that a bpe token joins"""
    tasks: dict[str, TaskSize]
    """task name -> its size"""
    models_gb: Size
    """gigabytes of encoder, vocoder, recogniser and judge that are fetched by name"""
    download_mb_per_second: Positive
    """megabytes per second of the network"""
    start_seconds: StartSeconds
    """seconds until a job works"""
    times_real_time: TimesRealTime
    """seconds of speech per second"""
    flops: Flops
    """floating-point operations per second"""
    step_seconds: StepSeconds
    """seconds of a step"""
    encoder_width: Annotated[int, Ge(1), Le(1_000_000)]
    """width of the features that k-means clusters"""
    cuts_per_second: Positive
    """cuts of a manifest that are distributed over shards per second"""
    ngram_tokens_per_second: Positive
    """tokens per second that the 4-gram baselines count and score"""
    copy_bytes_per_second: Positive
    """bytes per second of joining token files"""
    bytes: Bytes
    """bytes on the disk"""
