"""Networks read from files: all of their weights or none."""

from collections.abc import Container, Mapping
from typing import Any


def check_complete(where: str, loading: Mapping[str, Any], unused: Container[str] = ()) -> None:
    """Refuse a network some of whose weights its file lacks: transformers draws them at random.

    Args:
        where: for the message, the file and the key that names it.
        loading: what `from_pretrained(..., output_loading_info=True)` returns beside the network.
        unused: weights that may be absent.

    Raises:
        ValueError: naming the first one that is missing.
    """
    missing = sorted(name for name in loading["missing_keys"] if name not in unused)
    if missing:
        raise ValueError(f"{where}: {len(missing)} weights are missing from the file, e.g. {missing[0]}")
