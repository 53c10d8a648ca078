"""The memory that a job of each rule needs, in gigabytes, as far as it grows with the configuration.

Measured where docs/ names a measurement, else counted from what the step holds; imports and libraries are START_GB.
"""

from collections.abc import Callable

from scripts.plan import work
from scripts.plan.amounts import Amounts

GIGA = 1e9
START_GB = {"light": 0.1, "numeric": 0.2, "torch": 0.4}  # by kind of start-up
SAMPLE_HOUR = (
    0.02e9  # growth with an hour of the aligner's sample: 87 MiB at 0.25 h, 101 MiB at 1 h (docs/alignment.md)
)
CUT = 1e4  # a cut of a shard under alignment: 33 MiB for ten hours (docs/alignment.md)
LISTED_CUT, SHARD = 24.0, 0.35e6  # per cut, and per open shard, while a manifest is split into shards (docs/data.md)
ENCODER = 0.75e9  # the encoder at work on 60 seconds (docs/units.md)
TRAINED, SAVED, LOADED = 16, 12, 8  # bytes per parameter: in training; a copied state; read from a file and held


def needed_gb(rule: str, amounts: Amounts) -> float:
    """Gigabytes of the largest job of a rule; 0 for a rule whose memory does not grow with the configuration."""
    if rule not in FORMULAS:
        return 0.0
    return START_GB[work.rule_work(rule, amounts).start] + FORMULAS[rule](amounts) / GIGA


def _largest(amounts: Amounts) -> int:
    return max(amounts.parameters(modality) for modality in amounts.rates)


def _manifest(split: str) -> Callable[[Amounts], float]:
    return lambda amounts: LISTED_CUT * amounts.utterances[split] + SHARD * amounts.config["corpus"]["shards"][split]


def _align(amounts: Amounts) -> float:
    shards = amounts.config["corpus"]["shards"]
    return CUT * max(count / shards[split] for split, count in amounts.utterances.items())


def _align_task(amounts: Amounts) -> float:
    return CUT * max((size.sides for size in amounts.tasks.values()), default=0)


def _sample(amounts: Amounts) -> float:
    """The sample's frames in float32, as they are collected, joined and clustered."""
    units = amounts.config["units"]
    return ENCODER + 3.0 * 4 * units["sample_frames"] * amounts.config["plan"]["encoder_width"]


def _train(amounts: Amounts) -> float:
    """Weights, gradients and moments, or with GPUs the weights of every process; and the copy of a state."""
    gpus = amounts.config["cluster"]["gpus"]["lm"]
    return (SAVED + (LOADED * gpus if gpus else TRAINED)) * _largest(amounts)


def _loaded(amounts: Amounts) -> float:
    return float(LOADED * _largest(amounts))


FORMULAS: dict[str, Callable[[Amounts], float]] = {
    "corpus_manifest_train": _manifest("train"),
    "corpus_manifest_dev": _manifest("dev"),
    "alignment_train": lambda amounts: SAMPLE_HOUR * amounts.config["alignment"]["sample_hours"],
    "alignment_align": _align,
    "alignment_align_task": _align_task,
    "units_kmeans": _sample,
    "units_quality": _sample,
    "units_extract": lambda amounts: ENCODER,
    "units_extract_task": lambda amounts: ENCODER,
    "lm_train": _train,
    "evaluation_score": _loaded,
    "evaluation_scaling": _loaded,
    "evaluation_controls": _loaded,
    "continuation_generate": _loaded,
}
