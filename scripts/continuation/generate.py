"""Sample continuations of every prompt in one modality, and write the real continuations in the same form.

All modalities are asked for the same number of seconds: a modality with a frame rate gets exactly as many
tokens, another as many as its training speech has in that time. A continuation ends with </s> or at that
limit. Nothing is left out: one that ends at once is an empty line that later steps count.
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
from scripts.continuation.items import Item, item, load_tokenizer
from scripts.continuation.sampling import LIMIT, Request, continue_all
from scripts.continuation.select_prompts import PROMPT, REAL
from scripts.lm.model.load import DTYPES, load_model
from scripts.tokens.encoder import UNKNOWN


def token_limit(stats: dict, seconds: float) -> int:
    """Tokens that a modality gets for so many seconds."""
    rate = stats["frame_rate"] or stats["splits"]["train"]["tokens_per_second"]
    return max(1, round(seconds * rate))


def split_tokens(path: Path, listed: Path | None) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Prompts (BOS ..., without EOS) and real continuations (neither) by the prompt's id.

    Args:
        path: prompts and real continuations from dev, by `scripts.continuation.select_prompts`.
        listed: tokens of prompts that take the place of those from dev.

    Raises:
        ValueError: naming file and prompt, if a prompt holds a symbol that the tokenizer does not know.
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
                " modality's tokenizer never saw in training; write it with known ones or leave it out"
            )
    return prompts, real


def requests(prompts: dict[str, np.ndarray], limit: int, context: int, config: Sampling, seed: int) -> list[Request]:
    """A request per prompt and seed, in this order.

    Raises:
        ValueError: naming the prompt, if it and `limit` tokens do not fit into the model's context.
    """
    made = []
    for name, tokens in prompts.items():
        if len(tokens) + limit > context:
            raise ValueError(
                f"prompt {name} has {len(tokens)} tokens and continuation.seconds asks for {limit} more; the model's"
                f" context is {context}: shorten the prompt, lower continuation.seconds or raise lm.model.context"
            )
        for number in range(config.seeds):
            uniform = generator(seed, "continuation", name, number).random(limit)
            made.append(Request(tokens.astype(np.int64), limit, uniform))
    return made


def main() -> None:
    """Command line of rule continuation_generate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=Path, required=True, help="prompts and real continuations (.bin)")
    parser.add_argument("--prompts", type=Path, nargs="?", help="prompts to take instead of those (.bin)")
    parser.add_argument("--stats", type=Path, required=True, help="the modality's tokens/stats.json")
    parser.add_argument("--model", type=Path, required=True, help="AutoModelForCausalLM folder with its tokenizer")
    parser.add_argument("--modality", required=True)
    parser.add_argument("--config", required=True, help="JSON: keys of the section continuation")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--generated", type=Path, required=True, help="generated continuations (.jsonl)")
    parser.add_argument("--real", type=Path, required=True, help="real ones in the same form")
    args = parser.parse_args()
    config = parse(Sampling, args.config, "continuation")
    tokenizer = load_tokenizer(args.model)
    prompts, real = split_tokens(args.tokens, args.prompts)
    cpu.prepare(config.threads)
    model = load_model(args.model, dtype=DTYPES[config.precision])
    limit = token_limit(read_json(args.stats), config.seconds)
    try:
        asked = requests(prompts, limit, model.config.max_position_embeddings, config, args.seed)
    except ValueError as error:
        raise ValueError(f"{args.modality}: {error}") from None
    began = time.monotonic()
    progress = Progress(f"generate/{args.modality}", len(asked), "continuations")
    names = [(prompt, number) for prompt in prompts for number in range(config.seeds)]
    found: list[Item] = [{}] * len(asked)
    made = continue_all(model, asked, config.batch, config.temperature, config.top_p)
    for done, (index, tokens, stop) in enumerate(made, start=1):
        found[index] = item(*names[index], stop, tokens, tokenizer)
        progress.update(done)
    write_jsonl(args.generated, found)
    write_jsonl(args.real, (item(prompt, REAL, REAL, tokens, tokenizer) for prompt, tokens in real.items()))
    total = sum(len(line["tokens"]) for line in found)
    limited = sum(line["stop"] == LIMIT for line in found)
    empty = sum(not line["tokens"] for line in found)
    print(
        f"generate/{args.modality}: {len(found)} continuations of up to {limit} tokens, {limited} at the limit,"
        f" {empty} empty; {total / (time.monotonic() - began):,.0f} tokens per second",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
