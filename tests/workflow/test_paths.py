"""Paths of the user's with spaces, apostrophes, brackets, other scripts or a leading dash reach the steps whole."""

import json
import shlex
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.common.files import read_jsonl, write_jsonl
from scripts.project.check import check
from scripts.project.defaults import default_config
from scripts.project.paths import hide_dashes
from tests.corpus.published.testsets import LEXICAL, word_row, write_gold
from tests.factories.workflow import Workflow, copy_repository
from tests.workflow.test_external import corpus

ODD = '-o\'k [é] "b" $c `d` *;&'  # a component of every path
TARGETS = ("report", "audio_check", "alignment_exchange", "submission", "download", "download_check", "unit_quality")


def smoke_config(workflow: Workflow) -> dict[str, Any]:
    return yaml.safe_load((workflow.folder / "workflow/configs/smoke.yaml").read_text()) | {"name": "odd"}


def make(place: Path, *names: str) -> None:
    """Empty files, and folders for names that end in a slash: a dry run asks for no more."""
    for name in names:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).mkdir(exist_ok=True) if name.endswith("/") else (place / name).touch()


def pair(cuts: list[dict[str, Any]]) -> dict[str, Any]:
    """A task item of two cuts."""
    return {"id": "i", "subset": "all", "group": "g", "positive": cuts[0], "negative": cuts[1]}


def tasks() -> dict[str, Any]:
    return {
        "mine": f"{ODD}/mine.jsonl.gz",
        "words": {"format": "slm21-lexical", "split": "dev", "folder": f"{ODD}/slm"},
        "stories": {"format": "storycloze", "dataset": "tsc", "transcripts": f"{ODD}/texts.tsv"},
    }


SOURCES: dict[str, dict[str, Any]] = {
    "manifest": {"train": f"{ODD}/t.jsonl.gz", "dev": f"{ODD}/d.jsonl.gz", "audio_root": f"{ODD}/audio"},
    "folder": {"audio_root": f"{ODD}/audio", "train": f"{ODD}t", "dev": f"{ODD}d"},
    "libriheavy": {"train": ["small"], "dev": [], "manifests": f"{ODD}/cuts", "audio_root": f"{ODD}/audio"},
}


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("elsewhere", [False, True])
def test_every_command_has_the_users_paths_in_one_piece(workflow: Workflow, source: str, elsewhere: bool):
    make(workflow.folder, *(f"{ODD}/{name}" for name in (
        "t.jsonl.gz", "d.jsonl.gz", "mine.jsonl.gz", "lexicon", "texts.tsv", "prompts.yaml", "scores.txt", "text.jsonl",
        "slm/", "cuts/libriheavy_cuts_small.jsonl.gz", f"audio/{ODD}t/", f"audio/{ODD}d/", "times/", "units/",
        "tokens/", "encoder/config.json", "judge/config.json")))  # fmt: skip
    config = smoke_config(workflow) | {"download": {"folder": f"{ODD}/data", "datasets": ["tsc"]}}
    section = {**SOURCES[source], "lexicon": f"{ODD}/lexicon", "tasks": tasks()}
    config["corpus"] = {"source": source, source: section, "prompts": f"{ODD}/prompts.yaml"}
    config["evaluation"] = {
        **config.get("evaluation", {}),
        "text_tasks": {"blimp": f"{ODD}/text.jsonl"},
        "external_systems": {"theirs": {"mine": f"{ODD}/scores.txt"}},
        "score_normalization": "per_token",
    }
    targets = TARGETS
    if elsewhere:
        config["alignment"] = {"external": f"{ODD}/times"}
        config["units"] = {"external": f"{ODD}/units", "clusters": 20}
        given = {"source": "tokens", "tokenizer": "symbol", "vocab_size": 9, "external": f"{ODD}/tokens"}
        config["modalities"]["given"] = given
        config["continuation"] = {"prompts": 0}
        targets = tuple(name for name in TARGETS if name != "unit_quality")
    else:
        config["units"].setdefault("encoder", {})["source"] = f"{ODD}/encoder"
        config["continuation"] = {**config["continuation"], "prompts_from": "list"}
        config["continuation"]["judge"] = {**config["continuation"].get("judge", {}), "source": f"{ODD}/judge"}
    overlay = workflow.overlay(json.dumps(config))
    done = workflow.snakemake("--dry-run", "--printshellcmds", "--configfile", overlay, "--", *targets)
    commands = [line.strip() for line in done.stdout.splitlines() if "python -m scripts." in line]
    assert len(commands) > 40
    flags = {"--manifest", "--items", "--lexicon", "--folder", "--audio-root", "--done", "--scores"}
    seen = set()
    for command in commands:
        words = shlex.split(command)
        for before, word in pairwise(words):
            if "o'k" in word:
                assert (json.dumps(ODD)[1:-1] if word[0] in "[{" else ODD) in word, command
                assert word[0] in "/{[", command  # nothing that looks like a flag; JSON holds whole paths as well
                seen.add(before)
            assert word not in {"[é]", "x", "$c", "`d`"}, command
    if source == "manifest" and not elsewhere:
        assert flags <= seen, flags - seen


