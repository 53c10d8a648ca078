"""Start a training from the layers of another model.

The transformer layers and the final norm are the donor's; embeddings and output head are drawn anew, since another
vocabulary's rows mean nothing here. Where both vocabularies are the same the donor's are kept too.
Source: TWIST (Hassid et al. 2023, arXiv:2305.13009), which starts a language model of speech units from one of text,
with new embeddings.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from transformers import LlamaForCausalLM

from scripts.common.files import read_json
from scripts.lm.config import ModelConfig
from scripts.lm.starts import check_shape

INDEX = "model.safetensors.index.json"
EMBEDDING, HEAD = "model.embed_tokens.weight", "lm_head.weight"
# Of tokenizer.json, what decides which id a symbol has.
VOCABULARY = ("added_tokens", "normalizer", "pre_tokenizer", "model")


@dataclass(frozen=True)
class Start:
    """A donor that was checked against `lm.model`.

    Attributes:
        name: the modality that the donor models, or its folder.
        files: its safetensors files.
        same_vocabulary: whether its tokenizer gives every symbol the same id.
        tied: whether its output head is its embedding.
        digest: SHA-256 of the files.
    """

    name: str
    files: tuple[Path, ...]
    same_vocabulary: bool
    tied: bool
    digest: str

    def about(self) -> dict[str, Any]:
        """What `training.json` says of it."""
        weights = "all" if self.same_vocabulary else "layers and final norm"
        return {"from": self.name, "weights": weights, "sha256": self.digest}

    def copy_into(self, model: LlamaForCausalLM) -> None:
        """Overwrite the model's layers and final norm, and with the same vocabulary embeddings and head.

        Raises:
            ValueError: a file is damaged, or a weight is missing or of another shape; the message names both.
        """
        wanted = dict(model.named_parameters())
        if not self.same_vocabulary:
            wanted = {name: parameter for name, parameter in wanted.items() if name not in (EMBEDDING, HEAD)}
        missing = set(wanted)
        with torch.no_grad():
            for file, name, tensor in self._tensors():
                for target in (name, HEAD) if self.tied and name == EMBEDDING else (name,):
                    if target not in wanted:
                        continue
                    if tensor.shape != wanted[target].shape:
                        raise ValueError(
                            f"{file}: {name} has the shape {tuple(tensor.shape)};"
                            f" {tuple(wanted[target].shape)} is expected"
                        )
                    wanted[target].copy_(tensor)
                    missing.discard(target)
        if missing:
            raise ValueError(f"{self.files[0].parent}: its weights lack {len(missing)}, e.g. {min(missing)}")

    def _tensors(self) -> Iterator[tuple[Path, str, torch.Tensor]]:
        for file in self.files:
            try:
                with safe_open(file, framework="pt") as weights:
                    for name in sorted(weights.keys()):
                        yield file, name, weights.get_tensor(name)
            except (SafetensorError, OSError) as error:
                raise ValueError(f"{file}: the weights cannot be read ({error})") from None


def read_start(folder: Path, model: ModelConfig, tokenizer: Path) -> Start:
    """The donor in a folder.

    Args:
        folder: of a LlamaForCausalLM in Hugging Face form; only safetensors are read, no pickled file.
        model: the sizes that it must have.
        tokenizer: folder of the tokenizer of the model that is to be trained.

    Raises:
        ValueError: it has another shape or no safetensors; the message names the file.
        OSError: a file cannot be read.
    """
    check_shape(folder, model)
    files = _weight_files(folder)
    digest = sha256()
    for file in files:
        with open(file, "rb") as stream:
            while block := stream.read(2**22):
                digest.update(block)
    about = folder / "training.json"
    return Start(
        name=read_json(about)["modality"] if about.is_file() else str(folder),
        files=files,
        same_vocabulary=_same_vocabulary(folder / "tokenizer.json", tokenizer / "tokenizer.json"),
        tied=bool(read_json(folder / "config.json").get("tie_word_embeddings")),
        digest=digest.hexdigest(),
    )


def _weight_files(folder: Path) -> tuple[Path, ...]:
    index = folder / INDEX
    names = sorted(set(read_json(index)["weight_map"].values())) if index.is_file() else ["model.safetensors"]
    files = tuple(folder / name for name in names)
    for file in files:
        if not file.is_file():
            raise ValueError(f"{file}: no such file; a start needs the weights as safetensors")
    return files


def _same_vocabulary(theirs: Path, ours: Path) -> bool:
    if not theirs.is_file():
        return False
    contents = [json.loads(path.read_text(encoding="utf-8")) for path in (theirs, ours)]
    first, second = ({key: content.get(key) for key in VOCABULARY} for content in contents)
    return first == second
