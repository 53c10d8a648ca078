"""Stage 8: scoring of pairs, by the model and by every layer, and sampling; each against one at a time."""

import time
from functools import partial
from itertools import islice

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from benchmarks.evaluation import one_at_a_time
from benchmarks.gpu.data import BOS, EOS, FIRST, LARGE, TINY, sequence
from benchmarks.gpu.record import Recorder
from benchmarks.gpu.timing import synchronize
from scripts.continuation.token_sampling import Request, continue_all
from scripts.evaluation.logprobs import score, score_layers

AGREE = 1e-4  # relative difference of scores in fp32 that counts as the same
PRECISIONS = ("fp32", "tf32", "bf16")


class Bench:
    """A model with random weights, pairs for it, and prompts."""

    def __init__(self, device: torch.device, full: bool):
        sizes, self.device = (LARGE if full else TINY), device
        self.vocabulary = 2048 if full else 100
        config = LlamaConfig(
            vocab_size=self.vocabulary,
            hidden_size=sizes.hidden_size,
            intermediate_size=sizes.intermediate_size,
            num_hidden_layers=sizes.layers,
            num_attention_heads=sizes.heads,
            num_key_value_heads=sizes.kv_heads,
            max_position_embeddings=sizes.context,
            bos_token_id=BOS,
            eos_token_id=EOS,
        )
        with torch.device(device):
            self.model = LlamaForCausalLM(config).eval()
        pairs = 80 if full else 10
        self.pairs = {"sentences": self._pairs(pairs, 60, 250, 0.0), "stories": self._pairs(pairs // 4, 500, 900, 0.8)}
        self.right: dict[str, float] = {}  # scores of the sentences in fp32
        self.batch_tokens = 32768 if full else 2048
        self.alone = 16 if full else 4  # sequences that are scored one at a time
        self.prompts, self.batch, self.limit = (128, 128, 64) if full else (8, 8, 16)

    def _pairs(self, count: int, shortest: int, longest: int, shared: float) -> dict[str, np.ndarray]:
        """Both sides of `count` pairs, whose first `shared` is the same."""
        rng = np.random.default_rng(0)
        pairs = {}
        for number in range(count):
            length = int(rng.integers(shortest, longest))
            first = sequence(rng, round(shared * length), self.vocabulary)[:-1]
            for side in ("positive", "negative"):
                rest = rng.integers(FIRST, self.vocabulary, length - len(first) + 1)
                pairs[f"{number}-{side}"] = np.concatenate([first, rest, [EOS]])
        return pairs

    def requests(self, count: int) -> list[Request]:
        """Continuations to be made."""
        rng = np.random.default_rng(0)
        prompts = [sequence(rng, int(rng.integers(50, 100)), self.vocabulary)[:-1] for _ in range(count)]
        return [Request(prompt, self.limit, rng.random(self.limit)) for prompt in prompts]


def run(record: Recorder, device: torch.device, full: bool) -> None:
    """Pairs, precisions, layers, samples."""
    made: list[Bench] = []
    if not record.run("model", lambda: made.append(Bench(device, full))):
        return
    bench = made.pop()
    for name in bench.pairs:
        record.run(name, partial(_pairs, record, bench, name), 4 if full else 1)
    record.run("layers", partial(_layers, record, bench), 4 if full else 1)
    for precision in PRECISIONS:
        if precision != "tf32" or device.type == "cuda":
            record.run(f"precision {precision}", partial(_precision, record, bench, precision), 3 if full else 1)
    record.run("sampling", partial(_sampling, record, bench), 8 if full else 1)


def _timed(bench: Bench, step: partial) -> tuple[float, dict]:
    synchronize(bench.device)
    began = time.perf_counter()
    result = step()
    synchronize(bench.device)
    return time.perf_counter() - began, result


def _pairs(record: Recorder, bench: Bench, name: str) -> None:
    sequences = bench.pairs[name]
    some = dict(islice(sequences.items(), bench.alone))
    batched = partial(score, bench.model, sequences, bench.batch_tokens, "bench")
    batched()
    elapsed, scores = zip(*(_timed(bench, batched) for _ in range(3)), strict=True)
    one_at_a_time(bench.model, some)
    alone, right = _timed(bench, partial(one_at_a_time, bench.model, some))
    fast = record.add(name, "speed", [len(sequences) / 2 / one for one in elapsed], "pairs/s", headline=True)
    slow = record.add(name, "speed one at a time", len(some) / 2 / alone, "pairs/s")
    record.add(name, "times as fast as one at a time", fast / slow, "", headline=True)
    error = max(abs(scores[0][key] / right[key] - 1) for key in right)
    record.check(name, "relative difference of scores", error, "", error < AGREE)


def _layers(record: Recorder, bench: Bench) -> None:
    sequences = bench.pairs["sentences"]
    some = dict(islice(sequences.items(), bench.alone))
    batched = partial(score_layers, bench.model, sequences, bench.batch_tokens, "bench")
    batched()
    elapsed, scores = _timed(bench, batched)
    last = score(bench.model, sequences, bench.batch_tokens, "bench")

    def each() -> dict[str, np.ndarray]:
        return {
            key: score_layers(bench.model, {key: ids}, bench.batch_tokens, "bench")[key] for key, ids in some.items()
        }

    each()
    alone, right = _timed(bench, partial(each))
    fast = record.add("layers", "speed", len(sequences) / 2 / elapsed, "pairs/s", headline=True)
    record.add("layers", "times as fast as one at a time", fast / (len(some) / 2 / alone), "", headline=True)
    error = max(float(np.abs(scores[key] / right[key] - 1).max()) for key in right)
    record.check("layers", "relative difference of scores", error, "", error < AGREE)
    error = max(abs(scores[key][-1] / last[key] - 1) for key in last)
    record.check("layers", "relative difference of the last layer from the model", error, "", error < AGREE)


def _precision(record: Recorder, bench: Bench, precision: str) -> None:
    """Whether products of this precision decide pairs as those of fp32 do, and what they gain."""
    sequences = bench.pairs["sentences"]
    step = partial(score, bench.model, sequences, bench.batch_tokens, "bench", precision)
    step()
    elapsed, scores = _timed(bench, step)
    bench.right = bench.right or scores  # fp32 is the first
    case = f"precision {precision}"
    same = np.mean([_decides(scores, key) == _decides(bench.right, key) for key in scores if key.endswith("positive")])
    record.add(case, "speed", len(sequences) / 2 / elapsed, "pairs/s", headline=True)
    record.add(case, "decisions as in fp32", float(same), "", headline=True)
    record.add(case, "largest difference", max(abs(scores[key] - bench.right[key]) for key in scores), "nats")


def _decides(scores: dict[str, float], positive: str) -> bool:
    return scores[positive] > scores[positive.replace("positive", "negative")]


def _sampling(record: Recorder, bench: Bench) -> None:
    """Tokens per second of a batch and of one prompt at a time, in the precision of the weights."""
    for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        # As `scripts.lm.model.load` gives them: parameters in this type, rotary frequencies in float32.
        for parameter in bench.model.parameters():
            parameter.data = parameter.data.to(dtype)
        speeds = []
        for count, batch in ((bench.prompts, bench.batch), (2, 1)):
            requests = bench.requests(count)
            list(continue_all(bench.model, requests[:1], 1, 1.0, 0.9))
            step = partial(continue_all, bench.model, requests, batch, 1.0, 0.9)
            elapsed, made = _timed(bench, partial(lambda s: list(s()), step))
            said = sum(len(tokens) for _, tokens, _ in made)
            record.check(f"sampling {name}", f"tokens of {count} prompts", said, "", 0 < said <= count * bench.limit)
            speeds.append(said / elapsed)
        record.add(f"sampling {name}", "speed", speeds[0], "tokens/s", headline=True)
        record.add(f"sampling {name}", "speed one at a time", speeds[1], "tokens/s")
        record.add(f"sampling {name}", "times as fast as one at a time", speeds[0] / speeds[1], "", headline=True)
