"""Published test sets by their entry in the configuration: from a folder, or from a download that stands."""

from pathlib import Path

import pytest

from scripts.common.cuts import read_cuts
from scripts.common.files import read_csv, write_jsonl
from tests.corpus.test_manifest import cut
from tests.corpus.testsets import LEXICAL, SYNTACTIC, sentence_row, sound, word_row, write_gold
from tests.workflow.conftest import Workflow

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
        write_jsonl(folder / f"{split}.jsonl.gz", [cut(f"{split}-0", recording)])
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
    lexicon = (made / "lexicon.txt").read_text()
    assert "BARKS" in lexicon
    assert "DAG" not in lexicon  # a pseudo-word's phones stay with its cut
    # Later stages look for the sounds where the test set is, and for the corpus' own where that is.
    done = workflow.snakemake("--dry-run", "--printshellcmds", *config, "--", "units")
    assert done.stdout.count("--audio-root data/slm21 ") == 4  # aligning and encoding, twice
    assert done.stdout.count("--audio-root stories ") == 2
    assert "--audio-root audio " in done.stdout
