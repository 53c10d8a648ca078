"""The language model: transformers' `LlamaForCausalLM`, computed on packed utterances.

The parameters and the files are plain Llama; only the way a training step runs is ours. Sequences lie end to end in
one row, and attention stays within each: nothing attends across utterances and next to nothing is padding. The
docstring of `scripts.lm.model` says what computes the layers on which device.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM

from scripts.lm.batching.batches import Packed
from scripts.lm.config import NORM_EPS, ROPE_THETA, ModelConfig
from scripts.lm.model.attention import PACKED, parts_of
from scripts.lm.model.cpu_layers import hidden_states
from scripts.lm.model.gpu_layers import Decoder
from scripts.lm.model.loss import token_loss

HEAD_MULTIPLE = 8  # FlashAttention computes heads whose dimensions are a multiple of this


def build_model(config: ModelConfig, vocab_size: int, bos: int, eos: int, seed: int) -> LlamaForCausalLM:
    """A freshly initialised Llama, float32, whose training forward pass is packed.

    The seed draws the same weights for every modality as far as the shapes agree: the vocabulary's
    two matrices are drawn last.
    """
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocab_size,
            hidden_size=config.hidden_size,
            intermediate_size=config.intermediate_size,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            num_key_value_heads=config.kv_heads,
            max_position_embeddings=config.context,
            rms_norm_eps=NORM_EPS,
            rope_parameters={"rope_theta": ROPE_THETA, "rope_type": "default"},
            # 0.022 at TinyLlama's width, near everybody's 0.02; at the miniature's, 0.088 instead of 0.02 lowers
            # the dev loss of Text-Raw from 0.79 to 0.72 nats per character.
            initializer_range=config.hidden_size**-0.5,
            bos_token_id=bos,
            eos_token_id=eos,
            pad_token_id=None,
            tie_word_embeddings=False,
            attn_implementation=PACKED,
        )
    )
    draw_weights(model, model.config.initializer_range, seed)
    return model


def draw_weights(model: nn.Module, std: float, seed: int) -> None:
    """Draw every matrix from N(0, std), those that depend on the vocabulary last."""
    generator = torch.Generator().manual_seed(seed)
    matrices = [(name, p) for name, p in model.named_parameters() if p.dim() > 1]
    with torch.no_grad():
        for _, parameter in sorted(matrices, key=lambda item: "embed_tokens" in item[0] or "lm_head" in item[0]):
            parameter.normal_(0.0, std, generator=generator)


def prepare_for_device(model: LlamaForCausalLM, device: torch.device, compiled: bool, row_tokens: int) -> None:
    """Choose how the layers run in bf16; call it once the model is on its device.

    On a CPU there is nothing to choose. On a GPU this compiles the layers, which takes some tens of seconds, unless the
    compiler's cache on the disk holds them.

    Args:
        model: float32, on `device`.
        device: where it trains.
        compiled: whether to compile the layers; where that fails, one line says so and they run eagerly.
        row_tokens: the usual length of a row.

    Raises:
        ValueError: the attention kernel of a GPU has no variant for heads of this size.
    """
    if device.type == "cuda":
        head_dim = model.config.hidden_size // model.config.num_attention_heads
        if head_dim % HEAD_MULTIPLE:
            raise ValueError(
                f"lm.model: hidden_size / heads is {head_dim}; FlashAttention needs a multiple of {HEAD_MULTIPLE}:"
                " change one of them, or set lm.training.precision to fp32"
            )
        model.gpu_decoder = Decoder(model, compiled, row_tokens)


@contextmanager
def mixed_precision(model: LlamaForCausalLM, device: torch.device, enabled: bool) -> Iterator[None]:
    """Autocast to bf16 around the rows of one step, between which the weights do not change.

    Every weight is cast once for all of them.
    """
    with torch.autocast(device.type, torch.bfloat16, enabled=enabled):
        if enabled and device.type == "cuda":
            with _gpu_decoder(model).weights_cast_once():
                yield
        else:
            yield


def packed_logits(model: LlamaForCausalLM, packed: Packed) -> torch.Tensor:
    """Logits of every input token, [N, V], in the autocast type."""
    return model.lm_head(_last_hidden(model, packed))


def packed_loss(model: LlamaForCausalLM, packed: Packed) -> torch.Tensor:
    """Sum of the next-token losses in nats, float32 []."""
    return token_loss(model.lm_head, _last_hidden(model, packed), packed.targets)


def _last_hidden(model: LlamaForCausalLM, packed: Packed) -> torch.Tensor:
    """What the output head reads, [N, H]."""
    device = packed.inputs.device.type
    if torch.is_autocast_enabled(device):
        if device == "cpu":
            return model.model.norm(hidden_states(model, packed))
        return model.model.norm(_gpu_decoder(model).hidden_states(packed))
    return model.model(
        input_ids=packed.inputs[None],  # [1, N]
        position_ids=packed.positions[None],
        parts=parts_of(packed.sizes),
        use_cache=False,
    ).last_hidden_state[0]


def _gpu_decoder(model: LlamaForCausalLM) -> Decoder:
    if not hasattr(model, "gpu_decoder"):
        model.gpu_decoder = Decoder(model, compiled=False, row_tokens=0)
    return model.gpu_decoder
