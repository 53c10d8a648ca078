"""From folders of sound to lines of text; text is its own transcript."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from scripts.common.files import read_jsonl, write_jsonl
from scripts.continuation import transcribe
from scripts.continuation.judge_text import corpus_texts, world_texts
from tests.factories.cuts import sentences_cut


def item(name: str, symbols: str = "A B") -> dict:
    return {"id": name, "prompt": "p", "seed": 0, "stop": "eos", "tokens": [1, 2], "symbols": symbols}


def lengths(waves: Sequence[np.ndarray]) -> Iterator[str]:
    """A recogniser whose transcript is the duration of the sound."""
    return (f"SAMPLES {len(wave)}" for wave in waves)


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    folder = tmp_path / "speech"
    folder.mkdir()
    rows = []
    for name, count in (("a", 500), ("c", 700)):
        soundfile.write(folder / f"{name}.flac", np.full(count, 0.1), 16000)
        rows.append({"id": name, "file": f"{name}.flac", "seconds": count / 16000, "silence": 0.0})
    rows.insert(1, {"id": "b", "file": None, "seconds": 0.0, "silence": None})
    write_jsonl(folder / "index.jsonl", rows)
    return folder


def test_every_continuation_has_a_line_and_its_own_text(speech: Path, tmp_path: Path):
    write_jsonl(tmp_path / "items.jsonl", [item("c"), item("b", ""), item("a")])
    found = transcribe.rows(tmp_path / "items.jsonl", speech, lengths)
    assert [(row["id"], row["text"], row["tokens"]) for row in found] == [
        ("c", "SAMPLES 700", 2),
        ("b", "", 2),
        ("a", "SAMPLES 500", 2),
    ]


def test_text_is_its_own_transcript(tmp_path: Path, run_step):
    write_jsonl(tmp_path / "items.jsonl", [item("a", "A dog sat.")])
    run_step(transcribe.main, "--items", tmp_path / "items.jsonl", "--out", tmp_path / "out.jsonl")
    (row,) = read_jsonl(tmp_path / "out.jsonl")
    assert (row["text"], row["seconds"]) == ("A dog sat.", None)


def test_audio_of_zero_length_or_damaged_is_refused_by_name(speech: Path):
    soundfile.write(speech / "a.flac", np.zeros(0), 16000)
    with pytest.raises(ValueError, match=r"speech/a.flac: (0 samples at 16000 Hz|cannot be decoded)"):
        transcribe.transcribe(speech, lengths)
    (speech / "a.flac").write_bytes(b"not audio")
    with pytest.raises(ValueError, match=r"speech/a.flac: cannot be decoded"):
        transcribe.transcribe(speech, lengths)


def test_real_cuts_are_transcribed_speaker_by_speaker(tmp_path: Path):
    soundfile.write(tmp_path / "r.flac", np.full(16000 * 20, 0.1), 16000)
    cuts = [sentences_cut("u1", speaker="z"), sentences_cut("u2", sentences=2, speaker="a")]
    found = list(transcribe.transcribe_cuts(cuts, str(tmp_path), lengths))
    assert [row["id"] for row in found] == ["u2", "u1"]
    assert found[1]["text"] == f"SAMPLES {round(16000 * cuts[0]['duration'])}"


def test_kaldi_needs_its_model():
    with pytest.raises(ValueError, match="recogniser is kaldi, which needs alignment/model"):
        transcribe.load("kaldi", None, None, 1)


def test_the_judge_reads_other_sentences_than_the_models(tmp_path: Path):
    first = list(world_texts("small", [], [], 0.05, 180.0, 1))
    assert first == list(world_texts("small", [], [], 0.05, 180.0, 1))
    words = [{"word": word, "after": ""} for word in first[0].split()]
    # The first paragraph is one sentence of a script: none of its sentences is in it, so none is withheld.
    write_jsonl(tmp_path / "a.jsonl", [{"words": [*words[:-1], {**words[-1], "after": "."}]}])
    assert list(world_texts("small", [tmp_path / "a.jsonl"], [], 0.05, 180.0, 1)) == first
    assert all(text == text.lower() and "." not in text for text in first)


def test_a_sentence_that_was_seen_is_withheld(tmp_path: Path):
    from scripts.corpus.world.script import side
    from scripts.corpus.world.story import load_grammar
    from scripts.corpus.world.vocabulary import WORLD, load_lexicon
    from scripts.corpus.world.write import generator, sentence_keys, write_paragraphs

    lexicon = load_lexicon("small")
    rng = generator(1, "continuation", "judge")
    paragraphs = write_paragraphs(lexicon, load_grammar(WORLD), 0.05, 180.0, rng, set())
    seen = [{"words": side(p.sentences, lexicon)["words"]} for p in paragraphs]
    write_jsonl(tmp_path / "script.jsonl", seen)
    keys = {key for line in seen for key in sentence_keys(line["words"]) if len(key.split()) > 4}
    texts = list(world_texts("small", [tmp_path / "script.jsonl"], [], 0.05, 180.0, 1))
    assert not [key for key in keys for text in texts if f" {key} " in f" {text} "]


def test_without_a_world_the_judge_reads_the_training_texts(tmp_path: Path):
    write_jsonl(tmp_path / "0.jsonl.gz", [sentences_cut(sentences=1)])
    assert list(corpus_texts([tmp_path / "0.jsonl.gz"], 1.0, 1)) == ["the dog sat on"]
