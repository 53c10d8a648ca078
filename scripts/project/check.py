"""The configuration is refused as a whole, before any job starts, if one key of it is wrong."""

from collections.abc import Iterator, Mapping
from typing import Any

from scripts.alignment import config as alignment
from scripts.common.config import read, shown
from scripts.corpus import config as corpus
from scripts.evaluation import config as evaluation
from scripts.evaluation import dial_config
from scripts.lm import config as lm
from scripts.lm import starts
from scripts.lm.data_shares import share_models
from scripts.lm.seed_replicas import seed_replicas
from scripts.project import paths
from scripts.project.config import Configuration
from scripts.project.renamed import with_new_name
from scripts.tokens import config as tokens
from scripts.units import config as units

LONGEST_NAME = 100


def task_names(config: Mapping[str, Any]) -> list[str]:
    """Tasks of the configured corpus; those of another source do not exist."""
    corpus = config["corpus"]
    return [*corpus[corpus["source"]]["tasks"], *corpus["dev_tasks"]]


def check(config: Mapping[str, Any]) -> None:
    """Check types, ranges and names of a resolved configuration.

    Raises:
        ValueError: one line per problem: the key's path, what it is and what it must be.
    """
    read_config, problems = read(Configuration, config)
    problems = [with_new_name(line) for line in problems]
    if not problems:  # the rest reads keys that only a valid configuration has
        problems = [*_problems(read_config), *_replica_problems(config), *paths.problems(config)]
    if problems:
        raise ValueError("the configuration cannot be used:\n  " + "\n  ".join(f"config: {line}" for line in problems))


def _problems(config: Configuration) -> Iterator[str]:
    """Keys that are well-formed one by one and wrong together, a line each."""
    yield from _name_problems(config)
    yield from corpus.problems(config.corpus)
    yield from alignment.problems(config.alignment)
    yield from units.problems(config.units)
    yield from tokens.problems(config.modalities, config.units.frame_rate)
    yield from lm.problems(config.lm)
    yield from starts.problems(config.modalities, config.lm.model)
    yield from evaluation.problems(config.evaluation, config.modalities, config.corpus.tasks)
    yield from _factor_problems(config)
    factors = [factor.name for factor in config.factors]
    yield from dial_config.problems(config.crossings, config.ladders, config.dials, config.modalities, factors)
    yield from _continuation_problems(config)
    yield from _length_problems(config)


def _name_problems(config: Configuration) -> Iterator[str]:
    """Names of experiments that are too long for a folder beside which others stand with an ending."""
    others = [(f"compare.with[{number}]", name) for number, name in enumerate(config.compare.with_)]
    for key, name in [("name", config.name), ("share.with", config.share.with_ or ""), *others]:
        if len(name) > LONGEST_NAME:
            yield f"{key} has {len(name)} characters; it must have at most {LONGEST_NAME}, since a folder has this name"
    if config.name in config.compare.with_:
        yield f"compare.with holds {config.name!r}, this experiment's own name; name other experiments alone"


def _factor_problems(config: Configuration) -> Iterator[str]:
    for number, factor in enumerate(config.factors):
        for end, modality in (("from", factor.from_), ("to", factor.to)):
            if modality not in config.modalities:
                known = ", ".join(config.modalities)
                yield f"factors[{number}].{end} names unknown modality {shown(modality)}; known: {known}"


def _continuation_problems(config: Configuration) -> Iterator[str]:
    """Stages that continuation needs and that this configuration does without."""
    prompts = config.continuation.prompts
    if not prompts:
        return
    if config.continuation.recogniser == "kaldi":
        for key in ("external", "triphone"):
            if getattr(config.alignment, key) is not None:
                yield (
                    f"alignment.{key} is set, but continuation.recogniser kaldi needs monophones trained"
                    " here: name a Whisper, or set continuation.prompts to 0"
                )
    made = [f"modalities.{name}.external" for name, line in config.modalities.items() if line.source == "tokens"]
    made += [f"units.{key}" for key in ("external", "command") if getattr(config.units, key) is not None]
    if made:
        yield (
            f"continuation.prompts is {prompts}; with {made[0]} it must be 0:"
            " prompts cannot be encoded by what is not here"
        )


def _length_problems(config: Configuration) -> Iterator[str]:
    """Modalities whose longest cut is longer than the models' context."""
    seconds, context = config.corpus.max_seconds, config.lm.model.context
    for name, modality in config.modalities.items():
        needed = int(seconds * (modality.frame_rate or 0)) + 2
        if modality.source != "tokens" and needed > context:
            yield (
                f"lm.model.context is {context}; {name} has {needed} tokens in a cut of"
                f" corpus.max_seconds = {seconds}, BOS and EOS among them: widen the one or shorten the other"
            )


def _replica_problems(config: Mapping[str, Any]) -> Iterator[str]:
    """Further training seeds that are not further, and modalities with the name of another seed's or share's model."""
    if config["seed"] in config["seeds"]:
        yield f"seeds holds seed = {config['seed']}; name further seeds only"
    for name in seed_replicas(config):
        if name in config["modalities"]:
            yield f"modalities.{name} has the name that `seeds` gives a seed replica; rename it"
    for name in share_models(config):
        if name in config["modalities"]:
            yield f"modalities.{name} has the name that `lm.data_shares` gives a model; rename it"
