"""Check that a pretrained network was loaded completely."""

from collections.abc import Container, Mapping
from typing import Any


def check_complete(where: str, loading: Mapping[str, Any], unused: Container[str] = ()) -> None:
    """Raise if the file lacks weights of the network: transformers would initialise them at random.

    Args:
        where: prefix of the message: the file and the config key that names it.
        loading: the loading info of `from_pretrained(..., output_loading_info=True)`.
        unused: weights that the network does not need.

    Raises:
        ValueError: naming the first one that is missing.
    """
    missing = sorted(name for name in loading["missing_keys"] if name not in unused)
    if missing:
        raise ValueError(f"{where}: {len(missing)} weights are missing from the file, e.g. {missing[0]}")
