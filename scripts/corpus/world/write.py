"""Generate the world's text: paragraphs on one topic each, in chapters of one speaker each.

Dev is written first; train then leaves out every sentence of dev (of more than four words) and of the tasks, and
neither split repeats one of its own (of more than four words). The words that the task swuggy asks about occur in train
alone, as often as its items say (`scripts.corpus.world.planting`).
Topics take turns in random order. Hours become paragraphs by an estimate, phones per second at the configured
rate (scripts/corpus/world/script.py); the speech step reports the true durations.

`isolated_words` adds to train, beyond its hours, words of the lexicon that many times as utterances of their
own, in the form of the swuggy task, so that models know that form. The words that swuggy asks about are never among
them: otherwise models could learn that these occur alone and pseudo-words do not.
"""

import argparse
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.files import read_jsonl, write_jsonl
from scripts.common.seeds import generator
from scripts.corpus.config import Script, SplitShards
from scripts.corpus.world.grammar import TENSE_SHARES, TENSES, Sentence, choose_cast, pick
from scripts.corpus.world.planting import Planting
from scripts.corpus.world.script import seconds, side, single, speakers
from scripts.corpus.world.story import Grammar, NoNewSentenceError, Story, load_grammar
from scripts.corpus.world.vocabulary import WORLD, Lexicon, Topic, load_lexicon

SENTENCES = (3, 6)  # of a paragraph
WORDS = (26, 42)  # a paragraph under the first gets a further sentence, one over the second only its ending
CHAPTER = 10  # paragraphs of a chapter, at most
WORDS_CHAPTER = 100  # isolated words of a chapter
SHORT = 4  # sentences up to this many words may be in both splits: there are not enough of them

Utterance = dict[str, Any]


@dataclass(frozen=True)
class Paragraph:
    """One utterance of the corpus."""

    topic: str
    sentences: tuple[Sentence, ...]


def task_sentences(paths: Iterable[Path]) -> set[str]:
    """Keys of all sentences on either side of the tasks' items."""
    keys = set()
    for path in paths:
        for item in read_jsonl(path):
            for one in (item["positive"], *item["negatives"]):
                keys |= set(sentence_keys(one["words"]))
    return keys


def exposures(paths: Iterable[Path]) -> dict[str, int]:
    """How often train is to hold each word that the tasks' items ask about."""
    items = (item for path in paths for item in read_jsonl(path) if "exposure" in item)
    return {item["positive"]["text"]: item["exposure"] for item in items}


def sentence_keys(words: Sequence[dict[str, str]]) -> Iterator[str]:
    """Keys of the sentences of a script's words; an isolated word, without a full stop, is not a sentence."""
    sentence: list[str] = []
    for word in words:
        sentence.append(word["word"])
        if word["after"] in (".", "?", "!"):
            yield " ".join(sentence)
            sentence = []


class TooSmallWorldError(ValueError):
    """The templates and words give no further sentence; `hours` of text are written."""

    def __init__(self, hours: float, reason: object):
        super().__init__(f"the world has no new sentences after {hours:.2f} h ({reason})")
        self.hours = hours


