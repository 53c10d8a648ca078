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
    """longest continuation in seconds, the same for all modalities"""


@dataclass(frozen=True)
class Selection(Length):
    """Which beginnings are continued."""

    prompts: Annotated[int, Ge(0), Le(1000)]
    """largest number of prompts, beginnings of dev utterances; 0 leaves the stage out"""
    prompt_seconds: Annotated[float, Gt(0), Le(3600)]
    """length of a prompt in seconds, up to the end of a word or sentence nearby"""


@dataclass(frozen=True)
class Sampling(Length, WithThreads):
    """How continuations are sampled."""

    seeds: Annotated[int, Ge(1), Le(10_000)]
    """continuations per prompt"""
    temperature: Annotated[float, Gt(0), Le(1000)]
    """divisor of the logits; a higher one gives more variety"""
    top_p: Annotated[float, Gt(0), Le(1)]
    """nucleus sampling: share of the probability that is drawn from"""
    batch: Annotated[int, Ge(1), Le(1_000_000)]
    """continuations that are sampled together"""
    precision: Literal["fp32", "bf16"]
    """precision of the models at sampling: fp32 or bf16"""


@dataclass(frozen=True)
class Voice:
    """The models that turn tokens into mel spectra, and their training."""

    reference_speaker: Text | None
    """speaker whose voice speaks phones; null: the most frequent one in the sample"""
    sample_hours: Annotated[float, Gt(0), Le(1e6)]
    """hours of train's speech that the voices are trained on"""
    width: Annotated[int, Ge(8), Le(65_536)]
    """channels of the acoustic and duration models"""
    layers: Annotated[int, Ge(1), Le(8)]
    """convolutions of each of these models"""
    steps: Annotated[int, Ge(10), Le(1_000_000_000)]
    """optimizer steps"""
    batch_crops: Annotated[int, Ge(1), Le(1_000_000)]
    """training crops of 2.56 s per step"""
    learning_rate: Annotated[float, Gt(0), Le(100)]
    """AdamW's peak learning rate"""


@dataclass(frozen=True)
class VoiceTraining(Voice, WithThreads):
    """What the voices depend on: continuation.speech as far as training goes, and the threads."""


@dataclass(frozen=True)
class Speech(Voice):
    """From tokens to sound, for every modality that is not text."""

    vocoder: Text
    """griffin-lim, or folder or hub name of a SpeechT5HifiGan"""
    vocoder_command: Annotated[str, Pattern(MEL_TO_WAV)] | None
    """command instead of it: reads {mel} (.npy, log10, [frames, 80]) and writes {wav}"""
    iterations: Annotated[int, Ge(1), Le(100_000)]
    """iterations of Griffin-Lim"""


@dataclass(frozen=True)
class Judge:
    """The language model that measures the perplexity of what was said."""

    source: Text
    """train (a small LM of text that no other model has seen), or folder or name of a causal LM"""
    text: Literal["spoken", "written"]
    """text that it reads: spoken (lower case, no punctuation) or written (as it is)"""
    precision: Literal["fp32", "bf16", "int8", "int4"]
    """precision of the judge: fp32, bf16, or int8 and int4 (by bitsandbytes on a GPU)"""
    batch_tokens: BatchTokens
    """tokens per forward pass"""
    hours: Annotated[float, Gt(0), Le(1e7)]
    """hours of speech whose text it is trained on: further text of the world, else a sample of train"""
    vocab_size: Annotated[int, Ge(4), Le(65_535)]
    """size of its bpe tokenizer's vocabulary"""
    epochs: Annotated[int, Ge(1), Le(1_000_000)]
    """passes over its text; all else as under lm"""


@dataclass(frozen=True)
class Limits:
    """From which errors on a number that an instrument measures is no result."""

    max_recogniser_error: Annotated[float, Gt(0), Le(100)]
    """highest word error rate on held-out speech and on its vocoder copy; above it spoken continuations are not
    measurable"""
    max_judge_perplexity: Annotated[float, Gt(1), Le(1e12)]
    """highest perplexity per word of real dev text under the judge; above it perplexities of continuations are not
    measurable"""


@dataclass(frozen=True)
class Continuation(Limits, Selection, Sampling):
    """What each model says after the same beginnings."""

    prompts_from: Literal["dev", "list"]
    """what is continued: beginnings of dev utterances (dev), or the prompts of corpus.prompts (list)"""
    speech: Speech
    """synthesis of sound from tokens, for every modality that is not text"""
    recogniser: Text
    """kaldi (the aligner's phones in a flat word loop), or a Whisper name or path"""
    speak_text: bool
    """whether continuations of text are also spoken and transcribed, so that factor A is judged by one channel"""
    random_strings: Annotated[int, Ge(1), Le(100_000)]
    """strings of random words that are spoken and transcribed, to count the words that the recogniser adds"""
    judge: Judge
    """the language model that measures the perplexity of continuations"""
