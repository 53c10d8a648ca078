"""Generate the scripts of the three pair tasks; the corpus, generated next, leaves their sentences out.

A line of `corpus/script/tasks/{task}.jsonl.gz` is {id, task, subset, group, couple, voices, positive, negatives}, with
`exposure` in swuggy; a side is {text, words} as in scripts/corpus/world/script.py. `negatives` are candidates, of which
the speech step chooses one so that durations balance; the world's tasks have one.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.files import write_jsonl
from scripts.common.seeds import generator
from scripts.corpus.config import Task, Tasks, task_problems
from scripts.corpus.world.pairs import Pair, SyntaxPairs, TopicPairs
from scripts.corpus.world.script import side, voices_of
from scripts.corpus.world.story import load_grammar
from scripts.corpus.world.vocabulary import WORLD, Lexicon, load_lexicon
from scripts.corpus.world.word_pairs import swuggy

Item = dict[str, Any]


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
                "positive": side([*own.context, own.ending], lexicon),
                "negatives": [side([*own.context, other_topic.ending], lexicon)],
            }


Writer = Callable[[Task, int, Lexicon, Path, int], Iterator[Item]]
WRITERS: dict[str, Writer] = {
    "swuggy": lambda task, count, lexicon, world, seed: swuggy(task, count, world, seed),
    "sblimp": sblimp,
    "topic-storycloze": topic_storycloze,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True, help="JSON: lexicon, speakers, tasks (of the section corpus.world)")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--world", type=Path, default=WORLD, help="folder of lexicon and grammar")
    parser.add_argument("--out", type=Path, required=True, help="folder; one <task>.jsonl.gz each")
    args = parser.parse_args()
    config = parse(Tasks, args.config, "corpus.world", task_problems)
    lexicon = load_lexicon(config.lexicon, args.world)
    for name, task in config.tasks.items():
        items = WRITERS[name](task, config.speakers, lexicon, args.world, args.seed)
        count = write_jsonl(args.out / f"{name}.jsonl.gz", items)
        print(f"{name}: {count} pairs, {task.voices} voices each")


if __name__ == "__main__":
    run(main)