@dataclass
class Writer:
    """Writes the paragraphs of a split.

    Attributes:
        taken: keys of sentences that may not occur (again); those that it writes are added, but for short ones.
        planting: the words to plant.
        word_counts: occurrences of every word so far.
    """

    lexicon: Lexicon
    grammar: Grammar
    rng: np.random.Generator
    taken: set[str]
    planting: Planting
    word_counts: Counter[str] = field(default_factory=Counter)

    def paragraph(self, topic: Topic, progress: float) -> Paragraph:
        """A story without sentences that are taken or repeated; `progress` is the share of the split before it."""
        cast = choose_cast(self.lexicon, topic, self.rng)
        tense = pick(self.rng, TENSES, TENSE_SHARES)
        story = Story(self.lexicon, topic, tense, cast, self.rng, self.word_counts, grammar=self.grammar)
        count = int(self.rng.integers(SENTENCES[0], SENTENCES[1] + 1))
        sentences = [self._sentence(story, "opening")]
        kept = set[str]()  # planted sentences occur once even if they are short
        while len(sentences) < SENTENCES[1] - 1:
            words = sum(len(sentence.words) for sentence in sentences)
            if len(sentences) >= SENTENCES[0] - 1 and (
                words > WORDS[1] or (len(sentences) >= count - 1 and words >= WORDS[0])
            ):
                break
            if planted := self.planting.due(progress):
                sentences.append(self._planted(story, planted))
                kept.add(sentences[-1].key)
            else:
                sentences.append(self._sentence(story, "middle"))
        sentences.append(self._sentence(story, "ending"))
        self.taken -= {sentence.key for sentence in sentences if len(sentence.words) <= SHORT} - kept
        return Paragraph(topic.name, tuple(sentences))

    def _sentence(self, story: Story, part: str) -> Sentence:
        sentence = story.new_sentence(part, self.taken)
        self.taken.add(sentence.key)
        return sentence

    def _planted(self, story: Story, words: list[str]) -> Sentence:
        story.planted = words
        sentence = self._sentence(story, "planted")
        story.planted = ()
        self.planting.plant(words)
        return sentence


def write_paragraphs(
    lexicon: Lexicon,
    grammar: Grammar,
    hours: float,
    rate: float,
    rng: np.random.Generator,
    taken: Collection[str],
    planting: Planting | None = None,
) -> list[Paragraph]:
    """Paragraphs, topics in turn, until they are expected to last `hours`.

    Raises:
        TooSmallWorldError: there are not enough different sentences.
    """
    topics = list(lexicon.topics.values())
    writer = Writer(lexicon, grammar, rng, set(taken), planting or Planting({}, rng))
    paragraphs: list[Paragraph] = []
    total_seconds = 0.0
    while total_seconds < 3600 * hours:
        if len(paragraphs) % len(topics) == 0:
            order = rng.permutation(len(topics))
        topic = topics[order[len(paragraphs) % len(topics)]]
        try:
            paragraphs.append(writer.paragraph(topic, total_seconds / (3600 * hours)))
        except NoNewSentenceError as error:
            raise TooSmallWorldError(total_seconds / 3600, error) from None
        total_seconds += seconds(side(paragraphs[-1].sentences, lexicon)["words"], rate)
    return paragraphs


def write_corpus(
    split: str,
    config: Script,
    lexicon: Lexicon,
    grammar: Grammar,
    rng: np.random.Generator,
    taken: Collection[str],
    planting: Planting,
) -> list[Paragraph]:
    """The split's paragraphs.

    Raises:
        ValueError: naming the key, if the world is too small for the hours or the hours for the planted words.
    """
    key, hours = f"corpus.world.hours.{split}", getattr(config.hours, split)
    try:
        paragraphs = write_paragraphs(lexicon, grammar, hours, config.rate.mean, rng, taken, planting)
    except TooSmallWorldError as error:
        larger = "" if config.lexicon == "full" else ", or set corpus.world.lexicon to full"
        raise ValueError(f"{key} is {hours}: {error}; ask for at most {error.hours:.2f} h{larger}") from None
    if left := len(planting.waiting):
        fits = planting.planted.total()
        raise ValueError(
            f"corpus.world.tasks.swuggy.exposures: {fits + left} occurrences in all do not fit into"
            f" {key} = {hours}, which holds {fits} at most; give more hours, fewer pairs or lower exposures"
        )
    return paragraphs


def to_chapters(items: Sequence[Utterance], name: str, size: int, names: Sequence[str]) -> list[list[Utterance]]:
    """Utterances in chapters of `size` with speakers in turn; gives each its id, chapter and speaker."""
    chapters = []
    for number, first in enumerate(range(0, len(items), size)):
        speaker, chapter = names[number % len(names)], f"{name}-{number:04d}"
        chapters.append(
            [
                {"id": f"{speaker}/{chapter}_{i}", "speaker": speaker, "chapter": chapter, **item}
                for i, item in enumerate(items[first : first + size])
            ]
        )
    return chapters


