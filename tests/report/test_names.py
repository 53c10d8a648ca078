import pytest

from scripts.report.names import display, spaced


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("text-bpe", "Text-BPE"),
        ("speech-hubert", "Speech-HuBERT"),
        ("phone-repeat", "Phone-Repeat"),
        ("swuggy", "sWUGGY"),
        ("sblimp", "sBLIMP"),
        ("topic-storycloze", "Topic-SC"),
        ("my-units-25hz", "My-Units-25hz"),
        ("spoken-storycloze", "Spoken-Storycloze"),
    ],
)
def test_display(name, shown):
    assert display(name) == shown


def test_spaced():
    assert spaced("bits_per_second") == "bits per second"
    assert spaced("pnmi") == "PNMI"
