"""Which model a training starts from: `modalities.<name>.init`, another modality of the run or a folder.

Notable: nothing here reads weights (scripts/lm/model/start.py does), so that a configuration is refused before any job
starts. The models of further seeds and shares of the data start from the model of the same seed or share: two models
that are compared differ in nothing else.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scripts.common.config import shown
from scripts.common.files import read_json
from scripts.lm.config import NORM_EPS, ROPE_THETA, ModelConfig
from scripts.lm.data_shares import share_models, share_name
from scripts.lm.seed_replicas import replica_name, seed_replicas
from scripts.tokens.config import ModalityEntry

ARCHITECTURE = "LlamaForCausalLM"
# Key of config.json -> key of lm.model that decides it.
SIZES = {
    "hidden_size": "hidden_size",
    "intermediate_size": "intermediate_size",
    "num_hidden_layers": "layers",
    "num_attention_heads": "heads",
    "num_key_value_heads": "kv_heads",
}


def starts(modalities: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Modality -> what its training starts from, as the configuration says it; without those that start anew."""
    return {name: line["init"] for name, line in modalities.items() if "init" in line and line["init"] is not None}


def start_of(model: str, config: Mapping[str, Any]) -> tuple[str, bool] | None:
    """What the training of a model starts from, and whether that is a model of this run; None: from random weights.

    Args:
        model: a modality, or the name of a further model of one: of another seed, or a share of the data.
        config: the checked configuration.
    """
    replica, share = seed_replicas(config).get(model), share_models(config).get(model)
    further = replica or share
    start = starts(config["modalities"]).get(further.modality if further else model)
    if start is None:
        return None
    if start not in config["modalities"]:
        return start, False
    if replica:
        return replica_name(start, replica.seed), True
    return (share_name(start, share.share) if share else start), True


def problems(modalities: Mapping[str, ModalityEntry], model: ModelConfig) -> Iterator[str]:
    """What is wrong with the modalities' keys `init`, a line each: unknown, going in circles, or of another shape."""
    given = {name: modality.init for name, modality in modalities.items() if modality.init is not None}
    for name, start in given.items():
        where = f"modalities.{name}.init"
        if start in modalities:
            path = [name]
            while (last := given.get(path[-1])) in modalities and path[-1] not in path[:-1]:
                path.append(str(last))
            if path[-1] == name and len(path) > 1:
                yield f"{where} is {shown(start)}, which starts from it in turn: {' <- '.join(path)}; break the circle"
        elif not os.path.isfile(os.path.join(start, "config.json")):  # Path.is_file raises for names that are too long
            yield (
                f"{where} is {shown(start)}, neither a modality nor the folder of a causal LM (config.json and"
                f" safetensors); known modalities: {', '.join(modalities)}"
            )
        else:
            try:
                check_shape(Path(start), model)
            except (OSError, ValueError) as error:
                yield f"{where}: {error}"


def check_shape(folder: Path, model: ModelConfig) -> None:
    """Check that the layers of the model in `folder` fit into those of `lm.model`, by its config.json.

    Raises:
        ValueError: not a LlamaForCausalLM, or one of another shape; the message names file and keys.
        OSError: there is no config.json.
    """
    file = folder / "config.json"
    about = read_json(file)
    if not isinstance(about, dict) or about.get("architectures") != [ARCHITECTURE]:
        found = about.get("architectures") if isinstance(about, dict) else about
        raise ValueError(f"{file}: architectures is {shown(found)}; layers are taken from a {ARCHITECTURE} only")
    different = [*_size_differences(about, model), *_other_differences(about, model)]
    if different:
        raise ValueError(f"{file}: {'; '.join(different)}")


def _size_differences(about: Mapping[str, Any], model: ModelConfig) -> Iterator[str]:
    for key, ours in SIZES.items():
        theirs, wanted = about.get(key), getattr(model, ours)
        if key == "num_key_value_heads" and theirs is None:
            theirs = about.get("num_attention_heads")
        if theirs != wanted:
            yield f"{key} is {shown(theirs)}, but lm.model.{ours} is {wanted}"


def _other_differences(about: Mapping[str, Any], model: ModelConfig) -> Iterator[str]:
    """What no key of `lm.model` decides: the same in every model trained here. Absent keys have Llama's defaults."""
    rope = about.get("rope_parameters") or {"rope_theta": about.get("rope_theta"), **(about.get("rope_scaling") or {})}
    rope = rope if isinstance(rope, dict) else {}
    head_dim = model.hidden_size // model.heads
    values = {
        "head_dim": (about.get("head_dim") or head_dim, head_dim),
        "hidden_act": (about.get("hidden_act", "silu"), "silu"),
        "rms_norm_eps": (about.get("rms_norm_eps", 1e-6), NORM_EPS),
        "rope_theta": (rope.get("rope_theta") or 10_000.0, ROPE_THETA),
        "rope_type": (rope.get("rope_type") or rope.get("type") or "default", "default"),
        "attention_bias": (about.get("attention_bias", False), False),
        "mlp_bias": (about.get("mlp_bias", False), False),
    }
    for key, (theirs, ours) in values.items():
        if theirs != ours:
            yield f"{key} is {shown(theirs)}, but models trained here have {ours}"
