"""The files of finished experiments that `snakemake compare` reads, and why an experiment cannot be compared."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.common.files import read_json
from scripts.project.check import task_names
from scripts.project.results_format import FORMAT, format_of
from scripts.project.share import shared_stages


def finished_files(name: str, config: Mapping[str, Any], results: str) -> list[str]:
    """Files of an experiment that a comparison reads; an experiment is finished if it has them all.

    Args:
        name: of its folder, which may have been renamed since.
        config: its resolved configuration.
        results: the folder of all experiments.
    """
    tasks, modalities = task_names(config), list(config["modalities"])
    evaluation, tables = f"{results}/{name}/evaluation", f"{results}/{name}/report/tables"
    texts = [modality for modality in modalities if config["modalities"][modality]["source"] == "text"]
    scored = [(task, modality) for task in tasks for modality in modalities]
    scored += [(task, modality) for task in config["evaluation"]["text_tasks"] for modality in texts]
    scored += [(task, system) for system, given in config["evaluation"]["external_systems"].items() for task in given]
    corpus = f"{results}/{shared_stages(config).get('corpus', name)}/corpus"
    return [
        *(f"{evaluation}/{table}.csv" for table in ("summary", "dropped")),
        *(f"{evaluation}/{task}/{model}.csv" for task, model in scored),
        *(f"{evaluation}/utterance_bits/{modality}.csv" for modality in modalities),
        *(f"{corpus}/tasks/{task}.jsonl.gz" for task in tasks),
        *[f"{tables}/factors.csv"] * bool(tasks and config["factors"]),
        *[f"{tables}/bit_factors.csv"] * bool(config["factors"]),
        *[f"{tables}/seeds.csv"] * bool(tasks and config["seeds"]),
    ]


def compared_files(config: Mapping[str, Any], results: str) -> list[str]:
    """What a comparison reads of the experiments that `compare.with` names.

    Args:
        config: this experiment's resolved configuration.
        results: the folder of all experiments.

    Raises:
        ValueError: one line; there is nothing to compare with, or names an experiment that is absent, of another
            format or unfinished, with the first missing file.
    """
    section = config["compare"]
    if not section["with"] and not section["paper"] and not config["evaluation"]["external_systems"]:
        raise ValueError(
            "config: compare has nothing beside this experiment; name finished experiments in compare.with, set"
            " compare.paper to true, or add evaluation.external_systems (docs/compare.md)"
        )
    return [file for name in section["with"] for file in _files_of(name, results)]


def _files_of(name: str, results: str) -> list[str]:
    folder = Path(results, name)
    if not folder.is_dir():
        others = sorted(file.parent.name for file in Path(results).glob("*/config.json"))
        known = f"; experiments there: {', '.join(others)}" if others else ""
        raise ValueError(f"config: compare.with names {name!r}, but there is no {folder}{known}")
    written = folder / "config.json"
    if not written.is_file():
        raise ValueError(f"config: compare.with names {name!r}, which is unfinished: there is no {written}; run it")
    if (version := format_of(folder)) != str(FORMAT):
        raise ValueError(
            f"config: compare.with names {name!r}, but {folder} holds results of format {version} and this version of"
            f" the workflow reads format {FORMAT}; run that experiment again with this version"
        )
    try:
        files = finished_files(name, read_json(written), results)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{written}: not the configuration of an experiment ({error!r})") from None
    missing = [file for file in files if not Path(file).is_file()]
    if missing:
        raise ValueError(
            f"config: compare.with names {name!r}, which is unfinished: there is no {missing[0]} ({len(missing)} of"
            f" {len(files)} files are missing); run that experiment up to its report"
        )
    return [str(written), *files]
