"""espeak-ng synthesises the given phones, with the same result whatever it synthesised before."""

import subprocess
import sys

import numpy as np
import pytest

from scripts.corpus.pronounce import cmudict_entries
from scripts.corpus.world.espeak import (
    MARGIN,
    MNEMONICS,
    SpeechError,
    check_voice,
    mnemonic,
    phoneme_text,
    reconcile,
    speak,
)
from tests.corpus.world.scripts import CONFIG, words

SETTINGS = {"rate": 180, "pitch": 50, "seed": 3}


def phones_of(text: list[dict[str, str]]) -> list[str]:
    return [phone for word in text for phone in word["phones"].split()]


@pytest.mark.parametrize("voice", CONFIG["voices"])
def test_every_phone_of_cmudict_comes_back_once_and_in_order(voice: str):
    entries = cmudict_entries()
    rng = np.random.default_rng(0)
    names = [name for name in entries if name.isalpha()]
    for _ in range(15):
        picked = [names[i] for i in rng.integers(len(names), size=12)]
        ends = rng.choice(["", "", "", ",", ".", "?"], size=12)
        text = [
            {"word": name, "phones": " ".join(entries[name][-1]), "after": str(after)}
            for name, after in zip(picked, ends, strict=True)
        ]
        speech = speak(text, voice=voice, **SETTINGS)
        assert [phone for phone, _, _ in speech.phones if phone != "SIL"] == phones_of(text)
        starts, ends_ = [p[1] for p in speech.phones], [p[2] for p in speech.phones]
        assert starts[0] == 0
        assert starts[1:] == ends_[:-1]
        assert ends_[-1] == pytest.approx(len(speech.wave) / 16_000, abs=1e-5)
        assert all(end > start for _, start, end in speech.phones)


def test_all_arpabet_phones_are_known():
    seen = {phone.rstrip("012") for found in cmudict_entries().values() for phones in found for phone in phones}
    assert seen == set(MNEMONICS)


def test_the_wave_has_its_margins_and_no_clipping():
    speech = speak(words("the dog."), voice="en-us+m1", **SETTINGS)
    assert speech.wave.dtype == np.float32
    assert speech.phones[0][0] == speech.phones[-1][0] == "SIL"
    assert speech.phones[0][2] == pytest.approx(MARGIN, abs=1e-4)
    assert speech.phones[-1][2] - speech.phones[-1][1] == pytest.approx(MARGIN, abs=1e-4)
    inside = speech.wave[int(0.06 * 16_000) : -int(0.06 * 16_000)]
    edges = np.concatenate([speech.wave[: int(0.03 * 16_000)], speech.wave[-int(0.02 * 16_000) :]])
    assert np.sqrt(np.mean(inside**2)) > 20 * np.sqrt(np.mean(edges**2))
    assert np.abs(speech.wave).max() <= 1.0


def test_a_comma_makes_a_pause_and_rate_and_pitch_act():
    plain = speak(words("the dog the girl"), voice="en-us+m1", **SETTINGS)
    comma = speak(words("the dog, the girl"), voice="en-us+m1", **SETTINGS)
    assert [p for p, _, _ in plain.phones].count("SIL") == 2
    assert [p for p, _, _ in comma.phones].count("SIL") == 3
    fast = speak(words("the dog the girl"), voice="en-us+m1", rate=250, pitch=50, seed=3)
    assert fast.seconds < 0.85 * plain.seconds


def test_sounds_are_where_the_times_say():
    """The noise of S is within its times: high frequencies there, low ones in the vowels."""
    speech = speak(words("the girl sings"), voice="en-us+m3", **SETTINGS)

    def high_share(phone: str) -> float:
        start, end = next((s, e) for p, s, e in speech.phones if p == phone)
        power = np.abs(np.fft.rfft(speech.wave[round(start * 16_000) : round(end * 16_000)])) ** 2
        return float(power[len(power) * 3 // 8 :].sum() / power.sum())  # above 3 kHz

    assert high_share("S") > 0.5
    assert high_share("ER1") < 0.1


@pytest.mark.parametrize("voice", ["en-us+m1", "en-us+f2"])  # f2 has breath, which espeak-ng draws at random
def test_what_was_spoken_before_does_not_matter(voice: str):
    first = speak(words("the dog."), voice=voice, **SETTINGS)
    speak(words("the girl sings."), voice="en-us+f4", rate=220, pitch=70, seed=9)
    again = speak(words("the dog."), voice=voice, **SETTINGS)
    np.testing.assert_array_equal(first.wave, again.wave)
    assert first.phones == again.phones


def test_another_process_says_the_same():
    code = (
        "from scripts.corpus.world.espeak import speak; from tests.corpus.world.scripts import words; import hashlib;"
        "print(hashlib.sha256(speak(words('the dog.'), voice='en-us+f2', rate=180, pitch=50, seed=3).wave.tobytes())"
        ".hexdigest())"
    )
    digests = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout for _ in "ab"
    }
    assert len(digests) == 1


def test_a_tap_is_never_made_of_t():
    """Otherwise `latter` and `ladder` would sound alike and a pseudo-word could be a word."""
    assert mnemonic("T") == "t2"


def test_phoneme_text_marks_stress_before_the_vowel():
    assert phoneme_text(words("the dog, the idea?")) == "[[D|@]] [[d|'O:|g]], [[D|@]] [[aI|d|'i:|@]]?"


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ({"word": "x", "phones": "K XX1", "after": ""}, "word 'x': 'XX1' is not an ARPAbet phone"),
        ({"word": "x", "phones": "", "after": ""}, "word 'x': has no phones"),
        ({"word": "x", "phones": "K", "after": "]]"}, "word 'x': is followed by"),
    ],
)
def test_bad_words_are_named(word: dict[str, str], says: str):
    with pytest.raises(ValueError, match=says.replace("]", r"\]")):
        phoneme_text([word])


def test_unknown_voices_are_refused():
    check_voice("en-us")
    for voice in ("en-us+nobody", "de", "en-us+", "en-us+../m1x"):
        with pytest.raises(ValueError, match=r"corpus\.world\.voices: espeak-ng has no voice"):
            check_voice(voice)


def test_reconcile_joins_glides_and_splits_liquids():
    events = [("k", 10), ("'A:", 20), ("r", 100), ("_:", 100), ("_", 120)]
    assert reconcile(["K", "AA1", "R"], events, 130, 5) == (
        [("K", 10, 20), ("AA1", 20, 68), ("R", 68, 100), ("SIL", 100, 130)],
        [2],
    )
    events = [("'3:", 0), ("r-", 50), ("@", 60)]
    assert reconcile(["ER1", "AH0"], events, 90, 5)[0] == [("ER1", 0, 60), ("AH0", 60, 90)]


@pytest.mark.parametrize(
    ("events", "says"),
    [
        ([("k", 0)], "left out AA1"),
        ([("k", 0), ("'A:", 5), ("p", 9)], "spoke 'p' where nothing was expected"),
        ([("k", 0), ("'E", 5)], "spoke 'E' where AA1 was expected"),
        ([("k", 5), ("'A:", 5)], "gave K no time"),
    ],
)
def test_what_cannot_be_reconciled_is_an_error(events: list[tuple[str, int]], says: str):
    with pytest.raises(SpeechError, match=says):
        reconcile(["K", "AA1"], events, 20, 0)
