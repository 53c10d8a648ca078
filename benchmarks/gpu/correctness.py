"""Stage 2: is the packed pass the same function as one utterance at a time, whatever lies beside an utterance?

The reference is transformers' own attention in fp32 on one utterance at a time. The packed pass is compared with it in
fp32 and in the training's bf16; beside the latter stands the error of bf16 on one utterance at a time, which is what
the precision alone costs.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from torch.nn import functional as F
from transformers import LlamaForCausalLM

from benchmarks.gpu.data import BOS, EOS, TINY, sequence
from benchmarks.gpu.record import Recorder
from benchmarks.gpu.toggles import deterministic, setting
from scripts.common import cpu
from scripts.lm.batching.batches import pack, pad_to_bucket
from scripts.lm.config import ModelConfig
from scripts.lm.distributed.ranks import Ranks
from scripts.lm.loop.gradients import Gradients as StepGradients
from scripts.lm.model import loss
from scripts.lm.model.attention import PACKED
from scripts.lm.model.llama import build_model, packed_logits, prepare_for_device

# Predicted tokens of each utterance: ragged, at and around powers of two; together more than CHUNK.
LENGTHS = (1, 2, 3, 7, 16, 17, 63, 100, 127, 128, 129, 255, 400, 511, 737, 1024, 1500, 2047)
CHUNK = 1000  # tokens whose logits are held at once where chunk boundaries are tested
MEDIUM = ModelConfig(hidden_size=1024, intermediate_size=2816, layers=4, heads=16, kv_heads=4, context=2048)
VOCABULARIES = (80, 2048)
COMPILING = 25.0  # seconds
WITHIN = 1.5  # times the error of bf16 on one utterance at a time
FP32_ERROR, BF16_LOSS_ERROR = 1e-3, 2e-3  # relative

Gradients = dict[str, torch.Tensor]


def run(record: Recorder, device: torch.device, full: bool) -> None:
    """Losses, gradients and logits of packed rows, for both vocabularies."""
    precision = cpu.precision("auto", device)
    sizes = MEDIUM if full else TINY
    for vocabulary in VOCABULARIES:
        bench = _Bench(device, sizes, vocabulary, precision, ragged_sequences(vocabulary))
        case = f"vocabulary {vocabulary}"
        record.run(f"{case}, gradients", partial(_gradients, record, case, bench), 8 if full else 2)
        record.run(f"{case}, repeated", partial(_repeated, record, case, bench), 3 if full else 1)
        record.run(f"{case}, neighbours", partial(_neighbours, record, case, bench), 3 if full else 1)
    if device.type == "cuda" and precision == "bf16":  # last, with what is left: compiling takes most of it
        record.run(f"{case}, compiled", partial(_compiled, record, case, bench), COMPILING)


class _Bench:
    """One model, which computes in fp32 or in the training's precision, and utterances for it."""

    def __init__(
        self, device: torch.device, sizes: ModelConfig, vocabulary: int, precision: str, sequences: list[np.ndarray]
    ):
        self.device, self.precision, self.sequences, self.vocabulary = device, precision, sequences, vocabulary
        self.model = build_model(sizes, vocabulary, BOS, EOS, 0).to(device)
        self.count = sum(len(one) - 1 for one in sequences)

    def autocast(self, precision: str) -> torch.autocast:
        """Of one utterance at a time, and of logits."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=precision == "bf16")

    def packed(self, precision: str, rows: int = 1) -> tuple[float, Gradients]:
        """Mean loss in nats and its gradients by the training's own pass over `rows` rows."""
        self.model.zero_grad(set_to_none=True)
        parts = [self.sequences[first::rows] for first in range(rows)]
        packed = [pad_to_bucket(pack(part)) for part in parts]
        total = StepGradients(self.model, precision, Ranks()).add(packed, self.count)
        return float(total) / self.count, _gradients_of(self.model)

    def in_chunks(self, precision: str) -> tuple[float, Gradients]:
        """The same with logits of `CHUNK` tokens at a time, so that the row crosses chunk boundaries."""
        with setting(loss, "LOGIT_BYTES", 4 * self.vocabulary * CHUNK):
            return self.packed(precision)

    def alone(self, precision: str) -> tuple[float, Gradients]:
        """The same by one utterance at a time with transformers' own attention."""
        model = self.model
        model.zero_grad(set_to_none=True)
        model.set_attn_implementation("sdpa")
        total = 0.0
        for one in self.sequences:
            ids = torch.from_numpy(one).to(self.device)

            def one_loss(ids: torch.Tensor = ids) -> torch.Tensor:
                logits = model(input_ids=ids[None, :-1], use_cache=False).logits[0].float()
                return F.cross_entropy(logits, ids[1:], reduction="sum")

            total += self.backward(precision, one_loss)
        model.set_attn_implementation(PACKED)
        return total, _gradients_of(model)

    def backward(self, precision: str, sum_of_losses: Callable[[], torch.Tensor]) -> float:
        """Add the gradient of a sum of losses, divided by all utterances' tokens; returns that quotient."""
        with self.autocast(precision):
            value = sum_of_losses() / self.count
        value.backward()
        return float(value.detach())


def _gradients_of(model: LlamaForCausalLM) -> Gradients:
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


def _errors(gradients: Gradients, right: Gradients) -> tuple[float, float, str]:
    """Relative error of all gradients as one vector, the largest of one parameter's, and which that is."""
    assert gradients.keys() == right.keys(), "the same parameters have gradients"
    norms = {name: float(g.norm()) for name, g in right.items()}
    wrong = {name: float((gradients[name] - g).norm()) for name, g in right.items()}
    each = {name: wrong[name] / norms[name] for name in right}
    worst = max(each, key=lambda name: each[name])
    return float(np.linalg.norm(list(wrong.values())) / np.linalg.norm(list(norms.values()))), each[worst], worst


