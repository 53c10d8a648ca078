"""Stories: the context is one piece of sound, phone times of the joined side are true, and distances follow them."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from scripts.common.audio import read
from scripts.common.cuts import Cut, spoken_text
from scripts.common.files import read_csv, read_jsonl, write_jsonl
from scripts.common.frames import SAMPLE_RATE
from scripts.corpus.world import speak_tasks
from scripts.corpus.world.espeak import speak
from scripts.corpus.world.prosody import Prosody
from scripts.corpus.world.splice import SpeechCache
from tests.corpus.world.scripts import LIMITS, flags, words

SETTINGS = {"voice": "en-us+f2", "rate": 180, "pitch": 50, "seed": 3}
CONTEXTS = ("the dog sings. the girl sings.", "the water sings? the other dog sings!")
ENDINGS = ("carl sings the idea.", "the apple.")


def side(text: str) -> dict:
    return {"text": text.capitalize(), "words": words(text)}


def story(name: str, mirror: str, context: str, right: str, wrong: str, **more: object) -> dict:
    return {
        "id": f"{name}{mirror}",
        "task": "topic-storycloze",
        "subset": "all",
        "group": "g",
        "couple": name,
        "voices": ["speaker-0", "speaker-1"],
        "context_words": len(context.split()),
        "positive": side(f"{context} {right}"),
        "negatives": [side(f"{context} {wrong}")],
        **more,
    }


def couple(name: str) -> list[dict]:
    return [
        story(name, "a", CONTEXTS[0], *ENDINGS, cue=1, target=9),
        story(name, "b", CONTEXTS[1], *ENDINGS[::-1], cue=1, target=8),
    ]


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, lines: list[dict], **more: object) -> list[dict]:
    write_jsonl(folder / "script.jsonl.gz", lines)
    paths = {
        "script": folder / "script.jsonl.gz",
        "audio": folder / "audio/tasks/topic",
        "source": "tasks/topic",
        "items": folder / "items.jsonl.gz",
        "dropped": folder / "dropped.csv",
    }
    monkeypatch.setattr("sys.argv", ["speak_tasks", *flags(**paths, **more)])
    speak_tasks.main()
    return list(read_jsonl(folder / "items.jsonl.gz"))


@pytest.fixture
def spoken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, list[dict]]:
    return tmp_path / "audio", run(tmp_path, monkeypatch, [*couple("t0"), *couple("t1")])


def ending(cut: Cut, item: dict, root: Path) -> np.ndarray:
    return read(cut, root)[round(item["shared_seconds"] * SAMPLE_RATE) :]


def test_both_sides_begin_with_the_same_samples(spoken: tuple[Path, list[dict]]):
    root, items = spoken
    assert len(items) == 8
    for item in items:
        shared = round(item["shared_seconds"] * SAMPLE_RATE)
        one, two = read(item["positive"], root), read(item["negative"], root)
        assert shared > SAMPLE_RATE
        np.testing.assert_array_equal(one[:shared], two[:shared])
        noise = one[shared - 400 : shared]  # the splice lies in the pause, under its noise
        assert 0 < np.abs(noise).max() < 0.01
        assert np.abs(one[shared : shared + 400] - two[shared : shared + 400]).max() > 0  # and the noise goes on anew


def test_an_ending_sounds_the_same_after_either_context(spoken: tuple[Path, list[dict]]):
    """Up to noise and gain, which are the item's."""
    root, items = spoken
    by_id = {(item["id"], item["positive"]["supervisions"][0]["speaker"]): item for item in items}
    for (name, speaker), item in by_id.items():
        if not name.endswith("a"):
            continue
        mirror = by_id[name[:-1] + "b", speaker]
        for own, other in (("positive", "negative"), ("negative", "positive")):
            one, two = ending(item[own], item, root), ending(mirror[other], mirror, root)
            assert len(one) == len(two)
            assert np.corrcoef(one, two)[0, 1] > 0.999


def test_items_keep_only_what_later_stages_read(spoken: tuple[Path, list[dict]]):
    _, items = spoken
    expected = {"id", "task", "subset", "group", "couple", "positive", "negative", "shared_seconds", "distance_seconds"}
    for item in items:
        assert set(item) == expected
        assert spoken_text(item["positive"]) != spoken_text(item["negative"])


