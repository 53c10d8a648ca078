"""espeak-ng through ctypes: words given as ARPAbet become a waveform with its true phone times.

Words are handed over as phonemes (`[[D@]] [[d|'O:|g]].`), never as letters: a pseudo-word is spoken like
any other, and sound and pronunciation belong together by construction. The table was chosen by listening
to the library's own phoneme events, so that each ARPAbet phone comes back as exactly one of them:
`t2` is the T that never turns into a flap, and `|` keeps two phones from being read as one.

The library carries state from one call to the next (the place in its flutter table, its gain control,
rand()), and `espeak_Initialize` seeds rand() with the time of day. So every utterance is spoken by a
freshly loaded copy with a given seed: the same words and settings give the same samples whatever was
spoken before, at a cost of a few milliseconds.

Interface: espeak-ng 1.52, src/include/espeak-ng/speak_lib.h. The wheel `espeakng-loader` holds library and data.
"""

import _ctypes  # the only way to unload a library
import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import espeakng_loader
import numpy as np

from scripts.common.frames import SAMPLE_RATE

MARGIN = 0.05  # seconds of silence kept before the first and after the last phone
RATES = (80, 450)  # words per minute that espeak-ng can speak
PITCHES = (0, 99)

# ARPAbet -> espeak-ng's mnemonic in its en-us table.
MNEMONICS = {
    "AA": "A:", "AE": "a", "AH": "V", "AO": "O:", "AW": "aU", "AY": "aI", "B": "b", "CH": "tS", "D": "d", "DH": "D",
    "EH": "E", "ER": "3:", "EY": "eI", "F": "f", "G": "g", "HH": "h", "IH": "I", "IY": "i:", "JH": "dZ", "K": "k",
    "L": "l", "M": "m", "N": "n", "NG": "N", "OW": "oU", "OY": "OI", "P": "p", "R": "r", "S": "s", "SH": "S",
    "T": "t2", "TH": "T", "UH": "U", "UW": "u:", "V": "v", "W": "w", "Y": "j", "Z": "z", "ZH": "Z",
}  # fmt: skip
UNSTRESSED = {"AH": "@"}
STRESS = {"0": "", "1": "'", "2": ","}
# What the en-us rules may make of a phone beside its own mnemonic: assimilation and vowel reduction.
VARIANTS = {"AH": {"@", "3"}, "IH": {"I2", "i"}, "N": {"N"}, "ER": {"3"}}
# Glides that espeak-ng puts between two vowels, by the phone before, to which they belong.
GLIDE = {";"}
GLIDES = {"ER": {";", "r", "r-"}}
LIQUIDS = {"L", "R"}
LIQUID_SHARE = 0.6  # of a vowel and a liquid drawn in one, where the liquid is said to begin
LIQUID_SECONDS = 0.04  # a liquid after a vowel with less time than this was drawn in one with it
PHRASING = {"", ",", ".", "?", "!", ";", ":"}  # what may follow a word

_PHONEME = 7  # espeakEVENT_PHONEME
_LIST_END = 0  # espeakEVENT_LIST_TERMINATED
_SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS
_PHONEME_EVENTS = 1  # espeakINITIALIZE_PHONEME_EVENTS
_TEXT_IS_PHONEMES = 0x100 | 1  # espeakPHONEMES | espeakCHARS_UTF8
_RATE, _PITCH = 1, 3  # espeak_PARAMETER


class SpeechError(ValueError):
    """An utterance that espeak-ng did not speak as written."""


@dataclass(frozen=True)
class Speech:
    """A spoken utterance.

    Attributes:
        wave: float32 [N], 16 kHz, with MARGIN of silence at both ends.
        phones: (symbol, start, end) in seconds; ARPAbet with stress and SIL, gapless from 0 to N / 16000.
        unsure: indices of phones whose start is a guess (see `reconcile`).
    """

    wave: np.ndarray
    phones: list[tuple[str, float, float]]
    unsure: list[int]

    @property
    def seconds(self) -> float:
        return len(self.wave) / SAMPLE_RATE


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("name", ctypes.c_char * 8),
    ]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