def write_split(
    split: str, shards: int, paragraphs: Sequence[Paragraph], isolated: list[str], config: Script, lexicon: Lexicon
) -> list[list[Utterance]]:
    """The split's utterances by shard; whole chapters, in runs, so that every speaker is in every shard.

    Raises:
        ValueError: there are fewer paragraphs than shards.
    """
    if len(paragraphs) < shards:
        hours = getattr(config.hours, split)
        raise ValueError(
            f"corpus.world.hours.{split} is {hours}: {len(paragraphs)} paragraphs for {shards} shards;"
            f" give more hours or set corpus.shards.{split} to {len(paragraphs)} or less"
        )
    names = speakers(config.speakers)
    stories = [{"topic": p.topic, **side(p.sentences, lexicon)} for p in paragraphs]
    # Chapters are shorter if there is little text, so that every shard and speaker has some.
    size = max(1, min(CHAPTER, len(stories) // max(shards, len(names))))
    isolated_lines = [{"topic": "isolated-word", **single(word, lexicon.phones(word))} for word in isolated]
    written: list[list[Utterance]] = [[] for _ in range(shards)]
    for chapters in (
        to_chapters(stories, split, size, names),
        to_chapters(isolated_lines, f"{split}-words", WORDS_CHAPTER, names),
    ):
        for number, chapter in enumerate(chapters):
            written[number * shards // len(chapters)] += chapter
    return written


def summary(split: str, utterances: Sequence[Utterance], rate: float) -> str:
    """Counts for the log."""
    words = Counter(word["word"] for utterance in utterances for word in utterance["words"])
    sentences = Counter(key for utterance in utterances for key in sentence_keys(utterance["words"]))
    hours = sum(seconds(utterance["words"], rate) for utterance in utterances) / 3600
    repeated = 1 - len(sentences) / max(1, sentences.total())
    return (
        f"{split}: {len(utterances)} utterances, {sentences.total()} sentences ({100 * repeated:.1f}% repeated),"
        f" {words.total()} words, {len(words)} word forms, {len({u['topic'] for u in utterances})} topics,"
        f" about {hours:.2f} h"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--config", required=True, help="JSON: lexicon, hours, speakers, isolated_words, rate (corpus.world)"
    )
    parser.add_argument("--shards", required=True, help='JSON: files per split, e.g. {"train": 4, "dev": 1}')
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--world", type=Path, default=WORLD, help="folder of lexicon and grammar")
    parser.add_argument("--tasks", type=Path, nargs="*", default=[], help="task scripts whose sentences to leave out")
    parser.add_argument("--out", type=Path, required=True, help="folder; <split>/<shard>.jsonl.gz")
    args = parser.parse_args()
    config = parse(Script, args.config, "corpus.world")
    shards = parse(SplitShards, args.shards, "corpus.shards")
    lexicon, grammar = load_lexicon(config.lexicon, args.world), load_grammar(args.world)
    taken = task_sentences(args.tasks)
    for split in ("dev", "train"):
        rng = generator(args.seed, "corpus", "write", split)
        planting = Planting(exposures(args.tasks) if split == "train" else {}, rng)
        paragraphs = write_corpus(split, config, lexicon, grammar, rng, taken, planting)
        isolated = lexicon.content_forms() * config.isolated_words if split == "train" else []
        written = write_split(split, getattr(shards, split), paragraphs, isolated, config, lexicon)
        for shard, utterances in enumerate(written):
            write_jsonl(args.out / split / f"{shard}.jsonl.gz", utterances)
        print(summary(split, [u for utterances in written for u in utterances], config.rate.mean))
        taken |= {s.key for p in paragraphs for s in p.sentences if len(s.words) > SHORT}
    print(f"planted in train: {planting.planted.total()} occurrences of {len(planting.planted)} words")


if __name__ == "__main__":
    run(main)
