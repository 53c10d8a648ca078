"""Parts of tokens by hand: one sentence as text, phones and frames."""

from collections.abc import Sequence

import numpy as np
import pytest

from scripts.common.cuts import phone_alignment
from scripts.common.frames import frame_centres
from scripts.evaluation import bit_breakdown
from scripts.evaluation.bits import utterance
from scripts.tokens.modality import Modality
from scripts.tokens.sources import NO_TABLES, READERS, Utterance
from tests.factories.cuts import aligned_cut

TEXT = Modality("text", "char", name="t")
PHONES = Modality("phones", "symbol", name="p", silence="keep")
UNITS = Modality("units", "symbol", name="u", frame_rate=50.0)


def a_dog() -> dict:
    """0.4 s: silence, "a" of one phone, "dog" of three, silence; a phone every 40 ms, silences of 120 ms."""
    phones, at = [], 0.0
    for name, seconds in (("SIL", 0.12), ("AH0", 0.04), ("D", 0.04), ("AO1", 0.04), ("G", 0.04), ("SIL", 0.12)):
        phones.append((name, round(at, 4), seconds))
        at += seconds
    return aligned_cut("c", "A dog.", phones, 0.4, words=[("A", 0.12, 0.04), ("DOG", 0.16, 0.12)])


def parts(cut: dict, symbols: Sequence[str], spans: list[tuple[int, int]], modality: Modality) -> list[str]:
    """The parts of symbols that stand for the characters, kept phones or frames of a cut, one by one."""
    places = np.arange(len(symbols))
    if modality.silence == "drop":
        places = np.flatnonzero([name != "SIL" for name, *_ in phone_alignment(cut)])
    read = Utterance(cut["id"], symbols, places, cut["duration"], 0, 0)
    return bit_breakdown.parts(cut, read, spans, modality)


def read_as(modality: Modality, stream: np.ndarray | None = None) -> Utterance:
    """The sentence as a modality has it."""
    found = READERS[modality.source, modality.framed](a_dog(), modality, stream, NO_TABLES, "c")
    return Utterance("c", found.names, found.places, 0.4, 2, 0)


def each(symbols: list[str] | str) -> list[tuple[int, int]]:
    return [(at, at + 1) for at in range(len(symbols))]


def test_text_by_characters_and_by_pieces() -> None:
    found = parts(a_dog(), "A dog.", each("A dog."), TEXT)
    assert found == ["word", "between", "initial", "internal", "final", "between", "end"]
    pieces = [(0, 0), (0, 1), (1, 3), (3, 4), (4, 6)]  # "" "A" " d" "o" "g."
    assert parts(a_dog(), "A dog.", pieces, TEXT) == [*("between", "word", "initial", "internal", "final", "end")]


def test_apostrophes_and_hyphens_are_inside_words() -> None:
    cut = a_dog()
    cut["supervisions"][0]["custom"]["texts"][0] = "it's well-read"
    found = parts(cut, "it's well-read", each("it's well-read"), TEXT)
    assert [found.count(part) for part in ("initial", "internal", "final", "between", "end")] == [2, 9, 2, 1, 1]


@pytest.mark.parametrize("silence", ["keep", "drop"])
def test_phones(silence: str) -> None:
    modality = Modality("phones", "symbol", name="p", silence=silence)
    symbols = ["SIL", "AH0", "D", "AO1", "G", "SIL"] if silence == "keep" else ["AH0", "D", "AO1", "G"]
    around = ["between"] if silence == "keep" else []
    expected = [*around, "word", "initial", "internal", "final", *around, "end"]
    assert parts(a_dog(), symbols, each(symbols), modality) == expected


def test_frames_that_repeat() -> None:
    centres = frame_centres(19)  # 0.4 s less what no window reaches
    at = np.searchsorted([0.12, 0.16, 0.2, 0.24, 0.28], centres, side="right")
    symbols = ["17", "5", "4", "8", "8", "17"]
    found = parts(a_dog(), [symbols[i] for i in at], each(at.tolist()), UNITS)
    in_words = [found[i] for i in range(19) if 0 < at[i] < 5]
    # "a" and the beginning of "dog" have units of their own, its end has that of the phone before.
    assert in_words == ["word", "repeated", "initial", "repeated", "internal", *["repeated"] * 3]
    assert found[0] == "between"
    assert set(found[1:6]) == {"repeated-between"}


def test_symbols_that_are_changed_keep_their_part() -> None:
    plain = Modality("text", "char", name="t", punctuation="drop", spaces="drop")
    assert bit_breakdown.parts(a_dog(), read_as(plain), each("Adog"), plain) == [
        *("word", "initial", "internal", "final", "end")
    ]
    words = Modality("phones", "symbol", name="p", silence="drop", word_boundaries="keep")
    read = read_as(words)
    assert list(read.symbols) == ["AH0", "|", "D", "AO1", "G"]
    assert bit_breakdown.parts(a_dog(), read, each(list(read.symbols)), words) == [
        *("word", "between", "initial", "internal", "final", "end")
    ]
    twice = Modality("phones", "symbol", name="p", frame_rate=50.0, durations=2)
    assert bit_breakdown.parts(a_dog(), read_as(twice), each("x" * 12), twice) == [
        *("between", "repeated-between", "word", "repeated", "initial", "repeated", "internal", "repeated"),
        *("final", "repeated", "between", "repeated-between", "end"),
    ]


def test_units_without_repeats_and_at_half_their_rate() -> None:
    frames = np.repeat(np.arange(6), [6, 2, 2, 2, 2, 5]).astype(np.uint16)
    for rate in (50.0, 25.0):
        modality = Modality("units", "symbol", name="u", frame_rate=rate, repeats="drop")
        read = read_as(modality, frames)
        assert len(read.symbols) == 6
        found = bit_breakdown.parts(a_dog(), read, each(list(read.symbols)), modality)
        assert found == ["between", "word", "initial", "internal", "final", "between", "end"]


def test_lengths_of_runs_are_repeats() -> None:
    counted = Modality("phones", "symbol", name="p", frame_rate=50.0, repeats="count")
    utterance = read_as(counted)
    assert utterance.symbols == ["SIL", "x6", "AH0", "x2", "D", "x2", "AO1", "x2", "G", "x2", "SIL", "x5"]
    found = bit_breakdown.parts(a_dog(), utterance, each(utterance.symbols), counted)
    assert found[:-1:2] == ["between", "word", "initial", "internal", "final", "between"]
    assert found[1::2] == ["repeated-between", *["repeated"] * 4, "repeated-between"]


def test_foreign_tokens_have_no_place() -> None:
    modality = Modality("tokens", "symbol", name="x")
    assert parts(a_dog(), ["5", "6"], each("56"), modality) == ["unplaced", "unplaced", "end"]


def test_parts_that_do_not_fit_the_tokens_name_the_cut() -> None:
    with pytest.raises(ValueError, match="cut c: has 3 tokens, its tokenizer makes 2; encode dev again"):
        bit_breakdown.table([utterance(a_dog())], {"c": np.zeros(3)}, [("c", ["word", "end"])], 5, 1)