@pytest.mark.parametrize("rate", [150, 180, 210])
def test_phone_times_of_a_joined_side_are_true(rate: int):
    settings = {**SETTINGS, "rate": rate}
    first, second = words(CONTEXTS[0]), words(ENDINGS[0])
    context, end = speak(first, **settings), speak(second, **settings)
    spoken = SpeechCache().speak([*first, *second], len(first), Prosody(settings, -3.0))
    phones, wave = spoken.speech.phones, spoken.speech.wave
    assert [p for p, *_ in phones if p != "SIL"] == [p for w in [*first, *second] for p in w["phones"].split()]
    assert phones[0][1] == 0
    assert phones[-1][2] == pytest.approx(len(wave) / SAMPLE_RATE)
    assert all(before[2] == after[1] for before, after in pairwise(phones))
    # The phones of the ending lie in the joined wave where they lie in the ending alone.
    offset = len(phones) - len(end.phones)
    for (symbol, start, stop), (name, alone, until) in zip(phones[offset + 1 :], end.phones[1:], strict=True):
        assert symbol == name
        at, of = round(start * SAMPLE_RATE), round(alone * SAMPLE_RATE)
        length = min(round((stop - start) * SAMPLE_RATE), round((until - alone) * SAMPLE_RATE))
        np.testing.assert_array_equal(wave[at : at + length], end.wave[of : of + length])
    # The pause is as long as espeak-ng's own between these sentences, and silent.
    pauses = [stop - start for symbol, start, stop in speak([*first, *second], **settings).phones if symbol == "SIL"]
    symbol, start, stop = phones[offset]
    assert symbol == "SIL"
    assert stop - start == pytest.approx(pauses[2], abs=0.01)
    middle = wave[round((start + 0.05) * SAMPLE_RATE) : round((stop - 0.05) * SAMPLE_RATE)]
    assert np.abs(middle).max() < 0.02 * np.abs(wave).max()
    # Guessed starts are the same phones as in the parts.
    guessed = [context.phones[i][0] for i in context.unsure] + [end.phones[i][0] for i in end.unsure]
    assert guessed
    assert [phones[i][0] for i in spoken.speech.unsure] == guessed


def test_distance_is_between_the_true_starts_of_the_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """`sings` ends sentence one; with the cue next to it the distance is less than with one further back."""
    far, near = (story("t0", "a", CONTEXTS[0], *ENDINGS, cue=cue, target=4) for cue in (0, 3))
    lines = [{**far, "id": "far", "couple": "x"}, {**near, "id": "near", "couple": "x"}]
    items = run(tmp_path, monkeypatch, lines)
    distances = {(i["id"], i["positive"]["supervisions"][0]["speaker"]): i["distance_seconds"] for i in items}
    for speaker in ("speaker-0", "speaker-1"):
        far_seconds, near_seconds = distances["far", speaker], distances["near", speaker]
        assert 0.05 < near_seconds < 0.3 < far_seconds < 3
        assert round(far_seconds, 3) == far_seconds
    line = {key: value for key, value in far.items() if key not in ("cue", "target")}
    assert "distance_seconds" not in run(tmp_path, monkeypatch, [line])[0]


def test_word_starts_are_those_of_the_first_phones():
    text = words("the girl sings. ten dog")
    speech = speak(text, **SETTINGS)
    starts = speak_tasks.word_starts(text, speech)
    names = [symbol for symbol, *_ in speech.phones]
    marked = [speech.phones[names.index(symbol)][1] for symbol in ("DH", "G", "S", "T", "D")]
    assert starts[:3] == pytest.approx(marked[:3], abs=1e-6)
    assert starts[4] == pytest.approx(marked[4], abs=1e-6)
    assert marked[3] - 0.06 < starts[3] <= marked[3]  # a voiceless stop may have its closure before the mark


def test_a_story_that_fails_takes_its_mirror_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    long = story("t2", "a", f"{CONTEXTS[0]} {CONTEXTS[1]} {CONTEXTS[0]}", *ENDINGS)
    short = story("t2", "b", CONTEXTS[1], *ENDINGS[::-1])
    items = run(tmp_path, monkeypatch, [*couple("t0"), long, short], limits={**LIMITS, "max_seconds": 5.5})
    assert {item["id"] for item in items} == {"t0a", "t0b"}
    rows = {row["id"]: row["reason"] for row in read_csv(tmp_path / "dropped.csv")}
    assert rows == {"t2a": "unspeakable", "t2b": "couple-incomplete"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"context_words": 5}, "pair t0a: context_words is 5; the 5th word must end a sentence"),
        ({"context_words": 10}, "must begin with that context and go on"),
        ({"negatives": [side("carl sings. the girl sings. the apple.")]}, "must begin with that context and go on"),
        ({"cue": 9, "target": 4}, "pair t0a: cue 9 and target 4 must be 0 <= cue < target < 10"),
        ({"cue": 1, "target": 10}, "cue 1 and target 10"),
        ({"cue": 1}, "one of cue and target"),
    ],
)
def test_a_line_that_contradicts_itself_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict, message: str
):
    with pytest.raises(ValueError, match=message):
        run(tmp_path, monkeypatch, [{**story("t0", "a", CONTEXTS[0], *ENDINGS), **change}])
