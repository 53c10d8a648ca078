"""Generate the world's text: paragraphs on one topic each, in chapters of one speaker each.

Dev is written first; train then leaves out every sentence of dev (of more than four words) and of the tasks.
Topics take turns in random order. Hours become paragraphs by an estimate, phones per second at the configured
rate (scripts/corpus/world/script.py); the speech step reports the true durations.

`isolated_words` adds to train, beyond its hours, words of the lexicon that many times as utterances of their
own, in the form of the swuggy task, so that models know that form. Words of the tasks (in any inflection) are left
out: otherwise models could learn that these occur alone and pseudo-words do not.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.files import read_jsonl, write_jsonl
from scripts.common.seeds import generator
from scripts.corpus.config import Script, SplitShards
from scripts.corpus.world.grammar import TENSE_SHARES, TENSES, Sentence, choose_cast, pick
from scripts.corpus.world.script import seconds, side, single, speakers
from scripts.corpus.world.story import Grammar, Story, load_grammar
from scripts.corpus.world.vocabulary import WORLD, Lexicon, Topic, load_lexicon

SENTENCES = (3, 6)  # of a paragraph
WORDS = (16, 30)  # a paragraph under the first gets a further sentence, one over the second only its ending
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


def task_words(paths: Iterable[Path]) -> set[str]:
    """Words that stand alone on the right side of the tasks' items."""
    positives = (item["positive"]["words"] for path in paths for item in read_jsonl(path))
    return {words[0]["word"] for words in positives if len(words) == 1}


def isolated_words(lexicon: Lexicon, task_forms: set[str]) -> list[str]:
    """Word forms for isolated words of train: of words that do not occur in a task in any form."""
    withheld = {form for _, forms in lexicon.entries() if task_forms & set(forms) for form in forms}
    return [form for form in lexicon.content_forms() if form not in withheld]


def sentence_keys(words: Sequence[dict[str, str]]) -> Iterator[str]:
    """Keys of the sentences of a script's words; an isolated word, without a full stop, is not a sentence."""
    sentence: list[str] = []
    for word in words:
        sentence.append(word["word"])
        if word["after"] in (".", "?", "!"):
            yield " ".join(sentence)
            sentence = []


def write_paragraph(
    lexicon: Lexicon,
    grammar: Grammar,
    topic: Topic,
    rng: np.random.Generator,
    taken: set[str],
    word_counts: Counter[str],
) -> Paragraph:
    """A story without sentences that are in `taken` or repeated; its words are added to `word_counts`."""
    cast = choose_cast(lexicon, topic, rng)
    story = Story(lexicon, topic, pick(rng, TENSES, TENSE_SHARES), cast, rng, word_counts, grammar=grammar)
    count = int(rng.integers(SENTENCES[0], SENTENCES[1] + 1))
    sentences: list[Sentence] = []

    def add(part: str) -> None:
        own = {sentence.key for sentence in sentences}
        sentences.append(story.new_sentence(part, taken | own if own else taken))

    add("opening")
    while len(sentences) < SENTENCES[1] - 1:
        words = sum(len(sentence.words) for sentence in sentences)
        if len(sentences) >= SENTENCES[0] - 1 and (
            words > WORDS[1] or (len(sentences) >= count - 1 and words >= WORDS[0])
        ):
            break
        add("middle")
    add("ending")
    return Paragraph(topic.name, tuple(sentences))


def write_paragraphs(
    lexicon: Lexicon, grammar: Grammar, hours: float, rate: float, rng: np.random.Generator, taken: set[str]
) -> list[Paragraph]:
    """Paragraphs, topics in turn, until they are expected to last `hours`."""
    topics = list(lexicon.topics.values())
    paragraphs: list[Paragraph] = []
    word_counts: Counter[str] = Counter()
    total_seconds = 0.0
    while total_seconds < 3600 * hours:
        if len(paragraphs) % len(topics) == 0:
            order = rng.permutation(len(topics))
        topic = topics[order[len(paragraphs) % len(topics)]]
        paragraphs.append(write_paragraph(lexicon, grammar, topic, rng, taken, word_counts))
        total_seconds += seconds(side(paragraphs[-1].sentences, lexicon)["words"], rate)
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
    parser.add_argument("--config", required=True, help="JSON: hours, speakers, isolated_words, rate (corpus.world)")
    parser.add_argument("--shards", required=True, help='JSON: files per split, e.g. {"train": 4, "dev": 1}')
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--world", type=Path, default=WORLD, help="folder of lexicon and grammar")
    parser.add_argument("--tasks", type=Path, nargs="*", default=[], help="task scripts whose sentences to leave out")
    parser.add_argument("--out", type=Path, required=True, help="folder; <split>/<shard>.jsonl.gz")
    args = parser.parse_args()
    config = parse(Script, args.config, "corpus.world")
    shards = parse(SplitShards, args.shards, "corpus.shards")
    lexicon, grammar = load_lexicon(args.world), load_grammar(args.world)
    taken, task_forms = task_sentences(args.tasks), task_words(args.tasks)
    for split in ("dev", "train"):
        rng = generator(args.seed, "corpus", "write", split)
        paragraphs = write_paragraphs(lexicon, grammar, getattr(config.hours, split), config.rate.mean, rng, taken)
        isolated = isolated_words(lexicon, task_forms) * config.isolated_words if split == "train" else []
        written = write_split(split, getattr(shards, split), paragraphs, isolated, config, lexicon)
        for shard, utterances in enumerate(written):
            write_jsonl(args.out / split / f"{shard}.jsonl.gz", utterances)
        print(summary(split, [u for utterances in written for u in utterances], config.rate.mean))
        taken |= {s.key for p in paragraphs for s in p.sentences if len(s.words) > SHORT}


if __name__ == "__main__":
    run(main)
