"""Download a model from the Hugging Face hub into its cache, before any job needs it.

Compute nodes of a cluster often have no network: the rule runs where Snakemake runs, and the jobs find the model in
the cache. Size and licence are printed before the first byte comes. Without a network, a model in the cache is enough.
"""

import argparse
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, ModelCard, constants, snapshot_download, try_to_load_from_cache
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    HTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)

from scripts.common.cli import run
from scripts.common.files import read_json, write_json
from scripts.download.space import GB, check_space

TEXTS = (".json", ".txt", ".model", ".md", ".jinja")  # configuration, tokenizer, card
# The names that transformers loads weights by, in the order in which it looks for them.
WEIGHTS = tuple(
    re.compile(rf"{stem}(-\d+-of-\d+)?\.{kind}") for stem, kind in (("model", "safetensors"), ("pytorch_model", "bin"))
)
UNREACHABLE = (HfHubHTTPError, HTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled)


def needed(sizes: Mapping[str, int]) -> list[str]:
    """The files that transformers loads: texts, and safetensors, else PyTorch's weights; none in sub-folders.

    Args:
        sizes: bytes of every file of the repository, by name.
    """
    return [name for name in sorted(sizes) if "/" not in name and name.endswith(TEXTS)] + weights_of(sizes)


def weights_of(names: Iterable[str]) -> list[str]:
    """The files with weights that transformers loads; empty if it can load none."""
    found = ([name for name in sorted(names) if pattern.fullmatch(name)] for pattern in WEIGHTS)
    return next(filter(None, found), [])


def from_hub(model: str, spare_gb: float) -> dict[str, Any]:
    """Download what the cache lacks of a model; its name, commit, licence, bytes and files.

    Raises:
        ValueError: it has no weights.
        OSError: the disk is too small.
        HfHubHTTPError, HTTPError, OfflineModeIsEnabled: the hub cannot be reached, or refuses.
    """
    info = HfApi().model_info(model, files_metadata=True)
    sizes = {each.rfilename: each.size or 0 for each in info.siblings or []}
    files = needed(sizes)
    if not weights_of(sizes):
        raise ValueError(f"{model}: the repository has no weights that transformers loads (model.safetensors)")
    total = sum(sizes[name] for name in files)
    licence = info.card_data.license if info.card_data is not None else None
    print(
        f"download/{model}: {total / GB:,.3f} GB in {len(files)} files, licence {licence or 'not stated'}", flush=True
    )
    lacking = [name for name in files if not isinstance(try_to_load_from_cache(model, name, revision=info.sha), str)]
    to_come = sum(sizes[name] for name in lacking)
    check_space(Path(constants.HF_HUB_CACHE), to_come, spare_gb, f"download/{model}", "set HF_HOME to another disk")
    # Of the branch, not of info.sha: the jobs ask for the branch, and the cache then knows the commit that it was.
    folder = Path(snapshot_download(model, allow_patterns=files))
    return {"model": model, "commit": folder.name, "licence": licence, "bytes": total, "files": files}


def from_cache(model: str) -> dict[str, Any] | None:
    """The same of a model that the cache holds completely, without a network; None if it does not."""
    found = try_to_load_from_cache(model, "config.json")
    if not isinstance(found, str):
        return None
    folder = Path(found).parent  # its name is the commit; a file is linked there once it is complete
    sizes = {path.name: path.stat().st_size for path in folder.iterdir() if path.is_file()}
    files = needed(sizes)
    weights = weights_of(sizes)
    listed = {name for index in folder.glob("*.index.json") for name in read_json(index)["weight_map"].values()}
    if not weights or not {name for name in listed if Path(name).suffix == Path(weights[0]).suffix} <= {*weights}:
        return None
    card = folder / "README.md"
    licence = ModelCard.load(card).data.license if card.exists() else None
    print(f"download/{model}: the hub cannot be reached; commit {folder.name} is in the cache")
    total = sum(sizes[name] for name in files)
    return {"model": model, "commit": folder.name, "licence": licence, "bytes": total, "files": files}


def fetch(model: str, spare_gb: float) -> dict[str, Any]:
    """A model in the cache: its name, commit, licence, bytes and files.

    Raises:
        OSError: one line: no such model, a licence to accept, no network, or no space.
    """
    try:
        return from_hub(model, spare_gb)
    except GatedRepoError:
        raise OSError(
            f"{model}: gated; accept its licence on {constants.ENDPOINT}/{model}, then log in with `hf auth login` (or"
            " set HF_TOKEN) and run again"
        ) from None
    except (RepositoryNotFoundError, HFValidationError):
        raise OSError(
            f"{model}: no file or folder of this name is here, and {constants.ENDPOINT} has no such model (or shows it"
            " to its members only)"
        ) from None
    except UNREACHABLE as error:
        if cached := from_cache(model):
            return cached
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise OSError(
            f"{model}: {constants.ENDPOINT} cannot be reached ({reason}), and the cache {constants.HF_HUB_CACHE} lacks"
            " the model or a part of it; run `snakemake prefetch` where there is a network, with the same HF_HOME"
        ) from None


def main() -> None:
    """Command line of rule download_model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="its name on the hub")
    parser.add_argument("--spare-gb", type=float, required=True, help="gigabytes to leave free on the disk")
    parser.add_argument("--done", required=True, help="JSON: model, commit, licence, bytes, files")
    args = parser.parse_args()
    write_json(args.done, fetch(args.model, args.spare_gb))


if __name__ == "__main__":
    run(main)
