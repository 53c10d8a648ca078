"""The configuration is refused as a whole, before any job starts, if one key of it is wrong."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scripts.lm.seed_replicas import seed_replicas
from scripts.units.config import POSITION_GROUPS

MOST_TOKENS = 2**16 - 4  # of a modality that brings its own, as uint16 beside three special ones
SCHEMA = Path("workflow/schemas/config.schema.yaml")


def task_names(config: Mapping[str, Any]) -> list[str]:
    """Tasks of the configured corpus; those of another source do not exist."""
    corpus = config["corpus"]
    return list(corpus[corpus["source"]]["tasks"])


def check(config: Mapping[str, Any], schema: Path = SCHEMA) -> None:
    """Check types, ranges and names of a resolved configuration.

    Raises:
        ValueError: one line per problem: the key's path, what it is and what it must be.
    """
    import yaml

    rules = yaml.safe_load(schema.read_text(encoding="utf-8"))
    problems = [*_schema_problems(config, rules)]
    if not problems:  # the rest reads keys that only a valid configuration has
        problems = [*_reference_problems(config)]
    if problems:
        raise ValueError("the configuration cannot be used:\n  " + "\n  ".join(problems))


def _schema_problems(config: Mapping[str, Any], rules: Mapping[str, Any]) -> Iterator[str]:
    from jsonschema import Draft202012Validator

    errors = Draft202012Validator(rules).iter_errors(config)
    for error in sorted(errors, key=lambda e: [str(part) for part in e.absolute_path]):
        path = ".".join(str(part) for part in error.absolute_path)
        if error.validator == "additionalProperties":
            known = ", ".join(error.schema.get("properties", {}))
            for key in re.findall(r"'([^']+)'", error.message.split("(")[-1]):
                yield f"config: {path + '.' if path else ''}{key} is not a known key; known here: {known}"
        elif error.validator == "required":
            missing = error.message.split("'")[1]
            yield f"config: {path + '.' if path else ''}{missing} is missing"
        else:
            wanted = _in_words(error.validator, error.validator_value)
            note = error.schema.get("description")
            yield f"config: {path} is {error.instance!r}; it must {wanted}" + (f" ({note})" if note else "")


def _in_words(validator: str, value: Any) -> str:
    words = {
        "type": "be of type " + (" or ".join(value) if isinstance(value, list) else str(value)),
        "minimum": f"be at least {value}",
        "maximum": f"be at most {value}",
        "exclusiveMinimum": f"be greater than {value}",
        "exclusiveMaximum": f"be less than {value}",
        "enum": "be one of " + ", ".join(map(str, value)) if isinstance(value, list) else "",
        "pattern": f"match {value}",
        "multipleOf": f"be a multiple of {value}",
        "minItems": f"have at least {value} items",
        "maxItems": f"have at most {value} items",
        "minProperties": f"have at least {value} entries",
    }
    return words.get(validator, f"satisfy {validator}: {value}")


def _task_problems(tasks: Mapping[str, Any], place: str) -> Iterator[str]:
    """Published test sets whose place or half is not said, or said twice."""
    for name, task in tasks.items():
        if isinstance(task, str):
            continue
        where = f"config: {place}.{name}"
        if ("dataset" in task) == ("folder" in task):
            yield f"{where} must have either dataset (it is downloaded) or folder (it is there)"
        is_story = task["format"] == "storycloze"
        if is_story == ("split" in task):
            yield f"{where}.split " + ("is set; storycloze has no halves" if is_story else "is missing; dev or test")
        if "transcripts" in task and not is_story:
            yield f"{where}.transcripts is set; sLM21 holds its own texts"


def _reference_problems(config: Mapping[str, Any]) -> Iterator[str]:
    """Keys that are well-formed one by one and wrong together."""
    modalities = config["modalities"]
    for number, factor in enumerate(config["factors"]):
        for end in ("from", "to"):
            if factor[end] not in modalities:
                known = ", ".join(modalities)
                yield f"config: factors[{number}].{end} names unknown modality {factor[end]!r}; known: {known}"
    for name, modality in modalities.items():
        where = f"config: modalities.{name}"
        if modality["source"] == "tokens":
            yield from _external_problems(where, modality)
            continue
        if "external" in modality:
            yield f"{where}.external is set, but only source tokens is made elsewhere line by line"
        if modality["tokenizer"] == "bpe" and "vocab_size" not in modality:
            yield f"{where}.vocab_size is missing; a bpe tokenizer needs one"
        if modality["tokenizer"] != "bpe" and "vocab_size" in modality:
            yield f"{where}.vocab_size is set, but a {modality['tokenizer']} tokenizer takes its size from the data"
        if (modality["tokenizer"] == "char") != (modality["source"] == "text") and modality["tokenizer"] != "bpe":
            yield (
                f"{where}.tokenizer is {modality['tokenizer']!r};"
                " text takes bpe or char, phones and units take bpe or symbol"
            )
        rate = modality.get("frame_rate")
        if modality["source"] == "text" and rate is not None:
            yield f"{where}.frame_rate is {rate}; text has no frames"
        if modality["source"] == "units" and rate != config["units"]["frame_rate"]:
            yield f"{where}.frame_rate is {rate}; units come at units.frame_rate = {config['units']['frame_rate']}"
    continuation = config["continuation"]
    if continuation["prompts"] and continuation["recogniser"] == "kaldi":
        for key in ("external", "triphone"):
            if config["alignment"][key] is not None:
                yield (
                    f"config: alignment.{key} is set, but continuation.recogniser kaldi needs monophones trained"
                    " here: name a Whisper, or set continuation.prompts to 0"
                )
    narrow, wide = config["alignment"]["beam"]
    if narrow >= wide:
        yield f"config: alignment.beam is [{narrow}, {wide}]; the second is the wider one"
    corpus = config["corpus"]
    if corpus["min_seconds"] >= corpus["max_seconds"]:
        yield f"config: corpus.min_seconds is {corpus['min_seconds']}, not less than max_seconds"
    try:
        re.compile(f"[^{corpus['characters']}]")
    except re.error as error:
        yield f"config: corpus.characters is not the inside of a regular-expression class ({error})"
    if corpus["source"] == "manifest":
        for key in ("train", "dev", "audio_root"):
            if corpus["manifest"][key] is None:
                yield f"config: corpus.manifest.{key} is not set; corpus.source manifest needs it"
    if corpus["source"] == "folder":
        if corpus["folder"]["audio_root"] is None:
            yield "config: corpus.folder.audio_root is not set; corpus.source folder needs it"
        if corpus["folder"]["train"] == corpus["folder"]["dev"]:
            yield "config: corpus.folder.train and dev are the same folder; they must be two"
    if corpus["source"] == "libriheavy" and (
        both := set(corpus["libriheavy"]["train"]) & set(corpus["libriheavy"]["dev"])
    ):
        yield f"config: corpus.libriheavy: {min(both)} is in train and in dev; dev: [] takes speakers out of train"
    if corpus["source"] != "world":
        yield from _task_problems(corpus[corpus["source"]]["tasks"], f"corpus.{corpus['source']}.tasks")
    if corpus["source"] == "world":
        for task, options in corpus["world"]["tasks"].items():
            if options["voices"] > corpus["world"]["speakers"]:
                yield (
                    f"config: corpus.world.tasks.{task}.voices is {options['voices']},"
                    f" more than corpus.world.speakers = {corpus['world']['speakers']}"
                )
    made = [f"modalities.{name}" for name, line in modalities.items() if line["source"] == "tokens"]
    made += ["units"] if config["units"]["external"] is not None else []
    if made and config["continuation"]["prompts"] > 0:
        yield (
            f"config: continuation.prompts is {config['continuation']['prompts']};"
            f" with {made[0]}.external it must be 0: prompts cannot be encoded by what is not here"
        )
    if config["seed"] in config["seeds"]:
        yield f"config: seeds holds seed = {config['seed']}; name further seeds only"
    for name in seed_replicas(config):
        if name in modalities:
            yield f"config: modalities.{name} has the name that `seeds` gives a seed replica; rename it"
    for system, files in config["evaluation"]["foreign"].items():
        where = f"config: evaluation.foreign.{system}"
        if system in modalities:
            yield f"{where} has the name of a modality; another system needs a name of its own"
        for task in files:
            if task not in task_names(config):
                known = ", ".join(task_names(config)) or "none"
                yield f"{where}.{task} is not a task of this corpus; known: {known}"
    for task in config["evaluation"]["text_tasks"]:
        where = f"config: evaluation.text_tasks.{task}"
        if task in task_names(config):
            yield f"{where} has the name of a task of this corpus; rename it"
        if config["evaluation"]["decide_by"] == "per_second":
            yield f"{where} has no seconds; with it evaluation.decide_by is total or per_token"
    encoder = config["units"]["encoder"]
    if encoder["source"] == "pretrain":
        if config["units"]["layer"] > encoder["layers"]:
            yield f"config: units.layer is {config['units']['layer']}; the encoder has {encoder['layers']} layers"
        for layer in config["units"]["sweep"]["layers"]:
            if layer > encoder["layers"]:
                yield f"config: units.sweep.layers holds {layer}; the encoder has {encoder['layers']} layers"
        if encoder["hidden_size"] % encoder["heads"] or encoder["hidden_size"] % POSITION_GROUPS:
            yield (
                f"config: units.encoder.hidden_size is {encoder['hidden_size']};"
                f" it must be a multiple of units.encoder.heads ({encoder['heads']}) and of {POSITION_GROUPS}"
            )
    if encoder["backend"] == "fairseq" and not encoder["source"].endswith(".pt"):
        yield f"config: units.encoder.source is {encoder['source']!r}; backend fairseq needs a checkpoint, a .pt file"
    if encoder["backend"] == "transformers" and encoder["source"].endswith(".pt"):
        yield f"config: units.encoder.source is {encoder['source']!r}; a .pt file needs units.encoder.backend fairseq"
    if config["units"]["chunk_seconds"] <= 2 * config["units"]["overlap_seconds"]:
        yield (
            f"config: units.chunk_seconds is {config['units']['chunk_seconds']};"
            " it must be more than twice units.overlap_seconds"
        )
    if config["units"]["clusters"] > config["units"]["sample_frames"]:
        yield f"config: units.clusters is {config['units']['clusters']}, more than units.sample_frames"
    model = config["lm"]["model"]
    for name, modality in modalities.items():
        seconds, rate = config["corpus"]["max_seconds"], modality.get("frame_rate") or 0
        if modality["source"] != "tokens" and (needed := int(seconds * rate) + 2) > model["context"]:
            yield (
                f"config: lm.model.context is {model['context']}; {name} has {needed} tokens in a cut of"
                f" corpus.max_seconds = {seconds}, BOS and EOS among them: widen the one or shorten the other"
            )
    if model["hidden_size"] % (2 * model["heads"]) or model["heads"] % model["kv_heads"]:
        yield "config: lm.model: hidden_size must be an even multiple of heads, and heads a multiple of kv_heads"


def _external_problems(where: str, modality: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a modality of tokens that were made elsewhere."""
    for key in ("external", "vocab_size"):
        if key not in modality:
            yield f"{where}.{key} is missing; source tokens needs the folder they are in and how many different ones"
    if modality["tokenizer"] != "symbol":
        yield f"{where}.tokenizer is {modality['tokenizer']!r}; tokens made elsewhere take symbol"
    if modality.get("frame_rate") is not None:
        yield f"{where}.frame_rate is {modality['frame_rate']}; tokens made elsewhere have no frames"
    if modality.get("vocab_size", 0) > MOST_TOKENS:
        yield f"{where}.vocab_size is {modality['vocab_size']}; beside <unk>, <s> and </s> at most {MOST_TOKENS} fit"
