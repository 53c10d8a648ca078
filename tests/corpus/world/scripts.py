"""Small scripts for the tests of synthesis."""

import json

CONFIG = {
    "voices": ["en-us+m1", "en-us+f2", "en-us+m3", "en-us+f4"],
    "speakers": 4,
    "rate": {"mean": 180, "jitter": 0.05},
    "pitch": {"mean": 50, "jitter": 0.05},
    "gain": {"mean": -3.0, "jitter": 1.0},
    "noise": -60.0,
}
LIMITS = {"min_seconds": 0.1, "max_seconds": 30.0, "max_missing_audio": 1, "max_dropped": 1}
PHONES = {
    "the": "DH AH0",
    "dog": "D AO1 G",
    "girl": "G ER1 L",
    "sings": "S IH1 NG Z",
    "water": "W AO1 T ER0",
    "other": "AH1 DH ER0",
    "apple": "AE1 P AH0 L",
    "carl": "K AA1 R L",
    "red": "R EH1 D",
    "ten": "T EH1 N",
    "idea": "AY0 D IY1 AH0",
}


def words(text: str, **more: str) -> list[dict[str, str]]:
    """Script words of a text such as "the dog, the girl."; `more` adds pronunciations."""
    known = {**PHONES, **more}
    found = []
    for token in text.split():
        bare = token.rstrip(",.?!")
        found.append({"word": bare, "phones": known[bare], "after": token[len(bare) :]})
    return found


def line(name: str, text: str, speaker: str = "speaker-0", chapter: str = "c0") -> dict:
    """One line of a script shard."""
    spoken = {"text": text.capitalize(), "words": words(text)}
    return {"id": name, "speaker": speaker, "chapter": chapter, "topic": "test", **spoken}


def pair(
    name: str, positive: str, negatives: dict[str, str], voices: tuple[str, ...] = ("speaker-0", "speaker-1")
) -> dict:
    """One line of a word task's script; `negatives` maps each pseudo-word to its phones."""
    return {
        "id": name,
        "task": "swuggy",
        "subset": "all",
        "group": "g",
        "voices": list(voices),
        "positive": {"text": positive, "words": words(positive)},
        "negatives": [{"text": word, "words": words(word, **{word: phones})} for word, phones in negatives.items()],
    }


def flags(**more: object) -> list[str]:
    """Command-line flags; dictionaries become JSON."""
    given = {"config": CONFIG, "limits": LIMITS, "seed": 1, **more}
    return [
        part
        for key, value in given.items()
        for part in (f"--{key.replace('_', '-')}", json.dumps(value) if isinstance(value, dict) else str(value))
    ]
