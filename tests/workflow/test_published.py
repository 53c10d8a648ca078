"""Published test sets by their entry in the configuration: from a folder, or from a complete download."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile
import yaml

from scripts.alignment.config import Aligning
from scripts.common import audio
from scripts.common.cuts import phone_alignment, pronunciations, read_cuts, speaker, spoken_text
from scripts.common.files import read_csv, read_jsonl, write_jsonl
from scripts.common.frames import SAMPLE_RATE, frame_count
from scripts.common.ragged import load_bin
from scripts.corpus.config import CutRules, Limits
from scripts.tokens.modality import from_config, to_json
from scripts.units.config import Extraction
from tests.corpus.published.testsets import LEXICAL, SYNTACTIC, sentence_row, sound, word_row, write_gold
from tests.factories.cuts import make_cut
from tests.factories.settings import settings
from tests.factories.workflow import Workflow

pytestmark = pytest.mark.slow
TASKS = """
  swuggy: {format: slm21-lexical, split: dev, dataset: slm21}
  sblimp: {format: slm21-syntactic, split: dev, dataset: slm21}
  topic-storycloze: {format: storycloze, folder: stories}
"""


def corpus(folder: Path) -> str:
    """A corpus of two recordings, a finished download of sLM21 and a folder of stories; the overlay that names them."""
    for name in ("r0", "r1"):
        sound(folder / f"audio/{name}.wav", 2.0)
    for split, recording in (("train", "r0"), ("dev", "r1")):
        write_jsonl(folder / f"{split}.jsonl.gz", [make_cut(f"{split}-0", recording)])
    words = [word_row(i, voice, side) for i in (1, 2) for voice in ("A", "B") for side in (0, 1)]
    write_gold(folder / "data/slm21/sLM21-dataset/lexical/dev", LEXICAL, [*words, word_row(3, "A", 1)])
    sentences = [sentence_row(1, "A", subtype, side) for subtype in ("x", "y") for side in (0, 1)]
    write_gold(folder / "data/slm21/sLM21-dataset/syntactic/dev", SYNTACTIC, sentences)
    (folder / "data/.state").mkdir()
    (folder / "data/.state/slm21.done").write_text("{}\n")
    for name in ("0_a_correct", "0_a_incorrect"):
        sound(folder / f"stories/{name}.wav").with_suffix(".txt").write_text("The end.")
    tasks = TASKS.replace("\n  ", "\n      ")
    return f"""
name: published
corpus:
  source: manifest
  shards: {{train: 1, dev: 1}}
  manifest:
    train: train.jsonl.gz
    dev: dev.jsonl.gz
    audio_root: audio
    tasks: {tasks}"""


def test_test_sets_become_tasks(workflow: Workflow):
    config = ("--configfile", workflow.overlay(corpus(workflow.folder)))
    workflow.snakemake(*config, "--", "corpus")
    made = workflow.folder / "results/published/corpus"
    counts = {path.name.split(".")[0]: len(list(read_cuts(path))) for path in (made / "tasks").iterdir()}
    assert counts == {"swuggy": 8, "sblimp": 4, "topic-storycloze": 2}
    assert {row["id"]: row["reason"] for row in read_csv(made / "dropped.csv")} == {"3/A": "no-partner"}
    lexicon = (made / "lexicon_tasks.txt").read_text()
    assert "BARKS" in lexicon
    assert "BARKS" not in (made / "lexicon.txt").read_text()
    assert "DAG" not in lexicon  # a pseudo-word's phones stay with its cut
    # Later stages look for the sounds where the test set is, and for the corpus' own where that is.
    done = workflow.snakemake("--dry-run", "--printshellcmds", *config, "--", "units")
    assert done.stdout.count("--audio-root data/slm21 ") == 4  # aligning and encoding, twice
    assert done.stdout.count("--audio-root stories ") == 2
    assert "--audio-root audio " in done.stdout
    # A further test set makes no model anew: none of them waits for a job of a task.
    jobs = workflow.would_run(*config, "--forceall", "--", "results/published/lm/speech-hubert/model")
    assert {"alignment_train", "units_kmeans", "lm_train"} <= jobs
    assert not [job for job in jobs if "task" in job]


def published_words(results: Path, folder: Path) -> dict[str, str]:
    """The smoke experiment's first words and pseudo-words as sLM21 publishes such: phones by file name."""
    said = {
        side["text"].upper(): side["words"][0]["phones"]
        for line in read_jsonl(results / "corpus/script/tasks/swuggy.jsonl.gz")
        for side in (line["positive"], *line["negatives"])
    }
    rows, phones = [], {}
    items = list(read_jsonl(results / "corpus/tasks/swuggy.jsonl.gz"))[:8]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(item["id"] for item in items))}
    for item in items:
        for side, correct in (("positive", 1), ("negative", 0)):
            word, voice = spoken_text(item[side]), speaker(item[side])
            row = word_row(numbers[item["id"]], voice, correct, word=word.lower(), phones=said[word])
            rows.append(row)
            phones[row["filename"]] = said[word]
            sound(folder / f"{row['filename']}.wav")
    write_gold(folder, LEXICAL, rows)
    cuts = [item[s] for item in read_jsonl(results / "corpus/tasks/swuggy.jsonl.gz") for s in ("positive", "negative")]
    for side, name in zip(cuts, phones, strict=False):
        soundfile.write(folder / f"{name}.wav", audio.read(side, results / "corpus/audio"), SAMPLE_RATE)
    return phones


