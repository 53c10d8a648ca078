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

NORM_EPS = 1e-5  # of RMSNorm, in every model
ROPE_THETA = 10_000.0  # base of the rotary frequencies, in every model


@dataclass(frozen=True)
class ModelConfig:
    """A LlamaForCausalLM, the same for all modalities but the vocabulary."""

    hidden_size: Annotated[int, Ge(8), Le(1_048_576)]
    """width of the transformer"""
    intermediate_size: Annotated[int, Ge(8), Le(1_048_576)]
    """width of the MLP"""
    layers: Annotated[int, Ge(1), Le(10_000)]
    """transformer layers"""
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
    """passes over the utterances, the same for all modalities"""
    batch_utterances: Annotated[int, Ge(1), Le(100_000_000)]
    """utterances per optimizer step, the same for all modalities and numbers of GPUs"""
    row_tokens: BatchTokens
    """most tokens of one forward pass of one process: bounds memory, changes only rounding"""
    optimizer: Literal["adamw", "muon"]
    """what updates the weights: adamw (the paper), or muon: Muon for the matrices of the layers, AdamW for the rest"""
    learning_rate: Annotated[float, Gt(0), Le(100)]
    """peak learning rate"""
    warmup_share: Share
    """share of all steps with linear warm-up; then cosine"""
    final_learning_rate_share: Share
    """share of the peak learning rate at which the cosine ends"""
    weight_decay: Annotated[float, Ge(0), Le(100)]
    """decoupled weight decay of the matrices of layers and output"""
    betas: tuple[Annotated[float, Ge(0), Lt(1)], Annotated[float, Ge(0), Lt(1)]]
    """AdamW's betas"""
    clip_norm: Annotated[float, Gt(0), Le(1e9)]
    """largest gradient norm"""
    checkpoints_in_epoch_1: Annotated[int, Ge(2), Le(10_000)]
    """checkpoints for the scaling figure, log-spaced in tokens from the end of warm-up on"""
    evaluations_per_epoch: Annotated[int, Ge(1), Le(1_000_000)]
    """how often the dev loss is measured, evenly over the epoch"""
    patience: Annotated[int, Ge(1), Le(1_000_000_000)] | None
    """evaluations in a row without a lower dev loss after which training ends with the best model; null: never"""
    threads: Threads
    """CPU threads; part of the result's bytes, so set here and not by --cores"""
    precision: Literal["auto", "bf16", "fp32"]
    """precision of matrix products: bf16, fp32, or auto: bf16 where the processor or GPU computes in it, else
    fp32"""
    compile: Literal["auto", "off"]
    """compilation of the decoder layers on a GPU: off, or auto: compiled, or eager with a warning where compilation
    fails"""
    deterministic: bool
    """whether the same inputs give the same bytes on a GPU too, which is slower (docs/training.md); on a CPU they
    always do"""


@dataclass(frozen=True)
class LMConfig:
    """What one language model depends on."""

    model: ModelConfig
    """sizes of the LlamaForCausalLM, the same for all modalities but the vocabulary"""
    training: TrainingConfig
    """how a model is trained"""

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
    """further models of every modality, each trained with a complete schedule on this share of train's utterances:
    [0.25, 0.5] (docs/evaluation.md)"""


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
