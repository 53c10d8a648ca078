"""What depends on the step alone: the learning rate, evaluations, and after which steps the model is kept."""

import math

import numpy as np

from scripts.lm.config import TrainingConfig


def warmup_steps(steps: int, config: TrainingConfig) -> int:
    """Optimizer steps of linear warm-up in a training of `steps`."""
    return max(1, round(config.warmup_share * steps))


def learning_rate(step: int, steps: int, config: TrainingConfig) -> float:
    """Learning rate of optimizer step `step` (from 0) out of `steps`: linear warm-up to the peak, then cosine."""
    warmup = warmup_steps(steps, config)
    if step < warmup:
        return config.learning_rate * (step + 1) / warmup
    progress = (step - warmup + 1) / max(1, steps - warmup)
    floor = config.final_learning_rate_share
    return config.learning_rate * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * progress)))


def scaling_steps(steps: int, count: int, warmup: int) -> list[int]:
    """Steps of the first epoch after which the model is kept, log-spaced from the end of the warm-up to its end.

    The first one is at 1/32 of the epoch where the warm-up is shorter, and at half of it where the warm-up is longer
    than that. They are counted in utterances, so that all modalities are kept after the same speech.

    Args:
        steps: optimizer steps in the first epoch.
        count: how many to keep; every step where there are fewer.
        warmup: optimizer steps of warm-up, in which a model says more about the learning rate than about the data.
    """
    count = min(count, steps)
    first = max(1.0, steps / 32, min(warmup, steps / 2))
    steps_kept = [max(1, round(step)) for step in np.geomspace(first, steps, count)]
    for i in range(1, count):  # rounding may give a step twice: move the second one up,
        steps_kept[i] = max(steps_kept[i], steps_kept[i - 1] + 1)
    for i in range(count):  # but not past the end
        steps_kept[i] = min(steps_kept[i], steps - (count - 1 - i))
    return steps_kept


def evaluation_steps(steps: int, count: int) -> list[int]:
    """Steps of an epoch, from 1, after which the dev loss is measured: evenly, the last one among them.

    Args:
        steps: optimizer steps in an epoch.
        count: how many; fewer where there are fewer steps.
    """
    return sorted({max(1, round(steps / count * n)) for n in range(1, count + 1)})
