"""Perplexity of texts under any causal language model of transformers."""

import re
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging

from scripts.common.weights import check_complete
from scripts.lm.model.load import DTYPES, default_device

QUANTISED = {"int8": "load_in_8bit", "int4": "load_in_4bit"}  # by bitsandbytes, on a GPU


def normalise_text(text: str) -> str:
    """Lower-case words without punctuation, as in transcripts."""
    return " ".join(re.sub(r"[^a-z' ]+", " ", text.lower()).split())


def check_quantised(precision: str) -> None:
    """ValueError if this machine lacks a package or the GPU that quantisation needs."""
    missing = [package for package in ("bitsandbytes", "accelerate") if find_spec(package) is None]
    if missing:
        raise ValueError(
            f"continuation.judge.precision: {precision} needs {' and '.join(missing)} (pip install {' '.join(missing)})"
        )
    if not torch.cuda.is_available():
        raise ValueError(f"continuation.judge.precision: {precision} needs a GPU, there is none; take fp32 or bf16")


def load(name: str, precision: str) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A judge's model and tokenizer, from a folder or the hub.

    Raises:
        ValueError: the model or a fast tokenizer (one with offsets) is missing, or quantisation is unavailable.
    """
    logging.disable_progress_bar()
    if precision in QUANTISED:
        check_quantised(precision)
    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ValueError(f"continuation.judge.source: no tokenizer at {name} ({_first_line(error)})") from None
    if not tokenizer.is_fast or not len(tokenizer):
        raise ValueError(f"continuation.judge.source: {name} holds no fast tokenizer (tokenizer.json)")
    options: dict[str, Any] = {"dtype": DTYPES.get(precision, torch.bfloat16)}
    try:
        if precision in QUANTISED:
            from transformers import BitsAndBytesConfig

            options["quantization_config"] = BitsAndBytesConfig(**{QUANTISED[precision]: True})
        model, loading = AutoModelForCausalLM.from_pretrained(name, output_loading_info=True, **options)
    except (OSError, ValueError, ImportError, RuntimeError, SafetensorError) as error:
        raise ValueError(
            f"continuation.judge.source: no causal language model at {name} ({_first_line(error)})"
        ) from None
    check_complete(f"continuation.judge.source: {name}", loading)
    if precision not in QUANTISED:
        model = model.to(default_device())
    return model.eval(), tokenizer


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def encode(tokenizer: PreTrainedTokenizerBase, context: str, text: str) -> tuple[list[int], int]:
    """(ids, number of scored ids at the end): the tokens of `context` and `text`, of which those of `text` are scored.

    BOS comes first if the tokenizer has one; otherwise the first token is not scored.
    """
    whole = f"{context} {text}" if context else text
    encoding = tokenizer(whole, add_special_tokens=False, return_offsets_mapping=True)
    ids, ends = list(encoding["input_ids"]), [end for _, end in encoding["offset_mapping"]]
    scored = sum(end > len(context) for end in ends)
    if tokenizer.bos_token_id is not None:
        ids = [tokenizer.bos_token_id, *ids]
    return ids, min(scored, len(ids) - 1)


@torch.inference_mode()
def mean_loss(
    model: PreTrainedModel, sequences: Sequence[tuple[list[int], int]], batch_tokens: int
) -> list[float | None]:
    """Mean negative log-probability, in nats, of each sequence's scored tokens; None if there are none.

    Sequences longer than the model's context are truncated on the left.
    """
    limit = getattr(model.config, "max_position_embeddings", None) or 2**31
    truncated = [(ids[-limit:], min(scored, len(ids[-limit:]) - 1)) for ids, scored in sequences]
    losses: list[float | None] = [None] * len(truncated)
    order = sorted(
        (i for i, (_, scored) in enumerate(truncated) if scored > 0), key=lambda i: (len(truncated[i][0]), i)
    )
    while order:
        size = 1
        while size < len(order) and (size + 1) * len(truncated[order[size]][0]) <= batch_tokens:
            size += 1
        batch, order = order[:size], order[size:]
        width = len(truncated[batch[-1]][0])
        ids = torch.zeros(size, width, dtype=torch.int64)
        mask = torch.zeros(size, width, dtype=torch.int64)
        for row, index in enumerate(batch):
            ids[row, : len(truncated[index][0])] = torch.tensor(truncated[index][0])
            mask[row, : len(truncated[index][0])] = 1
        ids = ids.to(model.device)
        logits = model(
            input_ids=ids, attention_mask=mask.to(model.device)
        ).logits  # [B, T, V], in the model's precision
        # Row by row: 8,192 tokens of a vocabulary of 128,000 take 4 GB in float32, and as much again as log-softmax.
        rows = [
            torch.log_softmax(row[:-1].float(), dim=-1).gather(-1, targets[1:, None])[:, 0]
            for row, targets in zip(logits, ids, strict=True)
        ]
        logp = torch.stack(rows).double().cpu()  # [B, T - 1]
        for row, index in enumerate(batch):
            end, scored = len(truncated[index][0]) - 1, truncated[index][1]
            losses[index] = -float(logp[row, end - scored : end].mean())
    return losses
