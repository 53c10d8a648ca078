"""The script: what is to be spoken, word by word, with pronunciations.

A line of `corpus/script/{split}/{shard}.jsonl.gz` is {id, speaker, chapter, topic, text, words}; a word is
{word (lower-case), phones ("D AO1 G"), after (the punctuation mark that follows it, or "")}.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from scripts.corpus.config import Task
from scripts.corpus.world.grammar import PUNCTUATION, Sentence
from scripts.corpus.world.vocabulary import Lexicon

PHONES_PER_SECOND = 11.3  # spoken by espeak-ng at RATE, pauses included; measured on paragraphs of this world
RATE = 180.0  # words per minute that PHONES_PER_SECOND was measured at

Side = dict[str, Any]


def speakers(count: int) -> list[str]:
    """Names of the speakers."""
    return [f"speaker-{i}" for i in range(count)]


def voices_of(number: int, task: Task, count: int) -> list[str]:
    """Speakers of the item or couple with this number, taken in turn."""
    return [speakers(count)[(number + i) % count] for i in range(task.voices)]


def side(sentences: Iterable[Sentence], lexicon: Lexicon) -> Side:
    """{text, words} of sentences spoken one after the other."""
    sentences = list(sentences)
    words: list[dict[str, str]] = []
    for token in (token for sentence in sentences for token in sentence.tokens):
        if token in PUNCTUATION:
            words[-1]["after"] = token
        else:
            words.append({"word": token.lower(), "phones": lexicon.phones(token), "after": ""})
    return {"text": " ".join(sentence.text for sentence in sentences), "words": words}


def single(word: str, phones: str) -> Side:
    """{text, words} of a word spoken alone: lower-case, without punctuation."""
    return {"text": word, "words": [{"word": word, "phones": phones, "after": ""}]}


def phone_count(words: Sequence[dict[str, str]]) -> int:
    """Phones of the words."""
    return sum(len(word["phones"].split()) for word in words)


def seconds(words: Sequence[dict[str, str]], rate: float) -> float:
    """Expected duration at `rate` words per minute; the speech step knows the true one."""
    return phone_count(words) / PHONES_PER_SECOND * RATE / rate
