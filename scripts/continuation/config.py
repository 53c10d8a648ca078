"""The configuration's section `continuation`, and the parts of it that the steps take."""

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le

from scripts.common.bounds import BatchTokens, Pattern, Text, Threads

MEL_TO_WAV = "[{]mel[}].*[{]wav[}]|[{]wav[}].*[{]mel[}]"


@dataclass(frozen=True)
class WithThreads:
    """How many threads a step has."""

    threads: Threads
    """CPU threads; part of the result's bytes, so set here and not by --cores"""


@dataclass(frozen=True)
class Length:
    """How long a continuation is."""

    seconds: Annotated[float, Gt(0), Le(3600)]
    """longest continuation, the same for all modalities"""


@dataclass(frozen=True)
class Selection(Length):
    """Which beginnings are continued."""

    prompts: Annotated[int, Ge(0), Le(1000)]
    """beginnings of dev utterances, at most; 0 leaves the whole stage out"""
    prompt_seconds: Annotated[float, Gt(0), Le(3600)]
    """their length: up to the end of the nearest word, or of a sentence nearby"""


@dataclass(frozen=True)
class Sampling(Length, WithThreads):
    """How continuations are sampled."""

    seeds: Annotated[int, Ge(1), Le(10_000)]
    """continuations per prompt"""
    temperature: Annotated[float, Gt(0), Le(1000)]
    """divides the logits; a higher one gives more variety"""
    top_p: Annotated[float, Gt(0), Le(1)]
    """nucleus sampling: share of the probability that is drawn from"""
    batch: Annotated[int, Ge(1), Le(1_000_000)]
    """continuations that are made side by side"""
    precision: Literal["fp32", "bf16"]
    """of the models at sampling"""


@dataclass(frozen=True)
class Voice:
    """The models that turn tokens into mel spectra, and their training."""

    reference_speaker: Text | None
    """speaker whose voice phones are synthesised with; null: the most frequent one in the sample"""
    sample_hours: Annotated[float, Gt(0), Le(1e6)]
    """hours of train that the voices are learnt from"""
    width: Annotated[int, Ge(8), Le(65_536)]
    """channels of the acoustic and duration models"""
    layers: Annotated[int, Ge(1), Le(8)]
    """their convolutions"""
    steps: Annotated[int, Ge(10), Le(1_000_000_000)]
    """optimizer steps"""
    batch_crops: Annotated[int, Ge(1), Le(1_000_000)]
    """training crops of 2.56 s per step"""
    learning_rate: Annotated[float, Gt(0), Le(100)]
    """AdamW's peak"""


@dataclass(frozen=True)
class VoiceTraining(Voice, WithThreads):
    """What the voices depend on: continuation.speech as far as training goes, and the threads."""


@dataclass(frozen=True)
class Speech(Voice):
    """From tokens to sound, for every modality that is not text."""

    vocoder: Text
    """griffin-lim, or folder or hub name of a SpeechT5HifiGan"""
    vocoder_command: Annotated[str, Pattern(MEL_TO_WAV)] | None
    """a command instead, that reads {mel} (.npy, log10, [frames, 80]) and writes {wav}"""
    iterations: Annotated[int, Ge(1), Le(100_000)]
    """of Griffin-Lim"""


@dataclass(frozen=True)
class Judge:
    """The language model that measures the perplexity of what was said."""

    source: Text
    """train: a small LM of text that no other model saw; or a causal LM's folder or hub name"""
    text: Literal["spoken", "written"]
    """what it reads: spoken (lower-case words without punctuation) or written (as it is)"""
    precision: Literal["fp32", "bf16", "int8", "int4"]
    """of a judge; int8 and int4 by bitsandbytes on a GPU"""
    batch_tokens: BatchTokens
    """tokens per forward pass"""
    hours: Annotated[float, Gt(0), Le(1e7)]
    """of text to train on, as long as it takes to say: further text of the world, else a sample of train"""
    vocab_size: Annotated[int, Ge(4), Le(65_535)]
    """of its bpe tokenizer"""
    epochs: Annotated[int, Ge(1), Le(1_000_000)]
    """passes over its text; the rest is as under lm"""


@dataclass(frozen=True)
class Continuation(Selection, Sampling):
    """What each model says after the same beginnings."""

    prompts_from: Literal["dev", "list"]
    """what is continued: beginnings of dev utterances, or the prompts of corpus.prompts"""
    speech: Speech
    """from tokens to sound, for every modality that is not text"""
    recogniser: Text
    """kaldi: the aligner's phones in a flat word loop; or a Whisper's name (large-v3) or path"""
    speak_text: bool
    """whether continuations of text are also pronounced, spoken and transcribed, beside their own perplexity"""
    random_strings: Annotated[int, Ge(1), Le(100_000)]
    """strings of random words, to see what the recogniser invents"""
    judge: Judge
    """the language model that judges what was said"""
