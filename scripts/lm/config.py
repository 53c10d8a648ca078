"""The `lm` section of the configuration, checked: sizes of the language model and how it is trained.

All modalities share one `LMConfig`; only the vocabulary differs, which the tokenizer determines.
"""

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from scripts.common import cpu

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class ModelConfig:
    """Sizes of the Llama; `context` is the longest sequence in tokens, BOS and EOS included."""

    hidden_size: int
    intermediate_size: int
    layers: int
    heads: int
    kv_heads: int
    context: int


@dataclass(frozen=True)
class TrainingConfig:
    """The recipe; the meaning of each key stands in config.yaml."""

    epochs: int
    batch_utterances: int
    row_tokens: int
    learning_rate: float
    warmup_share: float
    final_learning_rate_share: float
    weight_decay: float
    betas: tuple[float, float]
    clip_norm: float
    checkpoints_in_epoch_1: int
    evaluations_per_epoch: int
    patience: int | None
    threads: int
    precision: str
    deterministic: bool


@dataclass(frozen=True)
class LMConfig:
    """The whole `lm` section."""

    model: ModelConfig
    training: TrainingConfig

    def resolved(self, device: "torch.device") -> "LMConfig":
        """The same with auto replaced by this device's precision."""
        precision = cpu.precision(self.training.precision, device)
        return replace(self, training=replace(self.training, precision=precision))

    def flat(self) -> dict[str, Any]:
        """Every value under its dotted key, e.g. "lm.model.layers": 4; JSON types only."""
        return {
            f"lm.{section}.{key}": list(value) if isinstance(value, tuple) else value
            for section, values in asdict(self).items()
            for key, value in values.items()
        }


POSITIVE = ("learning_rate", "clip_norm")
PRECISIONS = ("auto", "bf16", "fp32")
SHARES = ("warmup_share", "final_learning_rate_share")


def parse_config(text: str) -> LMConfig:
    """Read the JSON of the `lm` section.

    Raises:
        ValueError: naming the key, if one is unknown, missing, ill-typed or out of range.
    """
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"lm: the configuration is not JSON ({error.msg} at column {error.colno})") from None
    sections = {"model": ModelConfig, "training": TrainingConfig}
    _same_keys("lm", content, list(sections))
    parsed: dict[str, Any] = {}
    for name, section in sections.items():
        keys = {field.name: field.type for field in fields(section)}
        _same_keys(f"lm.{name}", content[name], list(keys))
        values = {key: _value(f"lm.{name}.{key}", key, keys[key], content[name][key]) for key in keys}
        parsed[name] = section(**values)
    config = LMConfig(**parsed)
    _fits(config.model)
    return config


def _same_keys(path: str, content: Any, expected: list[str]) -> None:
    if not isinstance(content, dict):
        raise ValueError(f"{path} is {content!r}; it must be a mapping with {', '.join(expected)}")
    for key in content:
        if key not in expected:
            raise ValueError(f"{path}.{key} is unknown; known are {', '.join(expected)}")
    for key in expected:
        if key not in content:
            raise ValueError(f"{path}.{key} is missing")


def _value(path: str, key: str, kind: Any, value: Any) -> Any:
    """The value in its proper type, or ValueError."""
    number = _is_number(value)
    if kind == int | None and value is None:
        return None
    if kind in (int, int | None):
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ValueError(f"{path} is {value!r}; it must be a positive integer{'' if kind is int else ' or null'}")
        return value
    if kind is bool:
        if not isinstance(value, bool):
            raise ValueError(f"{path} is {value!r}; it must be true or false")
        return value
    if kind is str:
        if value not in PRECISIONS:
            raise ValueError(f"{path} is {value!r}; it must be {', '.join(PRECISIONS[:-1])} or {PRECISIONS[-1]}")
        return value
    if kind is float:
        if not number or value < 0 or (key in POSITIVE and value == 0) or (key in SHARES and value > 1):
            bound = "a number from 0 to 1" if key in SHARES else "a positive number" if key in POSITIVE else "0 or more"
            raise ValueError(f"{path} is {value!r}; it must be {bound}")
        return float(value)
    if not isinstance(value, list) or len(value) != 2 or not all(_is_number(b) and 0 <= b < 1 for b in value):
        raise ValueError(f"{path} is {value!r}; it must be two numbers from 0 to below 1")
    return (float(value[0]), float(value[1]))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _fits(model: ModelConfig) -> None:
    if model.hidden_size % (2 * model.heads):
        raise ValueError(
            f"lm.model.hidden_size is {model.hidden_size}; it must be an even multiple of lm.model.heads"
            f" ({model.heads})"
        )
    if model.heads % model.kv_heads:
        raise ValueError(f"lm.model.kv_heads is {model.kv_heads}; it must divide lm.model.heads ({model.heads})")
