"""What stage 4 varies: each toggle is one change of one base.

A toggle changes fields of the base (`changes`), or something in the library for as long as it is measured (`within`, a
context manager). To add one: one line in TOGGLES.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from transformers import LlamaForCausalLM

from scripts.lm.batching.loader import Loader
from scripts.lm.loop.determinism import make_deterministic
from scripts.lm.model import loss
from scripts.lm.model.gpu_layers import Decoder


@dataclass(frozen=True)
class Variant:
    """What a measured step computes; the defaults are the base.

    Attributes:
        vocabulary: of the output head.
        length_profile: of the utterances' lengths, see `data.TOKENS_PER_SECOND`.
        row_tokens: of one forward pass, at most.
    """

    vocabulary: int = 2048
    length_profile: str = "50 Hz"
    row_tokens: int = 8192


@dataclass(frozen=True)
class Toggle:
    """One line of the table.

    Attributes:
        name: of the case in the results.
        changes: fields of `Variant` that differ from the base.
        within: what holds while it is measured, made of the model.
        needs: seconds that it takes on a GPU.
    """

    name: str
    changes: dict[str, Any] = field(default_factory=dict)
    within: Callable[[LlamaForCausalLM], AbstractContextManager[Any]] = nullcontext

    needs: float = 6.0

    @property
    def variant(self) -> Variant:
        """The base with this toggle's changes."""
        return replace(Variant(), **self.changes)


@contextmanager
def setting(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Another value of an attribute, as long as this lasts."""
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


@contextmanager
def deterministic() -> Iterator[None]:
    """As `lm.training.deterministic` has it, as long as this lasts."""
    make_deterministic()
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


def eager(model: LlamaForCausalLM) -> AbstractContextManager[Any]:
    """The layers of a model on a GPU without the compiler; a CPU has no compiled ones."""
    if model.device.type == "cpu":
        return nullcontext()
    return setting(model, "gpu_decoder", Decoder(model, compiled=False, row_tokens=0))


# In the order in which they are measured; the one that takes longest is last.
TOGGLES = (
    Toggle("base"),
    Toggle("rows of 16k", {"row_tokens": 16384}),
    Toggle("rows of 32k", {"row_tokens": 32768}),
    Toggle("BPE lengths", {"length_profile": "BPE"}),
    Toggle("layers eager", within=eager),
    Toggle("weights cast for every row", within=lambda _: setting(Decoder, "weights_cast_once", nullcontext)),
    Toggle("logits in chunks", within=lambda _: setting(loss, "LOGIT_BYTES", 2**24)),
    Toggle("rows built in between", within=lambda _: setting(Loader, "_ahead", lambda _, items: nullcontext(items))),
    Toggle("base again"),
    Toggle("vocabulary 80", {"vocabulary": 80}),
    Toggle("deterministic", within=lambda _: deterministic(), needs=35.0),  # the compiler starts anew
)
