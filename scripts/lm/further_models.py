"""Models beside the modalities' own: every modality once more for each value of one setting."""

from collections.abc import Callable, Iterable
from typing import TypeVar

Value = TypeVar("Value")
Model = TypeVar("Model")


def further_models(
    modalities: Iterable[str], values: Iterable[Value], name: Callable[[str, Value], str], model: Callable[..., Model]
) -> dict[str, Model]:
    """The models of all modalities with the first value, then with the second, and so on, by name.

    Args:
        modalities: names of the modalities.
        values: those of the setting.
        name: gives a model its name, from modality and value.
        model: makes the entry, from modality and value.
    """
    names = list(modalities)
    return {name(modality, value): model(modality, value) for value in values for modality in names}
