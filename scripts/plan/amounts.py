"""Hours, utterances, tasks, tokens and model sizes of a run, from the configuration.

Only the configuration is read, with the sizes and rates of its section `plan`.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from scripts.continuation.spoken import why_left_out
from scripts.corpus.speech.config import NextUtterance
from scripts.tokens.config import RUN_LENGTHS
from scripts.tokens.modality import Modality, from_config
from scripts.tokens.phone_variants import inventory as variants_of
from scripts.tokens.speakers import MOST as MOST_SPEAKERS
from scripts.tokens.speakers import Speakers

# Hours of LibriHeavy's manifests. Published are 509, 5,042 and 50,794 h (Kang et al. 2023, arXiv:2309.08105) of subsets
# that hold one another: "large subset=large + medium + small" (README of k2-fsa/libriheavy). The manifests are
# disjoint, so a part has the difference.
LIBRIHEAVY_HOURS = {
    "small": 509.0,
    "medium": 5042.0 - 509.0,
    "large": 50794.0 - 5042.0,
    "dev": 22.3,
    "test-clean": 10.5,
    "test-other": 11.5,
}
# Hours of LibriSpeech's subsets as published (Panayotov et al. 2015, Table 1); the first two, Mini LibriSpeech's, by
# the size of their archives.
LIBRISPEECH_HOURS = {
    "train-clean-5": 5.3,
    "dev-clean-2": 2.0,
    "train-clean-100": 100.6,
    "train-clean-360": 363.6,
    "train-other-500": 496.7,
    "dev-clean": 5.4,
    "dev-other": 5.3,
    "test-clean": 5.4,
    "test-other": 5.1,
}
# Number of the world's isolated words by lexicon, and their mean duration, measured in the miniature.
ISOLATED_WORDS, ISOLATED_WORD_SECONDS = {"small": 485, "full": 1100}, 0.55
PUBLISHED_HOURS = {"libriheavy": LIBRIHEAVY_HOURS, "librispeech": LIBRISPEECH_HOURS}
SYMBOLS = 80  # vocabulary of a tokenizer whose size depends on the data: the paper's Table 2
SPECIAL = 3  # <unk>, <s>, </s>


class TaskSize(NamedTuple):
    """Number of utterances of a task, and their mean duration in seconds."""

    sides: int
    seconds: float


def split_hours(config: Mapping[str, Any]) -> dict[str, float]:
    """Hours of speech of train and dev.

    Raises:
        ValueError: the hours of the corpus are unknown, and `plan.hours` is not set.
    """
    corpus, configured = config["corpus"], config["plan"]["hours"]
    if corpus["source"] == "world":
        known = dict(corpus["world"]["hours"])
        known["train"] += num_isolated_words(config) * ISOLATED_WORD_SECONDS / 3600
    elif corpus["source"] in PUBLISHED_HOURS:
        known = _published_hours(corpus[corpus["source"]], PUBLISHED_HOURS[corpus["source"]])
    else:
        known = {}
    hours = {split: known.get(split) if configured[split] is None else configured[split] for split in ("train", "dev")}
    for split, value in hours.items():
        if value is None:
            raise ValueError(
                f"config: plan.hours.{split} is not set; the hours of corpus.source {corpus['source']} are unknown"
            )
    return {split: float(value) for split, value in hours.items() if value is not None}


def _published_hours(section: Mapping[str, Any], hours: Mapping[str, float]) -> dict[str, float]:
    """Hours of both splits by their parts' published hours; empty if a part is not a published one."""
    if not {*section["train"], *section["dev"]} <= set(hours):
        return {}
    known = {split: sum(hours[part] for part in section[split]) for split in ("train", "dev")}
    if not section["dev"]:
        known["dev"] = known["train"] * section["held_out"]
        known["train"] -= known["dev"]
    return known


def num_isolated_words(config: Mapping[str, Any]) -> int:
    """Number of utterances of isolated words in train."""
    corpus, world = config["corpus"], config["corpus"]["world"]
    return ISOLATED_WORDS[world["lexicon"]] * world["isolated_words"] if corpus["source"] == "world" else 0


def task_sizes(config: Mapping[str, Any]) -> dict[str, TaskSize]:
    """Size of every task of the corpus, both sides counted.

    Raises:
        ValueError: `plan.tasks` lacks a task, or its number of utterances.
    """
    source = config["corpus"]["source"]
    sizes = {}
    for name, task in config["corpus"][source]["tasks"].items():
        known = config["plan"]["tasks"].get(name)
        if known is None:
            raise ValueError(
                f"config: plan.tasks.{name} is missing; the plan needs its number of utterances and their duration"
            )
        sides = known["sides"]
        if sides is None and source == "world":
            sides = 2 * task["pairs"] * task["voices"]
        if sides is None:
            raise ValueError(f"config: plan.tasks.{name}.sides is not set; it is known for tasks of the world only")
        sizes[name] = TaskSize(sides, known["seconds"])
    for name, task in config["corpus"]["dev_tasks"].items():
        seconds = (task.get("context", NextUtterance.context) + 1) * config["plan"]["utterance_seconds"]
        sizes[name] = TaskSize(2 * task["pairs"], min(seconds, config["corpus"]["max_seconds"]))
    return sizes