def mnemonic(phone: str) -> str:
    """espeak-ng's spelling of one ARPAbet phone, e.g. "AE1" -> "'a"; ValueError if there is no such phone."""
    base, stress = (phone[:-1], phone[-1]) if phone[-1:] in STRESS else (phone, "")
    if base not in MNEMONICS:
        raise ValueError(f"{phone!r} is not an ARPAbet phone")
    sound = UNSTRESSED.get(base, MNEMONICS[base]) if stress == "0" else MNEMONICS[base]
    return STRESS.get(stress, "") + sound


def phoneme_text(words: Sequence[Mapping[str, str]]) -> str:
    """The words ({word, phones, after}) as espeak-ng's phoneme input; ValueError names the word that is wrong."""
    parts = []
    for word in words:
        try:
            sounds = "|".join(mnemonic(phone) for phone in word["phones"].split())
        except ValueError as error:
            raise ValueError(f"word {word['word']!r}: {error}") from None
        if not sounds:
            raise ValueError(f"word {word['word']!r}: has no phones")
        if word["after"] not in PHRASING:
            raise ValueError(f"word {word['word']!r}: is followed by {word['after']!r}, expected one of , . ? ! ; :")
        parts.append(f"[[{sounds}]]{word['after']}")
    if not parts:
        raise ValueError("no words to speak")
    return " ".join(parts)


def reconcile(
    phones: Sequence[str], events: Sequence[tuple[str, int]], end: int, shortest: float
) -> tuple[list[tuple[str, float, float]], list[int]]:
    """Name espeak-ng's phoneme events after the ARPAbet phones that caused them, one to one.

    espeak-ng draws many a vowel and the L or R after it (`car`, `fool`) in one movement and leaves the liquid
    little or no time of its own. Such a pair is cut at a fixed share, and the cut reported as unsure.

    Args:
        phones: the requested phones.
        events: (mnemonic, first sample) in order; mnemonics that begin with _ are pauses.
        end: number of samples of the whole utterance.
        shortest: samples under which a liquid after a vowel has no time of its own.

    Returns:
        (phone or SIL, first sample, end sample), gapless from the first event to `end`, pauses joined and empty
        ones left out; and the indices in it of phones whose first sample is unsure.

    Raises:
        SpeechError: a phone is missing, doubled, not the requested one, or has no time.
    """
    named: list[tuple[str, float]] = []
    spoken = 0
    for name, first in events:
        sound = name.lstrip("',%=")
        expected = phones[spoken] if spoken < len(phones) else "nothing"
        if sound.startswith("_"):
            if not named or named[-1][0] != "SIL":
                named.append(("SIL", first))
        elif sound in _sounds(expected):
            named.append((expected, first))
            spoken += 1
        elif not (named and sound in GLIDES.get(_base(named[-1][0]), GLIDE)):
            raise SpeechError(f"espeak-ng spoke {sound!r} where {expected} was expected")
    if spoken < len(phones):
        raise SpeechError(f"espeak-ng left out {phones[spoken]}")

    named = [
        (symbol, first)
        for (symbol, first), (_, after) in zip(named, [*named[1:], ("", end)], strict=True)
        if symbol != "SIL" or after > first
    ]
    starts = [first for _, first in named] + [end]
    unsure = []
    for i in range(1, len(named)):
        liquid, before = _base(named[i][0]), named[i - 1][0]
        sonorant = before[-1].isdigit() or before in LIQUIDS
        if liquid in LIQUIDS and sonorant and starts[i + 1] - starts[i] < shortest:
            starts[i] = round((1 - LIQUID_SHARE) * starts[i - 1] + LIQUID_SHARE * starts[i + 1])
            unsure.append(i)
    for i, (symbol, _) in enumerate(named):
        if starts[i + 1] <= starts[i]:
            raise SpeechError(f"espeak-ng gave {symbol} no time")
    return [(symbol, starts[i], starts[i + 1]) for i, (symbol, _) in enumerate(named)], unsure


def _base(phone: str) -> str:
    return phone.rstrip("012")


def _sounds(phone: str) -> set[str]:
    """The mnemonics under which espeak-ng may report an ARPAbet phone."""
    base = _base(phone)
    return {MNEMONICS[base], *VARIANTS.get(base, ())} if base in MNEMONICS else set()


@cache
def check_voice(voice: str) -> None:
    """ValueError unless `voice` is en-us or one of its variants, such as en-us+f2.

    The library itself silently takes the plain voice where it does not know a variant.
    """
    language, _, variant = voice.partition("+")
    variants = Path(espeakng_loader.get_data_path()) / "voices" / "!v"
    if language != "en-us" or ("+" in voice and (not variant or not (variants / variant).is_file())):
        raise ValueError(f"corpus.world.voices: espeak-ng has no voice {voice!r}; expected en-us or en-us+<variant>")