def test_every_modality_reads_both_sides_of_a_published_set(smoke: Workflow, tmp_path: Path):
    results = smoke.folder / "results/smoke"
    phones = published_words(results, tmp_path / "slm21/lexical/dev")

    def step(module: str, **flags: object) -> None:
        words = [part for key, value in flags.items() for part in (f"--{key.replace('_', '-')}", str(value))]
        subprocess.run([sys.executable, "-m", module, *words], cwd=smoke.folder, check=True, capture_output=True)

    at = {name: tmp_path / f"{name}.jsonl.gz" for name in ("raw", "checked", "aligned")}
    step("scripts.corpus.published.tasks", task="swuggy", folder=tmp_path / "slm21", out=at["raw"],
         dropped=tmp_path / "0.csv", config=json.dumps({"format": "slm21-lexical", "split": "dev"}),
         limits=settings(Limits, "corpus"))  # fmt: skip
    step("scripts.corpus.speech.manifest_tasks", task="swuggy", items=at["raw"], audio_root=tmp_path / "slm21",
         out=at["checked"], dropped=tmp_path / "1.csv", config=settings(CutRules, "corpus"))  # fmt: skip
    step("scripts.alignment.align", cuts=at["checked"], audio_root=tmp_path / "slm21", split="swuggy",
         model=results / "alignment/model", lexicon=results / "corpus/lexicon_tasks.txt", out=at["aligned"],
         dropped=tmp_path / "2.csv", guessed=tmp_path / "3.csv", config=settings(Aligning, "alignment"))  # fmt: skip
    config = yaml.safe_load((smoke.folder / "config.yaml").read_text())
    units = yaml.safe_load((smoke.folder / "workflow/configs/smoke.yaml").read_text())["units"]
    step("scripts.units.extract", cuts=at["aligned"], audio_root=tmp_path / "slm21", encoder=results / "units/encoder",
         kmeans=results / "units/kmeans.npy", about=results / "units/kmeans.json", threads=1,
         config=settings(Extraction, "units", **units), output=tmp_path / "units.npz")  # fmt: skip

    cuts = {side["id"]: side for side in read_cuts(at["aligned"])}
    assert len(cuts) >= 14  # of 16; the smoke experiment's aligner has heard nine minutes
    for name, side in cuts.items():
        assert pronunciations(side) == {spoken_text(side): phones[name]}
        assert [phone for phone, *_ in phone_alignment(side) if phone != "SIL"] == phones[name].split()
    for modality, line in config["modalities"].items():
        flags = {"units": tmp_path / "units.npz"} if line["source"] == "units" else {}
        step("scripts.tokens.encode", cuts=at["aligned"], tokenizer=results / f"tokens/{modality}/tokenizer",
             modality=to_json(from_config(modality, line, config["tokens"])), output=tmp_path / f"{modality}.bin",
             **flags)  # fmt: skip
        tokens = load_bin(tmp_path / f"{modality}.bin").by_id()
        assert set(tokens) == set(cuts)
        if "frame_rate" in line:
            lengths = {name: frame_count(round(side["duration"] * SAMPLE_RATE)) for name, side in cuts.items()}
            assert {name: len(ids) - 2 for name, ids in tokens.items()} == lengths
