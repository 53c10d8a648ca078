"""Perplexity of every continuation under one judge, alone and given its prompt; one row per continuation.

The judge itself is measured on real text of dev, every prompt with its real continuation, in one further row.

A continuation without words has no perplexity: its status is `empty`, and the summary counts it. Perplexity is per
token of the judge, exp of the mean negative log-probability, without the end of the text, which transcripts do not
mark.
"""

import argparse
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scripts.common import cpu
from scripts.common.cli import run
from scripts.common.files import nonempty_jsonl, write_csv
from scripts.continuation import perplexity
from scripts.lm.model.load import DTYPES

COLUMNS = (
    "id", "prompt", "seed", "stop", "tokens", "seconds", "silence", "words", "status", "judge_tokens", "perplexity",
    "perplexity_given_prompt", "text",
)  # fmt: skip
ABOUT_COLUMNS = ("texts", "words", "judge_tokens", "perplexity", "word_perplexity")
OK, EMPTY = "ok", "empty"
TEXT_FORMS: dict[str, Callable[[str], str]] = {"spoken": perplexity.normalise_text, "written": str.strip}


def judge(
    rows: list[dict[str, Any]], prompts: dict[str, str], model: Any, tokenizer: Any, batch_tokens: int, form: str
) -> list[dict[str, Any]]:
    """The rows with COLUMNS; `text` is the text in the form that the judge reads."""
    normalise = TEXT_FORMS[form]
    texts = [normalise(row["text"]) for row in rows]
    alone = [perplexity.encode(tokenizer, "", text) if text else ([], 0) for text in texts]
    given = [
        perplexity.encode(tokenizer, normalise(prompts[row["prompt"]]), text) if text else ([], 0)
        for row, text in zip(rows, texts, strict=True)
    ]
    losses = perplexity.mean_loss(model, alone + given, batch_tokens)
    judged = []
    for index, (row, text) in enumerate(zip(rows, texts, strict=True)):
        loss, loss_given_prompt = losses[index], losses[len(rows) + index]
        judged.append(
            {
                **{key: row[key] for key in ("id", "prompt", "seed", "stop", "tokens", "seconds", "silence")},
                "words": len(text.split()),
                "status": EMPTY if loss is None else OK,
                "judge_tokens": alone[index][1],
                "perplexity": "" if loss is None else round(math.exp(loss), 4),
                "perplexity_given_prompt": "" if loss_given_prompt is None else round(math.exp(loss_given_prompt), 4),
                "text": text,
            }
        )
    return judged


def real_text(prompts: list[dict[str, Any]], model: Any, tokenizer: Any, batch_tokens: int, form: str) -> dict:
    """ABOUT_COLUMNS: perplexity of real text of dev, per token of the judge and per word.

    Args:
        prompts: lines of prompts.jsonl; those without a real continuation (listed prompts) are not of dev.
        model: the judge.
        tokenizer: the judge's.
        batch_tokens: per forward pass.
        form: of the text, a key of TEXT_FORMS.

    Raises:
        ValueError: no prompt has a real continuation.
    """
    texts = [TEXT_FORMS[form](f"{line['text']} {line['real']}") for line in prompts if line["real"] is not None]
    if not texts:
        raise ValueError("prompts.jsonl: no prompt has a real continuation; the judge is measured on those")
    encoded = [perplexity.encode(tokenizer, "", text) for text in texts]
    means = perplexity.mean_loss(model, encoded, batch_tokens)
    scored = [(mean, count) for mean, (_, count) in zip(means, encoded, strict=True) if mean is not None]
    nats, tokens = sum(mean * count for mean, count in scored), sum(count for _, count in scored)
    words = sum(len(text.split()) for text in texts)
    values = (len(texts), words, tokens, *(_perplexity(nats, count) for count in (tokens, words)))
    return dict(zip(ABOUT_COLUMNS, values, strict=True))


def _perplexity(nats: float, count: int) -> float:
    """exp(nats / count); infinite where a float cannot hold it."""
    mean = nats / count if count else math.inf
    return round(math.exp(mean), 4) if mean < math.log(sys.float_info.max) else math.inf


def main() -> None:
    """Command line of rule continuation_judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transcripts", type=Path, nargs="+", required=True, help="transcripts (.jsonl)")
    parser.add_argument("--prompts", type=Path, required=True, help="prompts.jsonl")
    parser.add_argument("--judge", required=True, help="folder or hub name of a causal language model")
    parser.add_argument("--text", choices=list(TEXT_FORMS), required=True, help="form of the text that it reads")
    parser.add_argument("--precision", choices=[*DTYPES, *perplexity.QUANTISED], required=True)
    parser.add_argument("--batch-tokens", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--out", type=Path, nargs="+", required=True, help="a csv for each of --transcripts")
    parser.add_argument("--about", type=Path, required=True, help="csv: the judge's perplexity of real text of dev")
    args = parser.parse_args()
    cpu.prepare(args.threads)
    lines = nonempty_jsonl(args.prompts)
    prompts = {line["id"]: line["text"] for line in lines}
    model, tokenizer = perplexity.load(args.judge, args.precision)
    about = real_text(lines, model, tokenizer, args.batch_tokens, args.text)
    write_csv(args.about, ABOUT_COLUMNS, [about])
    print(f"judge: perplexity of real text of dev: {about['word_perplexity']:,.1f} per word", file=sys.stderr)
    for path, out in zip(args.transcripts, args.out, strict=True):
        rows = judge(nonempty_jsonl(path), prompts, model, tokenizer, args.batch_tokens, args.text)
        write_csv(out, COLUMNS, rows)
        scores = sorted(row["perplexity"] for row in rows if row["status"] == OK)
        median = f"median perplexity {scores[len(scores) // 2]:.1f}" if scores else "no perplexity"
        print(f"judge: {path}: {len(rows)} continuations, {len(rows) - len(scores)} empty, {median}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
