"""All prompts of the project can be synthesised unchanged; an error in a prompt file names the entry."""

import re
from pathlib import Path

import lhotse
import pytest

from scripts.common import audio
from scripts.common.cuts import book_text, pronunciations, read_cuts, spoken_text
from scripts.common.files import read_jsonl
from scripts.corpus.pronounce import cmudict_lexicon
from scripts.corpus.world import speak_prompts
from scripts.corpus.world.speak_prompts import read_prompts, words_of
from tests.corpus.world.scripts import flags

SHIPPED = Path("resources/prompts.yaml")


def spoken(folder: Path, monkeypatch: pytest.MonkeyPatch, prompts: Path = SHIPPED) -> Path:
    paths = {
        "prompts": prompts,
        "audio": folder / "audio/prompts",
        "source": "prompts",
        "out": folder / "prompts.jsonl",
        "cuts": folder / "cuts.jsonl.gz",
    }
    given = flags(**paths)
    at = given.index("--limits")  # what is asked for by name has no limits
    monkeypatch.setattr("sys.argv", ["speak_prompts", *given[:at], *given[at + 2 :]])
    speak_prompts.main()
    return folder


def test_the_twenty_shipped_prompts_differ_in_length_and_matter():
    prompts = read_prompts(SHIPPED)
    lengths = sorted(len(prompt["text"].split()) for prompt in prompts)
    assert len(prompts) == len({prompt["topic"] for prompt in prompts}) == 20
    assert lengths[0] <= 5
    assert lengths[10] <= 20
    assert lengths[-1] >= 40
    assert any(prompt["text"].endswith(".") for prompt in prompts)
    assert any(prompt["text"][-1].isalpha() for prompt in prompts)


def test_prompts_become_cuts_with_their_own_audio_text_and_pronunciations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = spoken(tmp_path, monkeypatch)
    rows = list(read_jsonl(folder / "prompts.jsonl"))
    cuts = list(read_cuts(folder / "cuts.jsonl.gz"))
    assert [set(row) for row in rows] == [{"id", "text", "cut", "topic"}] * 20
    assert [row["cut"] for row in rows] == cuts
    assert [row["id"] for row in rows] == [prompt["id"] for prompt in read_prompts(SHIPPED)]
    for row, cut in zip(rows, cuts, strict=True):
        assert book_text(cut) == row["text"]
        assert set(spoken_text(cut).split()) == set(pronunciations(cut))
        wave = audio.read(cut, folder / "audio")
        assert len(wave) == round(cut["duration"] * 16_000)
    assert len({cut["supervisions"][0]["speaker"] for cut in cuts}) == 4
    assert len(list(lhotse.load_manifest_lazy(folder / "cuts.jsonl.gz"))) == 20


def test_punctuation_shapes_the_speech_and_is_no_word():
    words = words_of('"Why, then," he said.', cmudict_lexicon())
    assert [(word["word"], word["after"]) for word in words] == [("why", ","), ("then", ","), ("he", ""), ("said", ".")]
    assert all(word["phones"] for word in words)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[", "not YAML"),
        ("[]", "holds no prompts"),
        ("- {id: a, text: The dog}", "prompt 1: expected {id, topic, text}"),
        ("- {id: a, topic: b, text: 3}", "prompt 1: expected {id, topic, text}"),
        ("- {id: ../a, topic: b, text: The dog}", "id '../a' must be of letters"),
        ("- {id: a, topic: b, text: The dog}\n- {id: a, topic: c, text: The cat}", "prompt 2: id 'a' is used before"),
        ("- {id: a, topic: b, text: The dagwocket}", "prompt a: 'dagwocket' is not in CMUdict"),
        ("- {id: a, topic: b, text: 1865}", "prompt 1: expected"),
        ("- {id: a, topic: b, text: 'in 1865'}", "prompt a: '1865' holds no word"),
        ("- {id: a, topic: b, text: ''}", "prompt a: holds no words"),
    ],
)
def test_a_file_of_prompts_that_cannot_be_used_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, says: str
):
    path = tmp_path / "prompts.yaml"
    path.write_text(content)
    with pytest.raises(ValueError, match=re.escape(says)):
        spoken(tmp_path, monkeypatch, path)
    assert not (tmp_path / "prompts.jsonl").exists()
