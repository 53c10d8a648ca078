"""Log-probability of token sequences under a causal language model, exact and fast on one thread.

log p(sequence) = sum over t >= 1 of log p(token_t | tokens before t), over every token after BOS, EOS included, so
sequences of all lengths are scored under one distribution. Three optimisations leave the scores unchanged: equal
sequences are scored once (so their ties are exact), sequences with a long common prefix share its forward pass, and
sequences are packed, sorted by length, without padding (packing.py). precision.py sets the precision of matrix
products.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice

import numpy as np
import torch
from transformers import PreTrainedModel

from scripts.common.progress import Progress
from scripts.evaluation.packing import Row, rows
from scripts.evaluation.precision import decoder_products, float32_products
from scripts.lm.model.attention import PACKED, attention_masks

Sequences = Mapping[str, np.ndarray]
Maps = Sequence[Callable[[torch.Tensor], torch.Tensor]]  # [..., H] to [..., H], one per layer
LogitReader = tuple[int, Callable[[torch.Tensor], torch.Tensor]]  # a layer, and its hidden states [1, N, H] to logits

# Rows per copy from device to host: the host prepares the next rows while a GPU computes, and synchronises with it once
# in this many rows.
ROWS_PER_COPY = 8


def score(
    model: PreTrainedModel, sequences: Sequences, batch_tokens: int, name: str, precision: str = "fp32"
) -> dict[str, float]:
    """Log-probability of each sequence in nats.

    Args:
        model: a causal language model of the lm stage in float32 (`scripts.lm.model.load`), on any device.
        sequences: id -> ids [T], BOS ... EOS.
        batch_tokens: maximum number of tokens of a forward pass.
        name: the model's name ("phone-raw"), for messages.
        precision: fp32, tf32 or bf16, of the matrix products (`resolve_precision`).

    Raises:
        ValueError: gives `name` and the sequence, if it has fewer than two tokens, a token outside the
            vocabulary, more tokens than the model's context, or a log-probability that is not finite.
    """
    sums = _logprobs(model, sequences, batch_tokens, name, _last_layer(model), precision, _sum_over_tokens)
    return {key: float(value[0]) for key, value in sums.items()}


def score_tokens(
    model: PreTrainedModel, sequences: Sequences, batch_tokens: int, name: str, precision: str = "fp32"
) -> dict[str, np.ndarray]:
    """Log-probability of each token but the first of each sequence, float64 [T - 1]; otherwise as `score`."""
    logprobs = _logprobs(model, sequences, batch_tokens, name, _last_layer(model), precision, lambda each: each)
    return {key: value[:, 0] for key, value in logprobs.items()}


def score_layers(
    model: PreTrainedModel,
    sequences: Sequences,
    batch_tokens: int,
    name: str,
    maps: Maps = (),
    precision: str = "fp32",
) -> dict[str, np.ndarray]:
    """The first column of `score_layers_and_eos`: the log-probability of each sequence by every layer."""
    both = score_layers_and_eos(model, sequences, batch_tokens, name, maps, precision)
    return {key: value[:, 0] for key, value in both.items()}


def score_layers_and_eos(
    model: PreTrainedModel,
    sequences: Sequences,
    batch_tokens: int,
    name: str,
    maps: Maps = (),
    precision: str = "fp32",
) -> dict[str, np.ndarray]:
    """Log-probability of each sequence and of its last token by every layer, float64 [1 + layers, 2].

    Entry 0 is of the embeddings.

    A layer's hidden states are passed through the model's final norm and output head (the "logit lens",
    nostalgebraist 2020); the last entry equals `score`. With `maps`, one for every layer but the last, as many entries
    follow, [1 + 2 layers, 2]: the same states with the layer's map applied before norm and head. One forward pass
    computes all entries. Other arguments and errors as for `score`.
    """
    if not hasattr(model.base_model, "norm"):
        raise ValueError(f"{name}: {type(model).__name__} has no final norm `base_model.norm` to project layers with")
    count = model.config.num_hidden_layers
    if maps and len(maps) != count:
        raise ValueError(f"{name}: {len(maps)} maps were given for {count} layers; expected {count}")
    norm, head = model.base_model.norm, model.get_output_embeddings()

    def mapped_reader(change: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[torch.Tensor], torch.Tensor]:
        return lambda hidden: head(norm(change(hidden)))

    plain: list[LogitReader] = [(layer, lambda hidden: head(norm(hidden))) for layer in range(count)]
    mapped: list[LogitReader] = [(layer, mapped_reader(change)) for layer, change in enumerate(maps)]
    readers = [*plain, *_last_layer(model), *mapped]
    return _logprobs(model, sequences, batch_tokens, name, readers, precision, _sum_and_last)


def _sum_over_tokens(logp: np.ndarray) -> np.ndarray:
    return logp.sum(axis=0)


def _sum_and_last(logp: np.ndarray) -> np.ndarray:
    return np.stack([logp.sum(axis=0), logp[-1]], axis=1)


def _last_layer(model: PreTrainedModel) -> list[LogitReader]:
    return [(model.config.num_hidden_layers, model.get_output_embeddings())]  # these states have passed the final norm


@torch.inference_mode()
def _logprobs(
    model: PreTrainedModel,
    sequences: Sequences,
    batch_tokens: int,
    name: str,
    readers: list[LogitReader],
    precision: str,
    reduce: Callable[[np.ndarray], np.ndarray],
) -> dict[str, np.ndarray]:
    """`reduce` of the log-probabilities of all but the first token of a sequence by each reader, float64 [T - 1, L]."""
    _check(model, sequences, name)
    # Big-endian bytes sort like the sequences: sequences with a common prefix become neighbours.
    keys = {key: np.asarray(ids).astype(">u4").tobytes() for key, ids in sequences.items()}
    unique = [np.frombuffer(text, dtype=">u4") for text in sorted(set(keys.values()))]
    progress, done = Progress(name, sum(map(len, unique)), "tokens"), 0
    by_sequence: dict[bytes, np.ndarray] = {}
    remaining_rows = rows(unique, batch_tokens)
    with _packed_attention_enabled(model), float32_products(precision):
        while batch := list(islice(remaining_rows, ROWS_PER_COPY)):
            logp = torch.cat([_row_logprobs(model, row, readers, precision) for row in batch]).cpu().numpy()  # [N, L]
            start = 0
            for row in batch:
                row_logp = logp[start : start + len(row.inputs)]
                for ids, (prefix, rest) in zip(row.sequences, row.spans, strict=True):
                    by_sequence[ids.tobytes()] = reduce(np.concatenate([row_logp[prefix], row_logp[rest]]))
                start += len(row.inputs)
                done += sum(map(len, row.sequences))
            progress.update(done)
    logprobs = {key: by_sequence[text] for key, text in keys.items()}
    for key, value in logprobs.items():
        if not np.isfinite(value).all():
            raise ValueError(f"{name}: {key}: the log-probability is {value.min()}; the model is damaged or diverged")
    return logprobs


@contextmanager
def _packed_attention_enabled(model: PreTrainedModel) -> Iterator[None]:
    """Use packed attention in the model inside this context."""
    before = model.config._attn_implementation
    model.set_attn_implementation(PACKED)
    try:
        yield
    finally:
        model.set_attn_implementation(before)


def _row_logprobs(model: PreTrainedModel, row: Row, readers: list[LogitReader], precision: str) -> torch.Tensor:
    """Log-probability of each target of a row by each reader, float64 [N, L] on the model's device."""
    device = model.device
    ids = torch.stack([row.inputs, row.positions, row.targets])  # [3, N], one copy for the three
    ids = (ids.pin_memory() if device.type == "cuda" else ids).to(device, non_blocking=True)
    inputs, positions, targets = ids[:, None]  # [1, N] each
    with decoder_products(precision, device):
        output = model.base_model(
            input_ids=inputs,
            position_ids=positions,
            parts=row.parts,
            masks=attention_masks(row.parts, torch.bfloat16 if precision == "bf16" else torch.float32, device),
            output_hidden_states=len(readers) > 1,
            use_cache=False,
        )
    hidden_states = output.hidden_states or {model.config.num_hidden_layers: output.last_hidden_state}
    return torch.stack([_target_logprobs(read(hidden_states[layer]), targets) for layer, read in readers], dim=-1)[0]


def _target_logprobs(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Log-probability of targets [B, T] under float32 logits [B, T, V]; float64 [B, T]."""
    return (logits.gather(-1, targets[..., None])[..., 0] - logits.logsumexp(dim=-1)).double()


def _check(model: PreTrainedModel, sequences: Sequences, name: str) -> None:
    context, vocabulary = model.config.max_position_embeddings, model.config.vocab_size
    for key, ids in sequences.items():
        if len(ids) < 2:
            raise ValueError(f"{name}: {key}: has {len(ids)} tokens; a sequence is BOS ... EOS, at least 2")
        if len(ids) > context:
            raise ValueError(
                f"{name}: {key}: has {len(ids)} tokens, the model's context is {context}; raise lm.model.context"
            )
        if np.max(ids) >= vocabulary:
            raise ValueError(
                f"{name}: {key}: token {np.max(ids)} is outside the model's vocabulary of {vocabulary};"
                " tokens and model do not match"
            )
