"""Generate the scripts of the three pair tasks; the corpus, generated next, leaves their sentences out.

A line of `corpus/script/tasks/{task}.jsonl.gz` is {id, task, subset, group, voices, positive, negatives}, and `couple`
where pairs are mirrored; a side is {text, words} as in scripts/corpus/world/script.py. `negatives` are candidates, of
which the speech step chooses one so that durations balance; only swuggy has several.
"""

import argparse
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.files import write_jsonl
from scripts.common.seeds import generator
from scripts.corpus.config import Task, Tasks, task_problems
from scripts.corpus.world.pairs import Pair, SyntaxPairs, TopicPairs
from scripts.corpus.world.pseudowords import PseudoWords
from scripts.corpus.world.script import side, single, speakers
from scripts.corpus.world.story import load_grammar
from scripts.corpus.world.vocabulary import WORLD, Lexicon, load_lexicon

CANDIDATES = 6  # pseudo-words per word, for the speech step to choose from
DRAWN = 24  # from which the candidates are chosen
SHORTEST = 4  # letters; nearly all shorter strings are words

Item = dict[str, Any]


def voices_of(number: int, task: Task, count: int) -> list[str]:
    """Speakers of the item with this number, taken in turn."""
    return [speakers(count)[(number + i) % count] for i in range(task.voices)]


def swuggy(task: Task, count: int, lexicon: Lexicon, world: Path, seed: int) -> Iterator[Item]:
    """Words against pseudo-words of as many and equally frequent letters and phones, each used once.

    Raises:
        ValueError: the lexicon has too few words with candidates.
    """
    rng = generator(seed, "corpus", "tasks", "swuggy")
    maker = PseudoWords({word: lexicon.phones(word) for word in lexicon.content_forms()}, lexicon.unwanted)
    parts = lexicon.content_words()
    words = [word for word in parts if len(word) >= SHORTEST]
    # Verbs come last: they are as frequent as nouns, but less often in the form that a dictionary lists.
    order = sorted(rng.permutation(len(words)).tolist(), key=lambda index: parts[words[index]] == "verb")
    used: set[str] = set()
    number = 0
    for index in order:
        if number == task.pairs:
            return
        word = words[index]
        phones = lexicon.phones(word)
        rarity = maker.rarity(word, phones.split())
        drawn = maker.candidates(word, rng, DRAWN)
        # The nearest in frequency of letters and phones, which then say little about which one is the word.
        drawn.sort(key=lambda new: math.dist(rarity, maker.rarity(new.letters, new.phones)))
        candidates = [new for new in drawn if new.letters not in used][:CANDIDATES]
        if not candidates:
            continue
        used |= {new.letters for new in candidates}
        yield {
            "id": f"swuggy-{number:04d}",
            "task": "swuggy",
            "subset": "all",
            "group": f"{len(phones.split())}-phones",
            "voices": voices_of(number, task, count),
            "positive": single(word, phones),
            "negatives": [single(new.letters, " ".join(new.phones)) for new in candidates],
        }
        number += 1
    if number < task.pairs:
        raise ValueError(f"corpus.world.tasks.swuggy.pairs is {task.pairs}; the lexicon has words for {number}")


def sblimp(task: Task, count: int, lexicon: Lexicon, world: Path, seed: int) -> Iterator[Item]:
    """Mirrored pairs of all phenomena in turn; both mirrors in the same voices."""
    rng = generator(seed, "corpus", "tasks", "sblimp")
    drawer = SyntaxPairs(lexicon, load_grammar(world), rng)
    phenomena, topics = list(drawer.phenomena), list(lexicon.topics.values())
    for number in range(task.pairs // 2):
        phenomenon = phenomena[number % len(phenomena)]
        couple: tuple[Pair, Pair] = drawer.draw(phenomenon, topics[int(rng.integers(len(topics)))])
        for mirror, pair in zip("ab", couple, strict=True):
            yield {
                "id": f"sblimp-{number:04d}{mirror}",
                "task": "sblimp",
                "subset": "all",
                "group": phenomenon,
                "couple": f"sblimp-{number:04d}",
                "voices": voices_of(number, task, count),
                "positive": side([pair.right], lexicon),
                "negatives": [side([pair.wrong], lexicon)],
            }


def topic_storycloze(task: Task, count: int, lexicon: Lexicon, world: Path, seed: int) -> Iterator[Item]:
    """Stories in couples that exchange their endings; both in the same voices."""
    rng = generator(seed, "corpus", "tasks", "topic-storycloze")
    drawer = TopicPairs(lexicon, load_grammar(world), rng, taken=set())
    topics = list(lexicon.topics.values())
    for number in range(task.pairs // 2):
        first = topics[number % len(topics)]
        second = topics[(number + 1 + int(rng.integers(len(topics) - 1))) % len(topics)]
        one, other = drawer.draw((first, second))
        for mirror, own, other_topic in (("a", one, other), ("b", other, one)):
            yield {
                "id": f"topic-storycloze-{number:04d}{mirror}",
                "task": "topic-storycloze",
                "subset": "all",
                "group": own.topic,
                "couple": f"topic-storycloze-{number:04d}",
                "voices": voices_of(number, task, count),
                "context_words": len(side(own.context, lexicon)["words"]),
                "positive": side([*own.context, own.ending], lexicon),
                "negatives": [side([*own.context, other_topic.ending], lexicon)],
            }


Writer = Callable[[Task, int, Lexicon, Path, int], Iterator[Item]]
WRITERS: dict[str, Writer] = {"swuggy": swuggy, "sblimp": sblimp, "topic-storycloze": topic_storycloze}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True, help="JSON: speakers, tasks (of the section corpus.world)")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--world", type=Path, default=WORLD, help="folder of lexicon and grammar")
    parser.add_argument("--out", type=Path, required=True, help="folder; one <task>.jsonl.gz each")
    args = parser.parse_args()
    config = parse(Tasks, args.config, "corpus.world", task_problems)
    lexicon = load_lexicon(args.world)
    for name, task in config.tasks.items():
        items = WRITERS[name](task, config.speakers, lexicon, args.world, args.seed)
        count = write_jsonl(args.out / f"{name}.jsonl.gz", items)
        print(f"{name}: {count} pairs, {task.voices} voices each")


if __name__ == "__main__":
    run(main)
