"""Synthesise the continuation prompts of a file: one FLAC and one cut per prompt, and a list of them.

Words have CMUdict's first pronunciation; the speakers take turns. Each cut holds the pronunciations of all its words,
so that the aligner needs no further lexicon and the corpus' lexicon does not depend on the prompts.

The list is one line per prompt: {id, text, cut, topic}, where `cut` is the whole cut. The same cuts stand in a shard
of their own, `corpus/cuts/prompts/0.jsonl.gz`: a split that is aligned, made into units and tokens like the others.
"""

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.common.cli import run
from scripts.common.files import atomic_directory, read_yaml, write_jsonl
from scripts.common.seeds import generator
from scripts.corpus.config import Voices
from scripts.corpus.pronounce import cmudict_lexicon
from scripts.corpus.world.espeak import PHRASING, SpeechError, speak
from scripts.corpus.world.prosody import draw_prosody, parse_voices
from scripts.corpus.world.recording import Utterance, write_recording
from scripts.corpus.world.script import speakers

KEYS = {"id", "topic", "text"}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")

Prompt = dict[str, str]


def read_prompts(path: Path) -> list[Prompt]:
    """The prompts of a YAML list of {id, topic, text}.

    Raises:
        ValueError: naming file and entry: not YAML, not such a list, empty, an id twice or unfit for a file's name.
    """
    prompts = read_yaml(path)
    if not isinstance(prompts, list) or not prompts:
        raise ValueError(f"{path}: holds no prompts; expected a list of {{id, topic, text}}")
    seen: set[str] = set()
    for number, prompt in enumerate(prompts, start=1):
        if not isinstance(prompt, dict) or set(prompt) != KEYS or not all(isinstance(v, str) for v in prompt.values()):
            raise ValueError(f"{path}: prompt {number}: expected {{id, topic, text}}, each of them text")
        if not NAME.fullmatch(prompt["id"]):
            raise ValueError(f"{path}: prompt {number}: id {prompt['id']!r} must be of letters, digits, _ and -")
        if prompt["id"] in seen:
            raise ValueError(f"{path}: prompt {number}: id {prompt['id']!r} is used before")
        seen.add(prompt["id"])
    return prompts


def words_of(text: str, lexicon: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    """The text's words as the synthesiser takes them: {word, phones, after}.

    Raises:
        ValueError: naming the word that has no pronunciation, or that the text has no words.
    """
    words = []
    for token in text.split():
        word = re.sub(r"^[^A-Za-z']+|[^A-Za-z']+$", "", token).strip("'")
        if not word:
            raise ValueError(f"{token!r} holds no word")
        if word.upper() not in lexicon:
            raise ValueError(f"{word!r} is not in CMUdict; choose a word that is")
        mark = token[token.index(word) + len(word) :].strip("\"'")[:1]
        after = mark if mark in PHRASING else ""
        words.append({"word": word.lower(), "phones": lexicon[word.upper()][0], "after": after})
    if not words:
        raise ValueError("holds no words")
    return words


def speak_prompts(
    prompts: Sequence[Prompt], voices: Voices, seed: int, folder: Path, source: str
) -> list[dict[str, Any]]:
    """Speak each prompt into a FLAC of its own below `folder`; {id, text, cut, topic} in the given order.

    Raises:
        ValueError: naming the prompt that cannot be spoken as written.
    """
    lexicon, names, rows = cmudict_lexicon(), speakers(voices.speakers), []
    for number, prompt in enumerate(prompts):
        name, speaker = prompt["id"], names[number % len(names)]
        try:
            words = words_of(prompt["text"], lexicon)
            prosody = draw_prosody(voices, seed, speaker, name)
            wave = prosody.apply_gain(speak(words, **prosody.settings).wave)
        except SpeechError as error:
            raise ValueError(f"prompt {name}: {error}; choose another word") from None
        except ValueError as error:
            raise ValueError(f"prompt {name}: {error}") from None
        utterance = Utterance(
            id=name,
            speaker=speaker,
            text=prompt["text"],
            words=words,
            wave=wave,
            pronunciations={word["word"].upper(): word["phones"] for word in words},
        )
        rng = generator(seed, "record", source, name)
        (cut,) = write_recording([utterance], folder / f"{name}.flac", f"{source}/{name}.flac", voices.noise, rng)
        rows.append({"id": name, "text": prompt["text"], "cut": cut, "topic": prompt["topic"]})
    return rows


def main() -> None:
    """Command line of rule corpus_prompts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompts", type=Path, required=True, help="YAML list of {id, topic, text}")
    parser.add_argument("--audio", type=Path, required=True, help="folder for the recordings")
    parser.add_argument("--source", required=True, help="that folder as the cuts name it, from the audio root on")
    parser.add_argument("--out", type=Path, required=True, help="the list (.jsonl)")
    parser.add_argument("--cuts", type=Path, required=True, help="the cuts alone (.jsonl.gz)")
    parser.add_argument("--config", required=True, help="JSON: the voices (keys of corpus.world)")
    parser.add_argument("--seed", type=int, required=True)
    args = parser.parse_args()
    voices = parse_voices(args.config)
    with atomic_directory(args.audio) as aside:
        rows = speak_prompts(read_prompts(args.prompts), voices, args.seed, aside, args.source)
    write_jsonl(args.cuts, [row["cut"] for row in rows])
    write_jsonl(args.out, rows)
    seconds = [row["cut"]["duration"] for row in rows]
    print(
        f"corpus/prompts: {len(rows)} prompts, {min(seconds):.1f} to {max(seconds):.1f} s, {sum(seconds):.0f} s in all",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