def tokens_per_second(config: Mapping[str, Any], modality: str) -> float:
    """Tokens per second of speech, without <s> and </s>. For a bpe over frames, merges are ignored."""
    definition, plan = definition_of(config, modality), config["plan"]
    rate = float(plan["symbols_per_second"][definition.alphabet])
    if isinstance(definition.durations, int):
        return rate * definition.durations
    if definition.frame_rate:
        runs = min(rate, definition.frame_rate)
        return {"keep": float(definition.frame_rate), "drop": runs, "count": 2 * runs}[definition.repeats]
    return rate / plan["symbols_per_bpe"][definition.source] if definition.tokenizer == "bpe" else rate


def vocabulary(config: Mapping[str, Any], modality: str) -> int:
    """Size of a modality's vocabulary, special tokens included."""
    definition = definition_of(config, modality)
    if definition.alphabet == "units" and definition.tokenizer == "symbol":
        return config["units"]["clusters"] + SPECIAL + len(RUN_LENGTHS) * (definition.repeats == "count")
    world = config["corpus"]["source"] == "world"
    speakers = Speakers(tuple(map(str, range(config["corpus"]["world"]["speakers"] if world else MOST_SPEAKERS))))
    symbols = SYMBOLS * len(variants_of([""], definition.variants, speakers))
    return config["modalities"][modality].get("vocab_size", symbols + SPECIAL)


def definition_of(config: Mapping[str, Any], modality: str) -> Modality:
    """The modality of this name."""
    return from_config(modality, config["modalities"][modality], config["tokens"], config["seed"])


def left_out(config: Mapping[str, Any]) -> dict[str, str]:
    """Modalities that are not continued, each with the reason."""
    made_here = config["units"]["external"] is None and config["units"]["command"] is None
    reasons = {
        name: why_left_out(definition_of(config, name), units_made_here=made_here) for name in config["modalities"]
    }
    return {name: reason for name, reason in reasons.items() if reason}


def parameters(model: Mapping[str, int], vocab: int) -> int:
    """Parameters of a Llama without biases: two vocabulary matrices, attention, SwiGLU and norms."""
    width = model["hidden_size"]
    attention = 2 * width * width + 2 * width * width * model["kv_heads"] // model["heads"]
    layer = attention + 3 * width * model["intermediate_size"] + 2 * width
    return 2 * vocab * width + model["layers"] * layer + width


def forward_flops(model: Mapping[str, int], vocab: int, length: float) -> float:
    """Floating-point operations of one token's forward pass; training takes three times as many.

    2 per parameter of a matrix product (not of the embedding), and attention over `length` tokens: Chowdhery et al.
    2022 (arXiv:2204.02311), appendix B, whose 6N + 12LHQT is the whole training step.
    """
    product_parameters = parameters(model, vocab) - vocab * model["hidden_size"]
    return 2.0 * product_parameters + 4.0 * model["layers"] * model["hidden_size"] * length


class Amounts:
    """The amounts from which the costs are computed.

    Attributes:
        hours: hours of train and dev.
        utterances: number of utterances of train and dev.
        tasks: size of every task.
        rates: tokens per second of every modality.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config
        self.hours = split_hours(config)
        isolated, mean = {"train": num_isolated_words(config), "dev": 0}, config["plan"]["utterance_seconds"]
        self.utterances = {
            split: isolated[split] + math.ceil((hours * 3600 - isolated[split] * ISOLATED_WORD_SECONDS) / mean)
            for split, hours in self.hours.items()
        }
        self.tasks = task_sizes(config)
        self.rates = {name: tokens_per_second(config, name) for name in config["modalities"]}

    @property
    def seconds(self) -> float:
        """Seconds of both splits."""
        return 3600 * sum(self.hours.values())

    @property
    def task_seconds(self) -> float:
        """Seconds of all tasks."""
        return sum(size.sides * size.seconds for size in self.tasks.values())

    @property
    def task_sides(self) -> int:
        """Utterances of all tasks."""
        return sum(size.sides for size in self.tasks.values())

    @property
    def speech(self) -> float:
        """Seconds of both splits and all tasks."""
        return self.seconds + self.task_seconds

    def tokens(self, modality: str, split: str) -> float:
        """Tokens of a split, without <s> and </s>."""
        return self.hours[split] * 3600 * self.rates[modality]

    def task_tokens(self, modality: str) -> float:
        """Tokens of all tasks, </s> included, since it is predicted."""
        return self.task_seconds * self.rates[modality] + self.task_sides

    def parameters(self, modality: str) -> int:
        """Parameters of a modality's model."""
        return parameters(self.config["lm"]["model"], vocabulary(self.config, modality))

    def forward_flops(self, modality: str) -> float:
        """Operations of one token's forward pass in an utterance of mean length."""
        length = self.config["plan"]["utterance_seconds"] * self.rates[modality]
        return forward_flops(self.config["lm"]["model"], vocabulary(self.config, modality), length)
