"""Accept the sentences that the templates of resources/world/grammar.yaml can generate."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from scripts.corpus.world.grammar import PUNCTUATION
from scripts.corpus.world.parser import Parser, State
from scripts.corpus.world.story import Grammar
from scripts.corpus.world.vocabulary import Lexicon
from scripts.corpus.world.word_forms import Words


@dataclass
class Node:
    """A node of the prefix tree of templates: the next tokens, and whether a template ends here."""

    next: dict[str, "Node"] = field(default_factory=dict)
    ends: bool = False


class Acceptor:
    """Accepts sentences of the world.

    Args:
        lexicon: its words.
        grammar: its templates, of all parts.
    """

    def __init__(self, lexicon: Lexicon, grammar: Grammar):
        self.words = Words(lexicon)
        self.roots: dict[frozenset[str], Node] = {}
        for template in (template for templates in grammar.values() for template in templates):
            node = self.roots.setdefault(frozenset(template.tenses), Node())
            for token in template.tokens:
                if token not in PUNCTUATION:
                    node = node.next.setdefault(token, Node())
            node.ends = True

    def sentences(self, words: Sequence[str], start: int) -> tuple[set[int], bool]:
        """Where sentences that begin at `start` end, and whether one that does is cut off by the end of the text."""
        parser = Parser(self.words, words)
        ends: set[int] = set()
        for tenses, root in self.roots.items():
            waiting = [(root, {State(start, tenses)})]
            while waiting:
                node, states = waiting.pop()
                if node.ends:
                    ends |= {state.place for state in states}
                for token, following in node.next.items():
                    if reached := {after for state in states for after in parser.read(token, state)}:
                        waiting.append((following, reached))
        return ends, parser.ran_out

    def inside(self, words: Sequence[str]) -> list[bool]:
        """For each lower-case word of a text without marks, whether it stands in a sentence of the world.

        Of all ways to divide the text into sentences and words between them, the one that leaves the fewest words
        over. The last sentence may be cut off.
        """
        count = len(words)
        left, ends = [0] * (count + 1), list(range(1, count + 1))  # words left over from here on; where to go on
        for start in reversed(range(count)):
            left[start] = left[start + 1] + 1
            sentence_ends, truncated = self.sentences(words, start)
            for end in sorted(sentence_ends | ({count} if truncated else set())):
                if left[end] < left[start]:
                    left[start], ends[start] = left[end], end
        flags: list[bool] = []
        while (start := len(flags)) < count:
            flags += [left[start] == left[ends[start]]] * (ends[start] - start)
        return flags
