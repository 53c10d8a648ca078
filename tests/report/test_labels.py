import pytest

from scripts.report.labels import column_words, display_name


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
    assert display_name(name) == shown


def test_spaced():
    assert column_words("bits_per_second") == "bits per second"
    assert column_words("pnmi") == "PNMI"
