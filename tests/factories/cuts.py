"""Cuts of made-up utterances, as the corpus writes them and as the alignment stage hands them on."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from scripts.common.cuts import Cut
from scripts.common.seeds import generator
from scripts.corpus.speech.transcripts import to_words

RATE = 16_000

HUMMED_PHONES = ["SIL", "AA1", "AA0", "S", "M"]  # of `hummed_cut`

WORDS = ["THE", "DOG", "SAT", "ON", "A", "MAT", "CAT", "RAN", "TO", "ME"]  # of `sentences_cut`
LETTER_PHONES = ["SIL", *"BDFGKLMNPRSTVWYZ"]  # ARPAbet's names of one letter

# Of `spoken_cut`.
TEXTS = [
    "The cat sat on the mat.",
    "A dog, said she; the dog ran!",
    "The cats were on the mats.",
    "Did the dog sit? The dog sat.",
    "On the mat the cat ran, and the dogs ran.",
    "She said: the cat and the dog sat.",
]
LEXICON = {
    "A": "AH0",
    "AND": "AH0 N D",
    "CAT": "K AE1 T",
    "CATS": "K AE1 T S",
    "DID": "D IH1 D",
    "DOG": "D AO1 G",
    "DOGS": "D AO1 G Z",
    "MAT": "M AE1 T",
    "MATS": "M AE1 T S",
    "ON": "AA1 N",
    "RAN": "R AE1 N",
    "SAID": "S EH1 D",
    "SAT": "S AE1 T",
    "SHE": "SH IY1",
    "SIT": "S IH1 T",
    "THE": "DH AH0",
    "WERE": "W ER0",
}

Timed = tuple[str, float, float]  # symbol, start and duration in seconds


def make_cut(
    name: str = "u1",
    recording: str = "r0",
    text: str = "Hello, world.",
    duration: float = 1.0,
    *,
    speaker: str = "s",
    source: str | None = None,
    pronunciations: dict[str, str] | None = None,
    **fields: object,
) -> Cut:
    """A cut in LibriHeavy's schema, from a recording of 700 s.

    Args:
        name: its id.
        recording: id of its recording.
        text: book text; the spoken one follows from it, unless digits leave open how it was spoken.
        duration: seconds.
        speaker: of its supervision.
        source: the recording's file; `recording` with .wav if None.
        pronunciations: of words, in the supervision's `custom`.
        fields: further keys of the cut, or other values of its keys.
    """
    texts = [text] if any(map(str.isdigit, text)) else [text, to_words(text)]
    return {
        "id": name,
        "start": 0.0,
        "duration": duration,
        "channel": 0,
        "supervisions": [
            {
                "id": name,
                "recording_id": recording,
                "start": 0.0,
                "duration": duration,
                "channel": 0,
                "language": "English",
                "speaker": speaker,
                "custom": {"texts": texts} | ({"pronunciations": pronunciations} if pronunciations else {}),
            }
        ],
        "recording": {
            "id": recording,
            "sources": [{"type": "file", "channels": [0], "source": source or f"{recording}.wav"}],
            "sampling_rate": RATE,
            "num_samples": RATE * 700,
            "duration": 700.0,
            "channel_ids": [0],
        },
        "type": "MonoCut",
        **fields,
    }


def aligned_cut(
    name: str,
    text: str,
    phones: Iterable[Timed],
    duration: float,
    *,
    words: Iterable[Timed] = (),
    speaker: str = "speaker-0",
    source: str | None = None,
    **fields: object,
) -> Cut:
    """A cut as the alignment stage writes it."""
    cut = make_cut(name, text=text, duration=duration, speaker=speaker, source=source, **fields)
    cut["supervisions"][0]["alignment"] = {
        tier: [[symbol, start, seconds, -50.0] for symbol, start, seconds in items]
        for tier, items in (("phone", phones), ("word", words))
    }
    return cut


def hummed_cut(name: str, file: str, start: float, samples: int, speaker: str = "a") -> Cut:
    """A part of a file, with HUMMED_PHONES of 0.1 s in turn."""
    duration = samples / RATE
    edges = [*np.arange(0, max(duration - 0.05, 0.01), 0.1), duration]
    phones = [
        (HUMMED_PHONES[i % len(HUMMED_PHONES)], float(a), float(b - a)) for i, (a, b) in enumerate(pairwise(edges))
    ]
    return aligned_cut(name, "A", phones, duration, speaker=speaker, source=file, start=start)


def lettered_cut(name: str, *, speaker: str = "speaker-0", seconds: float = 1.0, text: str = "A dog.") -> Cut:
    """A cut with one phone per letter of its text, 0.1 s each, after 0.1 s of silence."""
    letters = [letter for letter in text.upper() if letter.isalpha()]
    phones = [("SIL", 0.0, 0.1), *((letter, 0.1 * i, 0.1) for i, letter in enumerate(letters, start=1))]
    return aligned_cut(name, text, phones, seconds, speaker=speaker)


def sentences_cut(name: str = "u1", sentences: int = 4, word_seconds: float = 0.5, speaker: str = "s1") -> Cut:
    """Sentences of four of WORDS, each word two of LETTER_PHONES, 0.1 s of silence before each sentence."""
    words: list[Timed] = []
    phones: list[Timed] = []
    written, at = [], 0.0
    for n in range(sentences):
        phones.append(("SIL", round(at, 4), 0.1))
        at += 0.1
        for i in range(4):
            word = WORDS[(4 * n + i) % len(WORDS)]
            words.append((word, round(at, 4), word_seconds))
            phones += [
                (LETTER_PHONES[1 + (n + i + k) % 16], round(at + k * word_seconds / 2, 4), word_seconds / 2)
                for k in range(2)
            ]
            written.append(word.capitalize() if i == 0 else word.lower() + "." * (i == 3))
            at += word_seconds
    return aligned_cut(
        name, " ".join(written), phones, round(at, 4), words=words, speaker=speaker, source="r.flac", start=1.0
    )


def spoken_cut(name: str, text: str) -> Cut:
    """A cut whose words follow LEXICON, phones of 10 to 130 ms drawn from the cut's name."""
    draw = generator(0, name)
    symbols = ["SIL"]
    for word in to_words(text).split():
        symbols += LEXICON[word].split()
        symbols += ["SIL"] if draw.random() < 0.2 else []
    symbols += ["SIL"] if symbols[-1] != "SIL" else []
    lengths = draw.integers(1, 14, len(symbols)) / 100
    ends = np.round(np.cumsum(lengths), 4)
    starts: Sequence[float] = [0.0, *ends[:-1].tolist()]
    phones = [(symbol, start, round(end - start, 4)) for symbol, start, end in zip(symbols, starts, ends, strict=True)]
    return aligned_cut(name, text, phones, float(ends[-1]))