def synthesize(
    text: str, *, voice: str, rate: int, pitch: int, seed: int
) -> tuple[np.ndarray, int, list[tuple[str, int]]]:
    """Let a freshly loaded espeak-ng speak phoneme input.

    Returns:
        int16 [N] samples, their sampling rate, and (mnemonic, first sample) of each phoneme event.
    """
    check_voice(voice)
    pieces: list[np.ndarray] = []
    events: list[tuple[str, int]] = []

    def receive(samples, count, event):  # type: ignore[no-untyped-def]
        i = 0
        while event[i].type != _LIST_END:
            if event[i].type == _PHONEME:
                events.append((event[i].name.decode(), event[i].sample))
            i += 1
        if samples and count:
            pieces.append(np.frombuffer(ctypes.string_at(samples, 2 * count), np.int16))
        return 0

    callback = _Callback(receive)
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    try:
        data = espeakng_loader.get_data_path().encode()
        sample_rate = library.espeak_Initialize(_SYNCHRONOUS, 0, data, _PHONEME_EVENTS)
        if sample_rate <= 0:
            raise OSError(f"espeak-ng did not start with the data in {espeakng_loader.get_data_path()}")
        library.espeak_ng_SetRandSeed(ctypes.c_long(seed % 2**31))
        library.espeak_SetSynthCallback(callback)
        library.espeak_SetVoiceByName(voice.encode())
        library.espeak_SetParameter(_RATE, rate, 0)
        library.espeak_SetParameter(_PITCH, pitch, 0)
        coded = text.encode() + b"\0"
        library.espeak_Synth(coded, ctypes.c_size_t(len(coded)), 0, 1, 0, _TEXT_IS_PHONEMES, None, None)
        library.espeak_Synchronize()
    finally:
        library.espeak_Terminate()
        _ctypes.dlclose(library._handle)
    if not pieces:
        raise SpeechError("espeak-ng gave no sound")
    return np.concatenate(pieces), sample_rate, events


def speak(words: Sequence[Mapping[str, str]], *, voice: str, rate: int, pitch: int, seed: int) -> Speech:
    """Speak words by their pronunciations.

    Args:
        words: {word, phones: "D AO1 G", after: punctuation or ""} each; punctuation shapes intonation and pauses.
        voice: e.g. "en-us+f2".
        rate: words per minute, in RATES.
        pitch: in PITCHES.
        seed: of the breath noise that some voices have.

    Raises:
        ValueError: a phone, a punctuation mark or the voice is unknown.
        SpeechError: espeak-ng did not speak the requested phones.
    """
    import soxr

    raw, raw_rate, events = synthesize(phoneme_text(words), voice=voice, rate=rate, pitch=pitch, seed=seed)
    phones = [phone for word in words for phone in word["phones"].split()]
    segments, unsure = reconcile(phones, events, len(raw), LIQUID_SECONDS * raw_rate)
    spoken = [i for i, (symbol, _, _) in enumerate(segments) if symbol != "SIL"]
    segments = segments[spoken[0] : spoken[-1] + 1]

    wave = soxr.resample(raw.astype(np.float32) / 2**15, raw_rate, SAMPLE_RATE)
    first = round((segments[0][1] / raw_rate - MARGIN) * SAMPLE_RATE)
    last = round((segments[-1][2] / raw_rate + MARGIN) * SAMPLE_RATE)
    wave = np.pad(wave, (max(0, -first), max(0, last - len(wave))))[max(0, first) :][: last - first]
    bounds = [start / raw_rate - first / SAMPLE_RATE for _, start, _ in segments]
    end = segments[-1][2] / raw_rate - first / SAMPLE_RATE
    symbols = ["SIL", *(symbol for symbol, _, _ in segments), "SIL"]
    times = [round(time, 6) for time in (0.0, *bounds, end, len(wave) / SAMPLE_RATE)]
    return Speech(
        wave=np.ascontiguousarray(wave, dtype=np.float32),
        phones=list(zip(symbols, times[:-1], times[1:], strict=True)),
        unsure=[i - spoken[0] + 1 for i in unsure],
    )
