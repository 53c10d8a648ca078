"""Sample continuations of every prompt in one modality, and write the real continuations in the same format.

The limit in seconds is the same for all modalities: for a modality with a frame rate it is converted to tokens exactly,
for others by the tokens per second of the training speech. A continuation ends with </s> or at the limit. A
continuation without tokens is kept as an empty line, which later steps count.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from scripts.common import cpu
from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.files import read_json, write_jsonl
from scripts.common.progress import Progress
from scripts.common.ragged import load_bin
from scripts.common.seeds import generator
from scripts.continuation.config import Sampling
from scripts.continuation.continuations import Continuation, continuation_line, load_tokenizer
from scripts.continuation.select_prompts import PROMPT, REAL
from scripts.continuation.token_sampling import LIMIT, Request, continue_all
from scripts.lm.model.load import DTYPES, load_model
from scripts.tokens.span_encoder import UNKNOWN


def token_limit(stats: dict, seconds: float) -> int:
    """The maximum number of tokens of a continuation of `seconds` in a modality."""
    rate = stats["frame_rate"] or stats["splits"]["train"]["tokens_per_second"]
    return max(1, round(seconds * rate))


def split_tokens(path: Path, listed: Path | None) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Tokens of prompts (with BOS, without EOS) and of real continuations (without both), by the prompt's id.

    Args:
        path: prompts and real continuations from dev, by `scripts.continuation.select_prompts`.
        listed: tokens of listed prompts, which replace those from dev.

    Raises:
        ValueError: names file and prompt, if a prompt holds a symbol unknown to the tokenizer.
    """
    prompts, real = {}, {}
    for name, tokens in load_bin(path).by_id().items():
        prompt, _, part = name.rpartition("/")
        if part == PROMPT:
            prompts[prompt] = tokens[:-1]
        elif part == REAL:
            real[prompt] = tokens[1:-1]
        else:
            raise ValueError(f"{path}: {name} is neither a prompt nor a real continuation (.../{PROMPT}, .../{REAL})")
    if listed:
        prompts = {name: tokens[:-1] for name, tokens in load_bin(listed).by_id().items()}
    for prompt, tokens in prompts.items():
        if unknown := int((tokens == UNKNOWN).sum()):
            raise ValueError(
                f"{listed or path}: prompt {prompt} holds {unknown} characters or symbols that the"
                " modality's tokenizer never saw in training; replace them or remove the prompt"
            )
    return prompts, real


def requests(prompts: dict[str, np.ndarray], limit: int, context: int, config: Sampling, seed: int) -> list[Request]:
    """A request per prompt and seed, in this order.

    Raises:
        ValueError: names the prompt, if it and `limit` tokens exceed the model's context.
    """
    result = []
    for name, tokens in prompts.items():
        if len(tokens) + limit > context:
            raise ValueError(
                f"prompt {name} has {len(tokens)} tokens and continuation.seconds asks for {limit} more; the model's"
                f" context is {context}: shorten the prompt, lower continuation.seconds or raise lm.model.context"
            )
        for number in range(config.seeds):
            uniform = generator(seed, "continuation", name, number).random(limit)
            result.append(Request(tokens.astype(np.int64), limit, uniform))
    return result


def main() -> None:
    """Command line of rule continuation_generate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=Path, required=True, help="prompts and real continuations (.bin)")
    parser.add_argument("--prompts", type=Path, nargs="?", help="listed prompts that replace them (.bin)")
    parser.add_argument("--stats", type=Path, required=True, help="the modality's tokens/stats.json")
    parser.add_argument("--model", type=Path, required=True, help="AutoModelForCausalLM folder with its tokenizer")
    parser.add_argument("--modality", required=True)
    parser.add_argument("--config", required=True, help="JSON: keys of the section continuation")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--generated", type=Path, required=True, help="generated continuations (.jsonl)")
    parser.add_argument("--real", type=Path, required=True, help="real continuations in the same format")
    args = parser.parse_args()
    config = parse(Sampling, args.config, "continuation")
    tokenizer = load_tokenizer(args.model)
    prompts, real = split_tokens(args.tokens, args.prompts)
    cpu.prepare(config.threads)
    model = load_model(args.model, dtype=DTYPES[config.precision])
    limit = token_limit(read_json(args.stats), config.seconds)
    try:
        all_requests = requests(prompts, limit, model.config.max_position_embeddings, config, args.seed)
    except ValueError as error:
        raise ValueError(f"{args.modality}: {error}") from None
    start = time.monotonic()
    progress = Progress(f"generate/{args.modality}", len(all_requests), "continuations")
    names = [(prompt, number) for prompt in prompts for number in range(config.seeds)]
    continuations: list[Continuation] = [{}] * len(all_requests)
    samples = continue_all(model, all_requests, config.batch, config.temperature, config.top_p)
    for done, (index, tokens, stop) in enumerate(samples, start=1):
        continuations[index] = continuation_line(*names[index], stop, tokens, tokenizer)
        progress.update(done)
    write_jsonl(args.generated, continuations)
    write_jsonl(
        args.real, (continuation_line(prompt, REAL, REAL, tokens, tokenizer) for prompt, tokens in real.items())
    )
    total = sum(len(line["tokens"]) for line in continuations)
    limited = sum(line["stop"] == LIMIT for line in continuations)
    empty = sum(not line["tokens"] for line in continuations)
    print(
        f"generate/{args.modality}: {len(continuations)} continuations of up to {limit} tokens, {limited} at the limit,"
        f" {empty} empty; {total / (time.monotonic() - start):,.0f} tokens per second",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
