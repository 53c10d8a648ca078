"""Costs of a run by rule, stage and modality: jobs, core-hours, GPU-hours, bytes."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from scripts.common.files import read_yaml
from scripts.common.stages import PIPELINE
from scripts.download.registry import read_registry
from scripts.plan import work
from scripts.plan.amounts import Amounts
from scripts.plan.profile import Profile

GIGA = 1e9
# The archive of Libri-Light with the audio of each part of LibriHeavy; the evaluation parts are in large.
ARCHIVES = {"small": "librilight-small", "medium": "librilight-medium"}
LARGE = "librilight-large"
LINKED = ("seeds", "shares")  # prefixes of rules that link or copy a modality's tokens


class Cost(NamedTuple):
    """Costs of a rule or a stage.

    Attributes:
        name: the rule or the stage.
        jobs: number of jobs.
        core_hours: core-hours allocated to its jobs, those of GPU jobs included.
        gpu_hours: GPU-hours allocated to its jobs.
        longest_hours: hours of the longest job.
        download_gb: gigabytes downloaded.
        written_gb: gigabytes written.
        temporary_gb: the part of these that is deleted after use.
    """

    name: str
    jobs: int
    core_hours: float
    gpu_hours: float
    longest_hours: float
    download_gb: float
    written_gb: float
    temporary_gb: float


def datasets(config: Mapping[str, Any]) -> list[str]:
    """What the run downloads, by names of the registry: for the sources, the published tasks and the recogniser."""
    corpus = config["corpus"]
    names: list[str] = []
    if corpus["source"] == "libriheavy":
        section = corpus["libriheavy"]
        for part in [*section["train"], *section["dev"]]:
            names += [f"libriheavy-{part}"] if section["manifests"] is None else []
            names += [ARCHIVES.get(part, LARGE)] if section["audio_root"] is None else []
    if corpus["source"] == "librispeech" and corpus["librispeech"]["audio_root"] is None:
        section = corpus["librispeech"]
        names += [f"librispeech-{subset}" for subset in [*section["train"], *section["dev"]]]
    if corpus["source"] != "world":
        tasks = corpus[corpus["source"]]["tasks"].values()
        names += [task["dataset"] for task in tasks if not isinstance(task, str) and "dataset" in task]
    if config["continuation"]["prompts"]:
        whisper = f"whisper-{config['continuation']['recogniser']}"
        names += [whisper] if whisper in read_registry() else []
    return list(dict.fromkeys(names))


def download(config: Mapping[str, Any], jobs: int, registry: Path) -> Cost:
    """The datasets: their bytes come in, their content stays; a core hashes while they come."""
    entries = read_yaml(registry)["datasets"]
    sizes = [
        ((entry["bytes"] or entry["about_bytes"]) / GIGA, entry["unpacked"])
        for entry in (entries[name] for name in datasets(config))
    ]
    fetched = sum(size for size, _ in sizes)
    rate = config["plan"]["download_mb_per_second"] * 3.6  # GB per hour
    longest = max((size for size, _ in sizes), default=0.0) / rate
    return Cost(
        "download_dataset", jobs, fetched / rate, 0.0, longest, fetched, sum(size * more for size, more in sizes), 0.0
    )


def held_seconds(rule: str, jobs: int, amounts: Amounts) -> float:
    """Total run time of the jobs of a rule, in seconds.

    Training is assumed to scale linearly with the number of GPUs.
    """
    done = work.rule_work(rule, amounts)
    return jobs * amounts.config["plan"]["start_seconds"][done.start] + done.seconds / _devices(rule, amounts)


def _devices(rule: str, amounts: Amounts) -> int:
    return max(1, amounts.config["cluster"]["gpus"]["lm"]) if rule == "lm_train" else 1


def rule_cost(rule: str, jobs: int, amounts: Amounts, profile: Profile) -> Cost:
    """All jobs of one rule."""
    config, done = amounts.config, work.rule_work(rule, amounts)
    gpus = config["cluster"]["gpus"][done.gpu_stage] if done.gpu_stage else 0
    gpus = min(1, gpus) if rule == "continuation_judge_train" else gpus
    threads = {
        "units": config["units"]["threads"],
        "lm": config["lm"]["training"]["threads"],
        "continuation": config["continuation"]["threads"],
    }.get(done.gpu_stage or "", 1)
    threads += config["units"]["decode_workers"] if rule.startswith("units_extract") else 0
    threads = max(threads * _devices(rule, amounts), profile.request(rule).cpus or 1)
    held = held_seconds(rule, jobs, amounts)
    longest = (done.seconds / jobs if done.longest is None else done.longest) / _devices(rule, amounts)
    return Cost(
        rule,
        jobs,
        held * threads / 3600,
        held * gpus / 3600,
        (config["plan"]["start_seconds"][done.start] + longest) / 3600,
        0.0,
        (done.kept + done.temporary) / GIGA,
        done.temporary / GIGA,
    )


def rule_costs(config: Mapping[str, Any], jobs: Mapping[str, int], registry: Path, profile: Profile) -> list[Cost]:
    """The cost of every rule of a run, sorted by stage. Rules of no stage (targets) are left out."""
    amounts = Amounts(config)
    known = [rule for rule in jobs if rule.split("_")[0] in (*PIPELINE, *LINKED)]
    costs = [
        download(config, jobs[rule], registry)
        if rule == "download_dataset"
        else rule_cost(rule, jobs[rule], amounts, profile)
        for rule in known
    ]
    return sorted(costs, key=lambda cost: (PIPELINE.index(stage_of(cost.name)), cost.name))


def stage_of(rule: str) -> str:
    """The stage of a rule; seeds_tokens and shares_tokens belong to tokens."""
    stage = rule.split("_")[0]
    return "tokens" if stage in LINKED else stage


def total(name: str, costs: Iterable[Cost]) -> Cost:
    """The sum of several costs, with the longest job of all."""
    rows = list(costs)
    return Cost(
        name,
        sum(row.jobs for row in rows),
        sum(row.core_hours for row in rows),
        sum(row.gpu_hours for row in rows),
        max((row.longest_hours for row in rows), default=0.0),
        sum(row.download_gb for row in rows),
        sum(row.written_gb for row in rows),
        sum(row.temporary_gb for row in rows),
    )


def stage_costs(costs: Iterable[Cost], models_gb: float) -> list[Cost]:
    """The cost of every stage that has jobs. Models downloaded by name count under download."""
    rows = list(costs)
    stages = [total(stage, (row for row in rows if stage_of(row.name) == stage)) for stage in PIPELINE]
    with_models = stages[0]._replace(
        download_gb=stages[0].download_gb + models_gb, written_gb=stages[0].written_gb + models_gb
    )
    return [stage for stage in [with_models, *stages[1:]] if stage.jobs or stage.download_gb]


def peak_gb(stages: Iterable[Cost]) -> float:
    """Upper bound of the disk usage: all kept and all temporary files at the same time."""
    return sum(stage.written_gb for stage in stages)


def kept_gb(stages: Iterable[Cost]) -> float:
    """Disk usage at the end of the run."""
    return sum(stage.written_gb - stage.temporary_gb for stage in stages)


class ModelCost(NamedTuple):
    """Size and cost of a modality's model; `seen_tokens` are over all epochs, `hours` of one core or GPU."""

    modality: str
    tokens_per_second: float
    train_tokens: float
    seen_tokens: float
    parameters: int
    hours: float


def model_costs(config: Mapping[str, Any]) -> list[ModelCost]:
    """The cost of every modality's model; hours include its models of other seeds and of shares of the data."""
    amounts, epochs = Amounts(config), config["lm"]["training"]["epochs"]
    return [
        ModelCost(
            name,
            amounts.rates[name],
            amounts.tokens(name, "train"),
            epochs * amounts.tokens(name, "train"),
            amounts.parameters(name),
            sum(work.training_seconds(amounts, name, share) for _, of, share in work.models(config) if of == name)
            / 3600,
        )
        for name in config["modalities"]
    ]