def _gradients(record: Recorder, case: str, bench: _Bench) -> None:
    right_loss, right = bench.alone("fp32")
    losses = {"packed fp32": bench.packed("fp32"), "chunks fp32": bench.in_chunks("fp32")}
    if bench.precision == "bf16":
        losses |= {"alone bf16": bench.alone("bf16"), "packed bf16": bench.packed("bf16")}
        losses |= {"three rows bf16": bench.packed("bf16", rows=3), "chunks bf16": bench.in_chunks("bf16")}
    record.add(case, "reference loss", right_loss, "nats per token")
    whole, every = {}, {}
    for name, (mean_loss, gradients) in losses.items():
        error = abs(mean_loss / right_loss - 1)
        whole[name], every[name], worst = _errors(gradients, right)
        exact = name.endswith("fp32")
        bound = FP32_ERROR if exact else BF16_LOSS_ERROR
        record.check(f"{case}, {name}", "relative error of the loss", error, "", error < bound)
        if exact:
            record.check(f"{case}, {name}", "relative error of gradients", whole[name], "", whole[name] < FP32_ERROR)
        else:
            record.add(f"{case}, {name}", "relative error of gradients", whole[name], "", headline=True)
        record.add(f"{case}, {name}", "largest relative error of a parameter", every[name], "", note=worst)
    for name in ("packed bf16", "three rows bf16", "chunks bf16") if bench.precision == "bf16" else ():
        for measure, errors in (("of gradients", whole), ("of the worst parameter", every)):
            times = errors[name] / errors["alone bf16"]
            record.check(f"{case}, {name}", f"error {measure}, times that of alone", times, "", times <= WITHIN)


def _repeated(record: Recorder, case: str, bench: _Bench) -> None:
    """Whether the same gradient comes out twice; on a GPU attention's backward pass may add in any order."""
    (_, first), (_, second) = (bench.packed(bench.precision) for _ in range(2))
    same = sum(torch.equal(first[name], second[name]) for name in first)
    note = f"{same} of {len(first)} parameters' gradients are equal bit for bit"
    record.add(f"{case}, repeated", "equal", float(same == len(first)), "", note=note, headline=True)
    record.add(f"{case}, repeated", "relative difference", _errors(second, first)[0], "")
    with deterministic():
        (_, first), (_, second) = (bench.packed(bench.precision) for _ in range(2))
    equal = all(torch.equal(first[name], second[name]) for name in first)
    record.check(f"{case}, repeated", "equal in deterministic mode", equal, "", equal)


def _neighbours(record: Recorder, case: str, bench: _Bench) -> None:
    check_neighbours(record, f"{case}, neighbours", bench.model, bench.precision, bench.sequences)


@torch.no_grad()
def check_neighbours(
    record: Recorder, case: str, model: LlamaForCausalLM, precision: str, sequences: list[np.ndarray]
) -> None:
    """Alter one utterance at a time: the others' logits stay the same bit for bit, its own do not.

    Args:
        record: of the results.
        case: their name.
        model: on its device.
        precision: of the products.
        sequences: int64 [T] each, of `LENGTHS`.
    """
    row = pad_to_bucket(pack(sequences)).to(model.device)
    vocabulary = model.config.vocab_size
    cu_seqlens = np.concatenate([[0], np.cumsum([len(one) - 1 for one in sequences])]).tolist()
    with torch.autocast(model.device.type, torch.bfloat16, enabled=precision == "bf16"):
        before = packed_logits(model, row)
        changed_others, unchanged_own = 0, 0
        chosen = [i for i, one in enumerate(sequences) if len(one) - 1 in (2047, 128, 17)]
        for index in chosen:
            begin, end = cu_seqlens[index : index + 2]
            inputs = row.inputs.clone()
            inputs[begin:end] = (inputs[begin:end] + 1) % vocabulary
            after = packed_logits(model, replace(row, inputs=inputs))
            others = [(a, b) for i, (a, b) in enumerate(pairwise(cu_seqlens)) if i != index]
            changed_others += sum(not torch.equal(before[a:b], after[a:b]) for a, b in others)
            unchanged_own += int(torch.equal(before[begin:end], after[begin:end]))
    note = f"of {len(chosen)} alterations times {len(sequences) - 1} others"
    record.check(case, "other utterances' logits changed", changed_others, "", changed_others == 0, note)
    record.check(case, "altered utterances' logits unchanged", unchanged_own, "", unchanged_own == 0)


def _compiled(record: Recorder, case: str, bench: _Bench) -> None:
    """The packed pass with compiled layers against the same reference; on a GPU only."""
    _, right = bench.alone("fp32")
    alone = _errors(bench.alone("bf16")[1], right)
    prepare_for_device(bench.model, bench.device, compiled=True, row_tokens=bench.count)
    packed = _errors(bench.packed("bf16")[1], right)
    case = f"{case}, packed bf16 compiled"
    record.add(case, "relative error of gradients", packed[0], "", headline=True)
    for measure, error, bound in zip(("of gradients", "of the worst parameter"), packed[:2], alone[:2], strict=True):
        times = error / bound
        record.check(case, f"error {measure}, times that of alone", times, "", times <= WITHIN)
    check_neighbours(record, case, bench.model, bench.precision, bench.sequences)


def ragged_sequences(vocabulary: int) -> list[np.ndarray]:
    """Random utterances of `LENGTHS` in random order, int64 each."""
    rng = np.random.default_rng(vocabulary)
    order = rng.permutation(len(LENGTHS))
    return [sequence(rng, LENGTHS[i] - 1, vocabulary) for i in order]
