"""Log-probability of token sequences under a causal language model, exact and fast on one thread.

log p(sequence) = sum over t >= 1 of log p(token_t | tokens before t): every token after BOS counts, EOS
included, so a sequence is scored as a whole and sequences of all lengths compete in one distribution.
The model runs in fp32. Three things make it fast, and none changes a score: equal sequences are scored
once (which also makes their tie exact), sequences that share a long beginning share its forward pass
through the key-value cache, and the rest run in batches of similar length. Batches are padded on the
right, where a causal model cannot see, so no attention mask is needed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel
from transformers.utils import logging

from scripts.common import cpu
from scripts.common.progress import Progress

SHARED_PREFIX = 128  # tokens two sequences must share before the cache is worth a second pass

Sequences = Mapping[str, np.ndarray]
Maps = Sequence[Callable[[torch.Tensor], torch.Tensor]]  # [B, T, H] to [B, T, H], one per layer
Reader = Callable[[torch.Tensor], torch.Tensor]  # hidden states [B, T, H] to logits [B, T, V]


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
    if loading["missing_keys"]:
        raise ValueError(
            f"{folder}: the weights lack {sorted(loading['missing_keys'])[0]} and"
            f" {len(loading['missing_keys']) - 1} more that config.json asks for; train the model again"
        )
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


def score_layers(
    model: PreTrainedModel, sequences: Sequences, batch_tokens: int, name: str, maps: Maps = ()
) -> dict[str, np.ndarray]:
    """Log-probability of each sequence by every layer, float64 [1 + layers]; entry 0 reads the embeddings.

    A layer's hidden state goes through the model's own final norm and output head (the "logit lens",
    nostalgebraist 2020), after the layer's map of `maps` if there are any (one for every entry but the last); the
    last entry equals `score`. Other arguments and errors as for `score`.
    """
    if not hasattr(model.base_model, "norm"):
        raise ValueError(f"{name}: {type(model).__name__} has no final norm `base_model.norm` to project layers with")
    count = model.config.num_hidden_layers
    if maps and len(maps) != count:
        raise ValueError(f"{name}: {len(maps)} maps were given for {count} layers; one each but for the last is right")
    norm, head = model.base_model.norm, model.get_output_embeddings()

    def reader(change: Reader | None) -> Reader:
        return lambda hidden: head(norm(change(hidden) if change else hidden))

    changes: list[Reader | None] = [*maps] if maps else [None for _ in range(count)]
    readers = [reader(change) for change in changes]
    return _score(model, sequences, batch_tokens, name, [*readers, head])  # the last state is already normed


@torch.inference_mode()
def _score(
    model: PreTrainedModel, sequences: Sequences, batch_tokens: int, name: str, readers: list[Reader]
) -> dict[str, np.ndarray]:
    _check(model, sequences, name)
    keys = {key: np.asarray(ids, dtype=np.int64).tobytes() for key, ids in sequences.items()}
    unique = [np.frombuffer(text, dtype=np.int64) for text in set(keys.values())]
    unique.sort(key=np.ndarray.tolist)  # sequences that share a beginning become neighbours
    progress, done = Progress(name, sum(map(len, unique)), "tokens"), 0
    totals: dict[bytes, np.ndarray] = {}
    for group, shared in _batches(unique, batch_tokens):
        for ids, total in zip(group, _score_batch(model, group, shared, readers), strict=True):
            totals[ids.tobytes()] = total
        done += sum(map(len, group))
        progress.update(done)
    scores = {key: totals[text] for key, text in keys.items()}
    for key, total in scores.items():
        if not np.isfinite(total).all():
            raise ValueError(f"{name}: {key}: the log-probability is {total.min()}; the model is damaged or diverged")
    return scores


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


def _batches(ordered: list[np.ndarray], batch_tokens: int) -> Iterator[tuple[list[np.ndarray], int]]:
    """Groups of sequences with the length of the beginning that they share and that is passed once."""
    rest = []
    for group, shared in _families(ordered, batch_tokens):
        if shared:
            yield group, shared
        else:
            rest += group
    rest.sort(key=len)
    batch: list[np.ndarray] = []
    for ids in rest:
        if batch and (len(batch) + 1) * len(ids) > batch_tokens:
            yield batch, 0
            batch = []
        batch.append(ids)
    if batch:
        yield batch, 0


def _families(ordered: list[np.ndarray], batch_tokens: int) -> Iterator[tuple[list[np.ndarray], int]]:
    """Neighbours with a common beginning of SHARED_PREFIX tokens or more, and its length; alone: 0."""
    family: list[np.ndarray] = []
    shared = 0
    for ids in ordered:
        if family:
            common = _common_prefix(family[-1], ids)
            longest = max(map(len, [*family, ids]))
            # A beginning much shorter than the family's own would undo what its members share already.
            if common >= max(SHARED_PREFIX, shared // 2) and (len(family) + 1) * longest <= batch_tokens:
                shared = min(shared or common, common)
                family.append(ids)
                continue
            yield family, shared
        family, shared = [ids], 0
    if family:
        yield family, shared


def _common_prefix(a: np.ndarray, b: np.ndarray) -> int:
    """Tokens both begin with; at most one less than either has, as the last is only ever predicted."""
    limit = min(len(a), len(b)) - 1
    differs = np.flatnonzero(a[:limit] != b[:limit])
    return int(differs[0]) if len(differs) else limit


def _score_batch(model: PreTrainedModel, group: list[np.ndarray], shared: int, readers: list[Reader]) -> np.ndarray:
    """Totals of sequences whose first `shared` tokens are the same; float64 [B, 1 or 1 + layers]."""
    if not shared:
        logp, _ = _logp(model, _pad([ids[:-1] for ids in group]), _pad([ids[1:] for ids in group]), readers)
        return _sum(logp, [len(ids) - 1 for ids in group])
    beginning = group[0][:shared]
    # The beginning predicts its own tokens, all but the first; its last state is passed again below.
    before, cache = _logp(model, _pad([beginning[:-1]]), _pad([beginning[1:]]), readers, use_cache=True)
    cache.batch_repeat_interleave(len(group))
    inputs, targets = [ids[shared - 1 : -1] for ids in group], [ids[shared:] for ids in group]
    after, _ = _logp(model, _pad(inputs), _pad(targets), readers, past_key_values=cache, use_cache=True)
    return _sum(before, [shared - 1]) + _sum(after, list(map(len, targets)))


def _logp(
    model: PreTrainedModel, inputs: torch.Tensor, targets: torch.Tensor, readers: list[Reader], **options: Any
) -> tuple[torch.Tensor, Any]:
    """Log-probability of each target [B, T] by the head, or by every layer, float64 [B, T, L], and the cache."""
    inputs, targets = inputs.to(model.device), targets.to(model.device)
    output = model(input_ids=inputs, output_hidden_states=bool(readers), **{"use_cache": False, **options})
    if readers:
        logp = [_pick(read(hidden), targets) for read, hidden in zip(readers, output.hidden_states, strict=True)]
    else:
        logp = [_pick(output.logits, targets)]
    return torch.stack(logp, dim=-1), output.past_key_values


def _pick(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Log-probability of targets [B, T] under logits [B, T, V]; float64 [B, T]."""
    return torch.log_softmax(logits, dim=-1).gather(-1, targets[..., None])[..., 0].double()


def _pad(sequences: list[np.ndarray]) -> torch.Tensor:
    """int64 [B, T], zeros on the right."""
    padded = torch.zeros(len(sequences), max(map(len, sequences)), dtype=torch.int64)
    for row, ids in zip(padded, sequences, strict=True):
        row[: len(ids)] = torch.from_numpy(ids.copy())
    return padded


def _sum(logp: torch.Tensor, lengths: list[int]) -> np.ndarray:
    """Sum over each row's own tokens; [B, T, L] -> float64 [B, L]."""
    inside = torch.arange(logp.shape[1])[None, :] < torch.tensor(lengths)[:, None]  # [B, T]
    return logp.cpu().masked_fill(~inside[..., None], 0.0).sum(dim=1).numpy()
