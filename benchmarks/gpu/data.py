"""Random tokens in the lengths of utterances, and the sizes of the models that are measured."""

from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import yaml

from scripts.common.config import part_json
from scripts.common.ragged import Ragged
from scripts.lm.config import LMConfig, ModelConfig, TrainingConfig, parse_config

BOS, EOS, FIRST = 1, 2, 3  # of every tokenizer of this project; FIRST: the first id of a symbol
# TinyLlama's sizes, those of workflow/configs/paper.yaml: 0.98 B parameters at a vocabulary of 2048.
LARGE = ModelConfig(hidden_size=2048, intermediate_size=5632, layers=22, heads=32, kv_heads=4, context=2048)
TINY = ModelConfig(hidden_size=64, intermediate_size=128, layers=2, heads=4, kv_heads=2, context=2048)
TOKENS_PER_SECOND = {"50 Hz": 50.0, "BPE": 4.45}  # of units; of Text-BPE, the paper's table 2


def utterance_seconds(rng: np.random.Generator, number: int) -> np.ndarray:
    """Durations like LibriHeavy's cuts: 14.8 s in the mean, 2 to 30 s; float64 [number]."""
    return np.clip(rng.normal(14.8, 6.5, number), 2.0, 30.0)


def utterances(
    lengths: np.random.Generator,
    symbols: np.random.Generator,
    length_profile: str,
    vocabulary: int,
    tokens: float,
    scale: float = 1.0,
) -> Ragged:
    """Random utterances BOS ... EOS that together predict about `tokens` tokens.

    Args:
        lengths: draws the lengths.
        symbols: draws the tokens.
        length_profile: key of TOKENS_PER_SECOND.
        vocabulary: ids are below it.
        tokens: predicted, at least; at least one utterance.
        scale: of the lengths.
    """
    sequences: list[np.ndarray] = []
    held = 0
    while held < tokens:
        length = max(1, round(float(utterance_seconds(lengths, 1)[0]) * TOKENS_PER_SECOND[length_profile] * scale))
        sequences.append(sequence(symbols, length, vocabulary))
        held += length + 1
    names = [f"{number:06d}" for number, _ in zip(count(), sequences, strict=False)]
    return Ragged.join(names, sequences)


def sequence(rng: np.random.Generator, length: int, vocabulary: int) -> np.ndarray:
    """BOS, `length` random symbols, EOS; int64 [length + 2]."""
    return np.concatenate([[BOS], rng.integers(FIRST, vocabulary, length), [EOS]])


def recipe(row_tokens: int, precision: str) -> TrainingConfig:
    """config.yaml's recipe with the paper's optimizer, for steps that are only timed or compared."""
    section = yaml.safe_load(Path("config.yaml").read_text(encoding="utf-8"))["lm"]
    training = parse_config(part_json(section, LMConfig)).training
    return replace(training, optimizer="adamw", row_tokens=row_tokens, precision=precision)