@pytest.mark.slow
def test_rules_run_in_a_folder_of_an_odd_name(tmp_path: Path):
    """The repository, and so its results, below a space and an apostrophe; the data below more than these."""
    workflow = Workflow(copy_repository(tmp_path / "it's me"))
    mine = workflow.folder / ODD
    make(mine, "times/", "data/", "units/")
    parts = {split: corpus(mine, split, count) for split, count in (("train", 6), ("dev", 4))}
    write_jsonl(mine / "items.jsonl.gz", [pair(parts["dev"][0])])
    for split, (cuts, _) in parts.items():
        write_jsonl(mine / f"{split}.jsonl.gz", cuts)
    for name in ("words", "phones"):
        lines = [text for _, found in parts.values() for kind, text in found if kind == name]
        (mine / f"times/{name}.ctm").write_text("".join(f"{line}\n" for line in lines))
    (mine / "lexicon").write_text("THOUGHTFUL TH AO1 T F AH0 L\n")
    write_gold(mine / "slm/lexical/dev", LEXICAL, [word_row(1, "A", side) for side in (1, 0)])
    config = smoke_config(workflow) | {"download": {"folder": f"{ODD}/data"}, "continuation": {"prompts": 0}}
    section = {
        "train": f"{ODD}/train.jsonl.gz",
        "dev": f"{ODD}/dev.jsonl.gz",
        "audio_root": ODD,
        "lexicon": f"{ODD}/lexicon",
        "tasks": {"mine": f"{ODD}/items.jsonl.gz", "words": {**tasks()["words"]}},
    }
    config["corpus"] = {"source": "manifest", "shards": {"train": 2, "dev": 1}, "manifest": section}
    config["alignment"] = {"external": f"{ODD}/times"}
    config["units"] = {"external": f"{ODD}/units", "clusters": 20}
    overlay = workflow.overlay(json.dumps(config))
    wanted = [f"results/odd/{name}" for name in ("alignment/cuts/train/0.jsonl.gz", "alignment/cuts/train/1.jsonl.gz",
              "alignment/tasks/mine.jsonl.gz", "corpus/tasks/words.jsonl.gz",
              "corpus/lexicon_tasks.txt", "corpus/dropped.csv")]  # fmt: skip
    workflow.snakemake("--configfile", overlay, "--", *wanted)
    first, second, mine_kept, words = (len(list(read_jsonl(workflow.folder / name))) for name in wanted[:4])
    assert (first + second, mine_kept, words) == (6, 1, 1)
    assert "THOUGHTFUL TH AO1 T F AH0 L" in (workflow.folder / wanted[4]).read_text().splitlines()
    assert workflow.would_run("--configfile", overlay, "--", *wanted) == set()


@pytest.mark.parametrize("wrong", ["data {1}", "data\n1"])
def test_a_path_that_snakemake_cannot_take_is_refused(wrong: str):
    config = default_config()
    config["corpus"]["manifest"]["tasks"] = {"words": {**tasks()["words"], "folder": wrong}}
    with pytest.raises(ValueError, match=r"corpus\.manifest\.tasks\.words\.folder is 'data.*; Snakemake cannot"):
        check(config)


def test_half_a_character_in_a_path_is_refused():
    config = default_config()
    config["corpus"]["prompts"] = "\ud800"
    with pytest.raises(ValueError, match=r"corpus\.prompts is '\\ud800'; it has half a character"):
        check(config)


def test_only_a_path_loses_its_dash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    config = {"corpus": {"folder": {"audio_root": "-a b", "train": "-t",
                                    "tasks": {"t": "-t", "p": {"folder": "-f", "format": "-"}}},
                         "prompts": "p-"}, "evaluation": {"external_systems": {"x": {"t": "-s"}}},
              "units": {"external": None}}  # fmt: skip
    hide_dashes(config)
    assert config["corpus"]["folder"] == {
        "audio_root": f"{tmp_path}/-a b",
        "train": "-t",  # a folder of audio_root
        "tasks": {"t": f"{tmp_path}/-t", "p": {"folder": f"{tmp_path}/-f", "format": "-"}},
    }
    assert config["corpus"]["prompts"] == "p-"
    assert config["evaluation"] == {"external_systems": {"x": {"t": f"{tmp_path}/-s"}}}
