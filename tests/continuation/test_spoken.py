import pytest

from scripts.continuation.spoken import has_clock, why_left_out
from scripts.tokens.modality import from_config

TEXT = {"source": "text", "tokenizer": "char"}
PHONES = {"source": "phones", "tokenizer": "symbol"}
UNITS = {"source": "units", "tokenizer": "symbol", "frame_rate": 50}


def modality(line):
    return from_config("m", line, {"silence": "keep"})


@pytest.mark.parametrize(
    ("line", "clock"),
    [
        (TEXT, False),
        ({**TEXT, "case": "drop", "punctuation": "drop"}, False),
        (PHONES, False),
        ({**PHONES, "noise": 0.2}, False),
        ({**PHONES, "frame_rate": 50, "durations": 2}, True),
        ({**PHONES, "frame_rate": 25, "repeats": "drop"}, False),
        (UNITS, True),
        ({**UNITS, "relabel": "majority-phone"}, True),
        ({**UNITS, "relabel": "majority-phone", "repeats": "drop"}, False),
    ],
)
def test_what_can_be_spoken_and_whether_its_durations_are_known(line, clock):
    assert why_left_out(modality(line), units_made_here=True) is None
    assert has_clock(modality(line)) == clock


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({**TEXT, "spaces": "drop"}, "no spaces, so no words to judge"),
        ({**PHONES, "stress": "drop"}, "knows phones with stress only"),
        ({**PHONES, "word_boundaries": "keep"}, "knows no boundaries"),
        ({**PHONES, "frame_rate": 50, "variants": ["third"]}, "knows one symbol per phone"),
        ({**PHONES, "frame_rate": 25}, "the voice has 50 frames per second"),
        ({**UNITS, "repeats": "drop"}, "no voice predicts how long units without repeats last"),
        ({**UNITS, "repeats": "count"}, "the voices read frames, not lengths of runs"),
        ({**PHONES, "frame_rate": 50, "repeats": "count"}, "the voices read frames, not lengths of runs"),
        ({**UNITS, "frame_rate": 12.5}, "the voice has 50 frames"),
        ({"source": "tokens", "tokenizer": "symbol", "vocab_size": 9, "external": "x"}, "prompts cannot be encoded"),
    ],
)
def test_what_is_left_out_and_why(line, reason):
    assert reason in str(why_left_out(modality(line), units_made_here=True))


def test_units_made_elsewhere():
    assert "units of its prompts cannot be encoded" in str(why_left_out(modality(UNITS), units_made_here=False))
    assert why_left_out(modality(PHONES), units_made_here=False) is None
