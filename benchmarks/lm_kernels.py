"""Kernels and memory traffic of one training row on a GPU, counted without a GPU.

Run `python -m benchmarks.lm_kernels` from the repository root (about a minute, 2 GB); it prints Markdown. Nothing is
computed: the model is made of PyTorch's fake tensors, which have shapes and types only.

What is counted, for the forward and backward pass of one row with the weights cast to bf16 once:
- eager code: every operation that reaches PyTorch's dispatcher and is not a view or an allocation is a kernel; its
  traffic is its inputs and outputs, each read or written once;
- compiled layers: the kernels that Inductor's scheduler is left with after fusion, and the buffers that each reads and
  writes (`get_read_write_buffers_sizes`), times the number of layers;
- saved memory: what autograd keeps between the passes, without weights.
Matrix products and attention are counted apart and their traffic is left out.

What it cannot know: it runs the passes that Inductor makes for a CPU, as no CUDA device is here. On a GPU some fusions
differ (long reductions take two kernels, concatenations fewer), and one operation may be several kernels (the
embedding's gradient, FlashAttention's backward pass). Caches, launch times and the speed of anything are not modelled.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch._inductor import config as inductor_config
from torch._inductor.compile_fx import compile_fx, compile_fx_inner
from torch._inductor.exc import InductorError
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from transformers import AttentionInterface, LlamaForCausalLM

from scripts.lm.batching.batches import Packed
from scripts.lm.config import ModelConfig
from scripts.lm.model.attention import flash_attention
from scripts.lm.model.gpu_layers import Decoder, cast_layer, decoder_layer
from scripts.lm.model.llama import build_model
from scripts.lm.model.loss import token_loss

TINYLLAMA = ModelConfig(hidden_size=2048, intermediate_size=5632, layers=22, heads=32, kv_heads=4, context=2048)
FREE = ("empty", "new_empty", "detach", "_unsafe_view")
PRODUCTS, ATTENTION = ("mm", "addmm", "bmm"), ("_varlen_attn", "_varlen_attn_backward")


@dataclass
class Count:
    """Kernels by kind, traffic of those that are neither product nor attention, and bytes saved for backward."""

    products: int = 0
    attention: int = 0
    others: int = 0
    traffic: int = 0
    saved: int = 0
    names: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, size: int) -> None:
        """One kernel of this name."""
        self.names[name] = self.names.get(name, 0) + 1
        if name in PRODUCTS:
            self.products += 1
        elif name in ATTENTION:
            self.attention += 1
        else:
            self.others += 1
            self.traffic += size

    def plus(self, other: "Count", times: int) -> "Count":
        """This and `times` the other."""
        fields = ("products", "attention", "others", "traffic", "saved")
        return Count(*(getattr(self, name) + times * getattr(other, name) for name in fields))

    def row(self, name: str, tokens: int) -> str:
        """As a row of a Markdown table."""
        kernels = self.products + self.attention + self.others
        return (
            f"| {name} | {kernels} | {self.products} | {self.attention} | {self.others} | {self.traffic / 1e9:.0f}"
            f" | {self.saved / tokens / 1e6:.2f} |"
        )


def _name(operation: Any) -> str:
    return str(operation.overloadpacket).split(".")[-1]


def _size(tensor: torch.Tensor) -> int:
    """Bytes that reading the tensor once touches; an expanded dimension is read once."""
    sizes = [size for size, stride in zip(tensor.shape, tensor.stride(), strict=True) if stride]
    return int(torch.Size(sizes).numel()) * tensor.itemsize


class Counting(TorchDispatchMode):
    """Counts what is called inside."""

    def __init__(self, count: Count):
        super().__init__()
        self.count = count

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        view = any(result.alias_info and not result.alias_info.is_write for result in func._schema.returns)
        if func.namespace != "prim" and not view and not _name(func).startswith(FREE):
            leaves = tree_leaves((args, kwargs, out))
            self.count.add(_name(func), sum(_size(leaf) for leaf in leaves if isinstance(leaf, torch.Tensor)))
        return out


@contextmanager
def saved_tensors(count: Count, weights: Sequence[torch.Tensor]) -> Iterator[None]:
    """Adds to `count.saved` what autograd keeps, each storage once; `weights` are not counted."""
    seen = {weight.untyped_storage()._cdata for weight in weights}
    kept = []  # or a storage's address may come again

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in seen:
            seen.add(storage._cdata)
            kept.append(storage)
            count.saved += storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        yield


class _CountedError(Exception):
    """Ends a compilation after fusion: no code is wanted."""


def count_compiled_layer(decoder: Decoder, row: list[Any], tokens: int) -> Count:
    """One layer as Inductor fuses it."""
    count = Count()

    def record(nodes: list[Any]) -> list[Any]:
        for node in nodes:
            kind, kernel = type(node).__name__, getattr(node.node, "python_kernel_name", None) or ""
            if kind == "ExternKernelSchedulerNode":
                # The outputs of an operation with several are nodes too, without a name.
                if kernel:
                    count.add(kernel.removesuffix(".default").split(".")[-1], node.get_read_write_buffers_sizes())
            elif kind != "NopKernelSchedulerNode":
                count.add("fused", node.get_read_write_buffers_sizes())
        raise _CountedError

    def compile_for_counting(graph: torch.fx.GraphModule, inputs: Any, **options: Any) -> Callable[..., Any]:
        with inductor_config.patch(_post_fusion_custom_pass=record, force_disable_caches=True):
            try:
                compile_fx_inner(graph, inputs, **options)
            except InductorError as error:
                if not isinstance(error.inner_exception, _CountedError):
                    raise

        def run(arguments: list[Any]) -> Any:  # compiled code wants real memory; the graph does not
            return graph(*arguments)

        run._boxed_call = True  # type: ignore[attr-defined]
        return run

    def backend(graph: torch.fx.GraphModule, inputs: Any) -> Any:
        return compile_fx(graph, inputs, inner_compile=compile_for_counting)

    hidden = torch.empty(tokens, decoder.model.config.hidden_size, requires_grad=True)
    torch._dynamo.mark_dynamic(hidden, 0)
    weights = cast_layer(decoder.model.layers[0])
    with saved_tensors(count, weights):
        out = torch.compile(decoder_layer, backend=backend, fullgraph=True)(hidden, *row, weights)
    torch.autograd.grad(out, (hidden, *weights), torch.empty_like(out))
    return count


class _NoLayer(torch.autograd.Function):
    """A layer without kernels: what remains is everything else."""

    @staticmethod
    def forward(ctx: Any, hidden: torch.Tensor, *weights: torch.Tensor) -> torch.Tensor:
        ctx.like = [(x.shape, x.dtype) for x in (hidden, *weights)]
        return torch.empty_like(hidden)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(torch.empty(shape, dtype=dtype) for shape, dtype in ctx.like)


def count_eager(model: LlamaForCausalLM, hidden_states: Callable[[Packed], torch.Tensor], packed: Packed) -> Count:
    """Forward and backward pass of a row as it is run without compiling."""
    count = Count()
    model.zero_grad()
    with torch.autocast("cpu", torch.bfloat16), Counting(count):
        with saved_tensors(count, list(model.parameters())):
            hidden = model.model.norm(hidden_states(packed))
            loss = token_loss(model.lm_head, hidden, packed.targets)
        loss.backward()
    return count


def transformers_layers(model: LlamaForCausalLM) -> Callable[[Packed], torch.Tensor]:
    """The layers as transformers runs them under autocast, with one attention kernel and rotary tables in bf16."""

    def attention(module: Any, query: Any, key: Any, value: Any, mask: Any, cu_seqlens: Any, **rest: Any) -> Any:
        q, k, v = (x[0].transpose(0, 1).to(value.dtype) for x in (query, key, value))
        return flash_attention(q, k, v, cu_seqlens, 2048)[None], None

    AttentionInterface.register("one-kernel", attention)
    model.set_attn_implementation("one-kernel")

    def hidden_states(packed: Packed) -> torch.Tensor:
        hidden = model.model.embed_tokens(packed.inputs)[None]
        tables = [table.bfloat16() for table in model.model.rotary_emb(hidden, packed.positions[None])]
        for layer in model.model.layers:
            hidden = layer(hidden, position_embeddings=tables, cu_seqlens=packed.cu_seqlens)
        return hidden[0]

    return hidden_states


def count_all(config: ModelConfig, vocab_size: int, sizes: list[int]) -> dict[str, Count]:
    """Transformers' layers, ours run eagerly, and ours compiled."""
    tokens = sum(sizes)
    with FakeTensorMode():
        model = build_model(config, vocab_size, 1, 2, seed=0)
        positions = torch.empty(tokens, dtype=torch.int64)
        cu_seqlens = torch.empty(len(sizes) + 1, dtype=torch.int32)
        packed = Packed(positions.clone(), positions.clone(), positions, sizes, cu_seqlens)
        decoder = Decoder(model, compiled=False, row_tokens=tokens)
        found = {"transformers' layers, eager": count_eager(model, transformers_layers(model), packed)}
        found["our layers, eager"] = count_eager(model, decoder.hidden_states, packed)
        layer = count_compiled_layer(decoder, decoder.row_inputs(packed), tokens)
        decoder.layer = lambda hidden, *row: _NoLayer.apply(hidden, *row[-1])
        rest = count_eager(model, decoder.hidden_states, packed)
        found["our layers, compiled"] = rest.plus(layer, config.layers)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--sequences", type=int, default=16, help="in the row (default 16)")
    parser.add_argument("--length", type=int, default=512, help="tokens of each (default 512)")
    parser.add_argument("--vocabulary", type=int, default=2048, help="tokens of the output head (default 2048)")
    args = parser.parse_args()
    sizes = [args.length] * args.sequences
    print("| layers | kernels | products | attention | others | traffic of the others (GB) | saved (MB per token) |")
    print("|---|---|---|---|---|---|---|")
    for name, count in count_all(TINYLLAMA, args.vocabulary, sizes).items():
        print(count.row(name, sum(sizes)))


if __name__ == "__main__":
    main()
