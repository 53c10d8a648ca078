"""The `alignment` section of the configuration, as both steps read it."""

import json
from dataclasses import dataclass, fields

SECTION = "alignment"


@dataclass(frozen=True)
class Config:
    """Checked settings; config.yaml describes each key.

    Attributes:
        sample_hours: speech the acoustic model is trained on.
        frame_shift_ms: hop of the acoustic features.
        gaussians: Gaussians of the final model, all states together.
        iterations: passes over the sample.
        beam: first beam and the wider one of the second attempt.
        oov: "drop", "guess" or "noise".
        min_log_likelihood: log-likelihood per frame, against that of the best sounds whatever they are, under
            which an utterance is dropped (scripts/alignment/confidence.py).
        triphone: None for monophones, or {"leaves", "gaussians"} of the triphone model trained after them.
    """

    sample_hours: float = 0.5
    frame_shift_ms: float = 10.0
    gaussians: int = 1000
    iterations: int = 30
    beam: tuple[float, float] = (10.0, 40.0)
    oov: str = "drop"
    min_log_likelihood: float = -6.0
    triphone: dict[str, int] | None = None

    def __post_init__(self) -> None:
        for key in ("sample_hours", "frame_shift_ms", "gaussians", "iterations"):
            if getattr(self, key) <= 0:
                raise ValueError(f"{SECTION}.{key} is {getattr(self, key)}; it must be positive")
        if len(self.beam) != 2 or not 0 < self.beam[0] < self.beam[1]:
            raise ValueError(
                f"{SECTION}.beam is {list(self.beam)}; it must be two rising positive numbers, e.g. [10, 40]"
            )
        if self.triphone is not None and sorted(self.triphone) != ["gaussians", "leaves"]:
            raise ValueError(f"{SECTION}.triphone is {self.triphone}; it must be null or hold leaves and gaussians")
        if self.oov not in ("drop", "guess", "noise"):
            raise ValueError(f"{SECTION}.oov is {self.oov!r}; it must be 'drop', 'guess' or 'noise'")


def parse(text: str) -> Config:
    """A Config from the JSON a rule hands over; keys left out keep their defaults.

    Raises:
        ValueError: not a JSON object, an unknown key, or an impossible value.
    """
    try:
        given = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"--config: not JSON ({error.msg})") from None
    unknown = set(given) - {field.name for field in fields(Config)}
    if unknown:
        raise ValueError(f"{SECTION}.{min(unknown)}: no such key")
    if "beam" in given:
        given["beam"] = tuple(given["beam"])
    return Config(**given)
