"""The model card, README.md of a model folder, made from `training.json` alone."""

from typing import Any


def model_card(about: dict[str, Any]) -> str:
    """Markdown with the front matter that model hubs read; the same training gives the same text."""
    training, sizes = about["config"]["training"], about["config"]["model"]
    patience = training["patience"]
    origin = "from scratch" if about["init"] is None else f"from weights of {about['init']['from']}"
    weights = "the last step" if patience is None else f"step {about['best_step']:,}, the lowest dev loss"
    rows = {
        "modality": about["modality"],
        "started from": started_from(about["init"]),
        "parameters": f"{about['parameters']:,}",
        "vocabulary": f"{about['vocab_size']:,}",
        "layers, width, heads (key-value heads)": (
            f"{sizes['layers']}, {sizes['hidden_size']}, {sizes['heads']} ({sizes['kv_heads']})"
        ),
        "longest sequence": f"{sizes['context']:,} tokens",
        "training utterances": f"{about['utterances']:,}",
        "epochs begun of those allowed": f"{about['epochs']} of {training['epochs']}",
        "optimizer steps": f"{about['steps']:,} of {training['batch_utterances']} utterances",
        "tokens trained on": f"{about['tokens']:,}",
        "training loss at the end": f"{about['train_loss']} nats per token",
        "dev loss at the end": f"{about['dev_loss']} nats per token",
        "lowest dev loss": f"{about['best_dev_loss']} nats per token",
        "weights are those of": weights,
        "seed": about["seed"],
        "precision": training["precision"],
        "versions": ", ".join(f"{name} {version}" for name, version in about["versions"].items()),
    }
    table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
    return f"""---
library_name: transformers
pipeline_tag: text-generation
---

# A language model of {about["modality"]}

A Llama trained {origin} on the utterances of one corpus, written as {about["modality"]}. It
models one utterance between `<s>` and `</s>`; nothing joins utterances. It loads with `AutoModelForCausalLM` and
`AutoTokenizer`; the resolved configuration stands in `training.json`.

| what | value |
|---|---|
{table}

Made to compare modalities with each other under one recipe, not to be used as an assistant or a recogniser.
"""


def started_from(init: dict[str, Any] | None) -> str:
    """The start of a training in words, from the entry `init` of `training.json`."""
    if init is None:
        return "random weights"
    if init["weights"] == "all":
        return f"all weights of {init['from']}, whose vocabulary is the same (SHA-256 {init['sha256'][:16]})"
    return (
        f"{init['weights']} of {init['from']} (SHA-256 {init['sha256'][:16]}); embeddings and output head drawn at"
        " random (Hassid et al. 2023)"
    )
