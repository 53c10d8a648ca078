"""Log-probability of token sequences under a causal language model, exact and fast on one thread.

log p(sequence) = sum over t >= 1 of log p(token_t | tokens before t): every token after BOS counts, EOS
included, so a sequence is scored as a whole and sequences of all lengths compete in one distribution.
The model runs in fp32. Three things make it fast, and none changes a score: equal sequences are scored
once (which also makes their tie exact), sequences that share a long beginning share its forward pass, and
the rest lie end to end, sorted by length, without padding (packing.py).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel
from transformers.utils import logging

from scripts.common import cpu
from scripts.common.progress import Progress
from scripts.common.weights import check_complete
from scripts.evaluation.packing import ATTENTION, Row, rows

Sequences = Mapping[str, np.ndarray]
Maps = Sequence[Callable[[torch.Tensor], torch.Tensor]]  # [..., H] to [..., H], one per layer
Reader = tuple[int, Callable[[torch.Tensor], torch.Tensor]]  # a layer, and its hidden states [1, N, H] to logits


def load_model(folder: str | Path, threads: int) -> PreTrainedModel:
    """The model of an AutoModelForCausalLM folder in fp32 for inference, on a GPU if there is one.

    Raises:
        OSError: the folder or its weights are missing (transformers' own message names them).
        ValueError: the weights cannot be read, or do not fill the model that config.json describes.
    """
    if not Path(folder, "config.json").exists():
        raise FileNotFoundError(f"{folder}: holds no config.json; expected a folder that save_pretrained wrote")
    cpu.prepare(threads)
    logging.disable_progress_bar()
    try:
        model, loading = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, local_files_only=True, output_loading_info=True
        )
    except SafetensorError as error:
        raise ValueError(f"{folder}: the weights cannot be read ({error}); train the model again") from None
    check_complete(f"{folder}", loading)
    return model.eval().to("cuda" if torch.cuda.is_available() else "cpu")


def untrained_model(folder: str | Path, threads: int, seed: int) -> PreTrainedModel:
    """A model of the same configuration as that of the folder, its weights drawn at random."""
    cpu.prepare(threads)
    torch.manual_seed(seed)
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    return model.eval().to("cuda" if torch.cuda.is_available() else "cpu")


def score(model: PreTrainedModel, sequences: Sequences, batch_tokens: int, name: str) -> dict[str, float]:
    """Log-probability of each sequence in nats.

    Args:
        model: causal language model that `load_model` gave.
        sequences: id -> ids [T], BOS ... EOS.
        batch_tokens: tokens per forward pass, padding included.
        name: whose scores these are ("phone-raw"), for messages.

    Raises:
        ValueError: naming `name` and the sequence, if it has fewer than two tokens, a token outside the
            vocabulary, more tokens than the model's context, or a log-probability that is not finite.
    """
    return {key: float(value[0]) for key, value in _score(model, sequences, batch_tokens, name, []).items()}


def score_tokens(model: PreTrainedModel, sequences: Sequences, batch_tokens: int, name: str) -> dict[str, np.ndarray]:
    """Log-probability of each token of each sequence but the first, float64 [T - 1]; else as `score`."""
    found = _score(model, sequences, batch_tokens, name, [], each=True)
    return {key: value[:, 0] for key, value in found.items()}


def score_layers(
    model: PreTrainedModel, sequences: Sequences, batch_tokens: int, name: str, maps: Maps = ()
) -> dict[str, np.ndarray]:
    """Log-probability of each sequence by every layer, float64 [1 + layers]; entry 0 reads the embeddings.

    A layer's hidden state goes through the model's own final norm and output head (the "logit lens",
    nostalgebraist 2020); the last entry equals `score`. Where there are `maps`, one for every layer but the last,
    as many entries follow, [1 + 2 layers]: the same states through the layer's map before norm and head. All in one
    forward pass. Other arguments and errors as for `score`.
    """
    if not hasattr(model.base_model, "norm"):
        raise ValueError(f"{name}: {type(model).__name__} has no final norm `base_model.norm` to project layers with")
    count = model.config.num_hidden_layers
    if maps and len(maps) != count:
        raise ValueError(f"{name}: {len(maps)} maps were given for {count} layers; one each but for the last is right")
    norm, head = model.base_model.norm, model.get_output_embeddings()

    def through(change: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[torch.Tensor], torch.Tensor]:
        return lambda hidden: head(norm(change(hidden)))

    plain: list[Reader] = [(layer, lambda hidden: head(norm(hidden))) for layer in range(count)]
    mapped: list[Reader] = [(layer, through(change)) for layer, change in enumerate(maps)]
    last: Reader = (count, head)  # the last state is already normed
    return _score(model, sequences, batch_tokens, name, [*plain, last, *mapped])


@torch.inference_mode()
def _score(
    model: PreTrainedModel,
    sequences: Sequences,
    batch_tokens: int,
    name: str,
    readers: list[Reader],
    *,
    each: bool = False,
) -> dict[str, np.ndarray]:
    """Log-probability of each sequence by each reader (the model itself for none), float64 [L], or of `each` token."""
    _check(model, sequences, name)
    # Big-endian bytes sort as the sequences do: those that share a beginning become neighbours.
    keys = {key: np.asarray(ids).astype(">u4").tobytes() for key, ids in sequences.items()}
    unique = [np.frombuffer(text, dtype=">u4") for text in sorted(set(keys.values()))]
    progress, done = Progress(name, sum(map(len, unique)), "tokens"), 0
    found: dict[bytes, np.ndarray] = {}
    with _packed(model):
        for row in rows(unique, batch_tokens):
            logp = _logp(model, row, readers).cpu().numpy()  # [N, L]
            for ids, (shared, own) in zip(row.sequences, row.spans, strict=True):
                tokens = np.concatenate([logp[shared], logp[own]])
                found[ids.tobytes()] = tokens if each else tokens.sum(axis=0)
            done += sum(map(len, row.sequences))
            progress.update(done)
    scores = {key: found[text] for key, text in keys.items()}
    for key, score in scores.items():
        if not np.isfinite(score).all():
            raise ValueError(f"{name}: {key}: the log-probability is {score.min()}; the model is damaged or diverged")
    return scores


@contextmanager
def _packed(model: PreTrainedModel) -> Iterator[None]:
    """The model with the attention that rows need, as long as this lasts."""
    before = model.config._attn_implementation
    model.set_attn_implementation(ATTENTION)
    try:
        yield
    finally:
        model.set_attn_implementation(before)


def _logp(model: PreTrainedModel, row: Row, readers: list[Reader]) -> torch.Tensor:
    """Log-probability of each target of a row by the head, or by every layer, float64 [N, L]."""
    inputs, positions, targets = (x[None].to(model.device) for x in (row.inputs, row.positions, row.targets))
    output = model(
        input_ids=inputs,
        position_ids=positions,
        parts=row.parts,
        output_hidden_states=bool(readers),
        use_cache=False,
    )
    if readers:
        logp = [_pick(read(output.hidden_states[layer]), targets) for layer, read in readers]
    else:
        logp = [_pick(output.logits, targets)]
    return torch.stack(logp, dim=-1)[0]


def _pick(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Log-probability of targets [B, T] under logits [B, T, V]; float64 [B, T]."""
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
                " tokens and model do not belong together"
            )
