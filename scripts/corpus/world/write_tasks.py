"""Generate the scripts of the three pair tasks; the corpus, generated next, leaves their sentences out.

A line of `corpus/script/tasks/{task}.jsonl.gz` is {id, task, subset, group, couple, voices, positive, negatives}; a
side is {text, words} as in scripts/corpus/world/script.py. `negatives` are candidates, of which the speech step chooses
one so that durations balance; the world's tasks have one. `group` is the stratum: of exposures (swuggy, whose lines
have `exposure`), or of distances (sblimp and topic-storycloze). There a line also has `cue` and `target` (indices of
words of the positive side: the word that decides, and the one that is decided) and `distance` (target - cue).
Topic-storycloze has `topic` and `context_words` (all but the ending).
"""

import argparse
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.files import write_jsonl
from scripts.common.seeds import generator
from scripts.corpus.config import Task, Tasks, task_problems
from scripts.corpus.world import syntax_pairs, topic_pairs
from scripts.corpus.world.script import side, voices_of
from scripts.corpus.world.story import load_grammar
from scripts.corpus.world.strata import draw_couples
from scripts.corpus.world.syntax_pairs import SyntaxPairs
from scripts.corpus.world.topic_pairs import TopicCouple, TopicPairs
from scripts.corpus.world.vocabulary import WORLD, Lexicon, load_lexicon
from scripts.corpus.world.word_pairs import swuggy

Item = dict[str, Any]


def sblimp(task: Task, count: int, lexicon: Lexicon, world: Path, seed: int) -> Iterator[Item]:
    """Mirrored pairs by distance, in random order; both mirrors in the same voices.

    Raises:
        ValueError: a stratum has too few pairs.
    """
    rng = generator(seed, "corpus", "tasks", "sblimp")
    drawer = SyntaxPairs(lexicon, load_grammar(world), rng)
    couples = draw_couples("sblimp", task.pairs, syntax_pairs.SHARES, drawer.draw)
    for number, index in enumerate(rng.permutation(len(couples))):
        group, couple = couples[index]
        for mirror, pair in zip("ab", couple, strict=True):
            yield {
                "id": f"sblimp-{number:04d}{mirror}",
                "task": "sblimp",
                "subset": "all",
                "group": group,
                "couple": f"sblimp-{number:04d}",
                "distance": pair.distance,
                "cue": pair.cue,
                "target": pair.target,
                "voices": voices_of(number, task, count),
                "positive": side([pair.right], lexicon),
                "negatives": [side([pair.wrong], lexicon)],
            }


def topic_storycloze(task: Task, count: int, lexicon: Lexicon, world: Path, seed: int) -> Iterator[Item]:
    """Stories in couples that exchange their endings, by distance, in random order; both in the same voices.

    Raises:
        ValueError: a stratum has too few pairs.
    """
    rng = generator(seed, "corpus", "tasks", "topic-storycloze")
    drawer = TopicPairs(lexicon, load_grammar(world), rng)
    topics = list(lexicon.topics.values())
    first = cycle(range(len(topics)))

    def draw(stratum: str) -> TopicCouple | None:
        one = next(first)
        other = (one + 1 + int(rng.integers(len(topics) - 1))) % len(topics)
        return drawer.draw(stratum, (topics[one], topics[other]))

    couples = draw_couples("topic-storycloze", task.pairs, topic_pairs.SHARES, draw)
    for number, index in enumerate(rng.permutation(len(couples))):
        stratum, couple = couples[index]
        for mirror, item in zip("ab", couple, strict=True):
            yield {
                "id": f"topic-storycloze-{number:04d}{mirror}",
                "task": "topic-storycloze",
                "subset": "all",
                "group": stratum,
                "couple": f"topic-storycloze-{number:04d}",
                "distance": item.distance,
                "cue": item.cue,
                "target": item.target,
                "topic": item.topic,
                "voices": voices_of(number, task, count),
                "context_words": len(side(item.context, lexicon)["words"]),
                "positive": side([*item.context, item.right], lexicon),
                "negatives": [side([*item.context, item.wrong], lexicon)],
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
