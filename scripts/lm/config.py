"""The `lm` section of the configuration, checked: sizes of the language model and how it is trained.

All modalities share one `LMConfig`; only the vocabulary differs, which the tokenizer determines.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from annotated_types import Ge, Gt, Le, Lt

from scripts.common import cpu
from scripts.common.bounds import BatchTokens, Share, Threads, Unique
from scripts.common.config import parse

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class ModelConfig:
    """A LlamaForCausalLM, the same for all modalities but the vocabulary."""

    hidden_size: Annotated[int, Ge(8), Le(1_048_576)]
    """width"""
    intermediate_size: Annotated[int, Ge(8), Le(1_048_576)]
    """width of the MLP"""
    layers: Annotated[int, Ge(1), Le(10_000)]
    """layers"""
    heads: Annotated[int, Ge(1), Le(65_536)]
    """attention heads"""
    kv_heads: Annotated[int, Ge(1), Le(65_536)]
    """key-value heads; fewer than heads: grouped-query attention"""
    context: Annotated[int, Ge(8), Le(16_777_216)]
    """longest sequence in tokens, BOS and EOS included; a longer utterance is an error"""


@dataclass(frozen=True)
class TrainingConfig:
    """The recipe."""

    epochs: Annotated[int, Ge(1), Le(1_000_000)]
    """passes over the utterances"""
    batch_utterances: Annotated[int, Ge(1), Le(100_000_000)]
    """utterances per optimizer step, the same for all modalities, however many GPUs share it"""
    row_tokens: BatchTokens
    """most tokens of one forward pass of one process: bounds memory, changes only rounding"""
    learning_rate: Annotated[float, Gt(0), Le(100)]
    """AdamW's peak"""
    warmup_share: Share
    """share of all steps with linear warm-up; then cosine"""
    final_learning_rate_share: Share
    """the cosine ends at this share of the peak"""
    weight_decay: Annotated[float, Ge(0), Le(100)]
    """AdamW's weight decay"""
    betas: tuple[Annotated[float, Ge(0), Lt(1)], Annotated[float, Ge(0), Lt(1)]]
    """AdamW's betas"""
    clip_norm: Annotated[float, Gt(0), Le(1e9)]
    """largest gradient norm"""
    checkpoints_in_epoch_1: Annotated[int, Ge(2), Le(10_000)]
    """checkpoints for the scaling figure, log-spaced in tokens seen, from the end of the warm-up on"""
    evaluations_per_epoch: Annotated[int, Ge(1), Le(1_000_000)]
    """how often the dev loss is measured, evenly over the epoch"""
    patience: Annotated[int, Ge(1), Le(1_000_000_000)] | None
    """end after this many evaluations without a lower dev loss and keep the best; null: never"""
    threads: Threads
    """CPU threads; part of the result's bytes, so set here and not by --cores"""
    precision: Literal["auto", "bf16", "fp32"]
    """of matrix products; auto: bf16 where the processor or GPU computes in it, else fp32"""
    compile: Literal["auto", "off"]
    """the decoder layers on a GPU; auto: compiled, or eager with one line where that fails"""
    deterministic: bool
    """true: the same bytes from the same inputs on a GPU too, slower; a CPU needs no such key"""


@dataclass(frozen=True)
class LMConfig:
    """What one language model depends on."""

    model: ModelConfig
    """sizes of the Llama"""
    training: TrainingConfig
    """the recipe"""

    def resolved(self, device: "torch.device") -> "LMConfig":
        """The same with auto replaced by this device's precision."""
        precision = cast(Literal["bf16", "fp32"], cpu.precision(self.training.precision, device))
        return replace(self, training=replace(self.training, precision=precision))

    def flat(self) -> dict[str, Any]:
        """Every value under its dotted key, e.g. "lm.model.layers": 4; JSON types only."""
        return {
            f"lm.{section}.{key}": list(value) if isinstance(value, tuple) else value
            for section, values in asdict(self).items()
            for key, value in values.items()
        }


@dataclass(frozen=True)
class LMSection(LMConfig):
    """The whole `lm` section: the language models, and which further ones are trained."""

    data_shares: Annotated[tuple[Annotated[float, Gt(0), Lt(1)], ...], Unique()]
    """further models of every modality, each trained with a complete schedule on this share of train's utterances"""


def parse_config(text: str) -> LMConfig:
    """Read the JSON of the keys of LMConfig in the `lm` section.

    Raises:
        ValueError: naming the key, if one is unknown, missing, ill-typed or out of range.
    """
    return parse(LMConfig, text, "lm", problems)


def problems(config: LMConfig) -> Iterator[str]:
    """What is wrong between keys of the section, a line each."""
    model = config.model
    if model.hidden_size % (2 * model.heads):
        yield (
            f"lm.model.hidden_size is {model.hidden_size}; it must be an even multiple of lm.model.heads"
            f" ({model.heads})"
        )
    if model.heads % model.kv_heads:
        yield f"lm.model.kv_heads is {model.kv_heads}; it must divide lm.model.heads ({model.heads})"
