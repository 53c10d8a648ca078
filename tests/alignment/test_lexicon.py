"""lexicon.txt: every phone is one, or its line is named."""

from pathlib import Path

import pytest

from scripts.alignment.lexicon import read_lexicon


def test_pronunciations_come_in_order_once(tmp_path: Path):
    (tmp_path / "lexicon.txt").write_text("A AH0\n\nA EY1\nA AH0\nПРИВЕТ P R IH0 V Y EH1 T\nUM SPN\n", encoding="utf-8")
    assert read_lexicon(tmp_path / "lexicon.txt") == {
        "A": (("AH0",), ("EY1",)),
        "ПРИВЕТ": (("P", "R", "IH0", "V", "Y", "EH1", "T"),),
        "UM": (("SPN",),),
    }


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("DOG D XX G", "'DOG' has 'XX', not an ARPAbet phone"),
        ("DOG D AO G", "'DOG' has 'AO', not an ARPAbet phone (vowels end in 0, 1 or 2)"),
        ("DOG d ao1 g", "'DOG' has 'd', not an ARPAbet phone"),
        ("the dog barks.", "'the' has 'dog', not an ARPAbet phone"),
        ("DOG 0.5 D AO1 G", "'DOG' has '0.5', not"),
        ("DOG", "'DOG' has no phones"),
        ("DOG SIL D", "'DOG' holds SIL"),
    ],
)
def test_a_line_that_is_none_is_named(tmp_path: Path, line: str, says: str):
    path = tmp_path / "lexicon.txt"
    path.write_text(f"A AH0\n{line}\n")
    with pytest.raises(ValueError) as error:  # noqa: PT011
        read_lexicon(path)
    assert str(error.value).startswith(f"{path}:2: {says}")
    assert "\n" not in str(error.value)
