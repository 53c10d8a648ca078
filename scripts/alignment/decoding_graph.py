"""Compile words into Kaldi's alignment graphs with optional silence, and search them for the best path.

The lexicon is an FST over the words of one file of cuts. A word that has different pronunciations in two cuts is two
symbols, so that a cut's own pronunciations apply to this cut only. Silence is optional before, between and after words
and has no cost besides its acoustic score.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import kaldi_hmm_gmm as khg
import kaldifst
import numpy as np

from scripts.alignment.lexicon import SILENCE, Entry, Pronunciation
from scripts.alignment.model import STATES, AcousticModel

ACOUSTIC_SCALE = 0.1  # Kaldi's, relative to transition probabilities; beams refer to scaled scores
TRANSITION_SCALE = 1.0
SELF_LOOP_SCALE = 0.1
VARIANT_COST = 1.0  # of a word's second and further pronunciations: the first is the most common one


@dataclass(frozen=True)
class Segment:
    """An aligned phone: frames [start, end), mean log-likelihood per frame, whether it begins a word."""

    phone: str
    start: int
    end: int
    score: float
    begins_word: bool


def min_frames(entries: Iterable[Entry]) -> int:
    """The smallest number of frames that the words can be aligned to."""
    return STATES * sum(min(map(len, known)) for _, known in entries)


class Graphs:
    """Compiles and searches alignment graphs for a set of words.

    Args:
        model: the acoustic model (with or without Gaussians yet).
        entries: all words that will be compiled, with their pronunciations.
    """

    def __init__(self, model: AcousticModel, entries: Iterable[Entry]):
        self.model = model
        self.symbols = {entry: number for number, entry in enumerate(sorted(set(entries)), start=1)}
        self.fst = lexicon_fst(self.symbols, {phone: k for k, phone in enumerate(model.phones)})
        # The compiler holds references to these C++ objects: keep them alive.
        self.compiler = khg.TrainingGraphCompiler(
            model.transitions, model.context, self.fst, [], khg.TrainingGraphCompilerOptions(0.0, 0.0, False)
        )

    def compile(self, entries: Iterable[Entry]) -> kaldifst.StdVectorFst:
        """The graph over transition ids of a sequence of words, without transition probabilities."""
        return self.compiler.compile_graph_from_text([self.symbols[entry] for entry in entries])

    def search(
        self, graph: kaldifst.StdVectorFst, features: np.ndarray, beam: float, retry_beam: float
    ) -> tuple[list[int], khg.DecodableAmDiagGmmScaled] | None:
        """Best path through a graph, which is not modified: transition ids, one per frame, or None.

        Args:
            graph: result of `compile`.
            features: float32 [T, D].
            beam: beam of the first search.
            retry_beam: beam of the second search, if the first one fails.
        """
        weighted = graph.copy()
        khg.add_transition_probs(self.model.transitions, [], TRANSITION_SCALE, SELF_LOOP_SCALE, weighted)
        decodable = khg.DecodableAmDiagGmmScaled(self.model.gmm, self.model.transitions, features, ACOUSTIC_SCALE)
        done, *_, path, _ = khg.align_utterance_wrapper(
            khg.AlignConfig(beam, retry_beam, False), "", ACOUSTIC_SCALE, weighted, decodable, 0, 0, 0, 0.0, 0
        )
        return (path, decodable) if done and len(path) == len(features) else None


def lexicon_fst(symbols: dict[Entry, int], phones: dict[str, int]) -> kaldifst.StdVectorFst:
    """Lexicon FST from inner phone ids to any sequence of word symbols, with optional silence around words."""
    fst = kaldifst.StdVectorFst()
    start, loop, after = fst.add_state(), fst.add_state(), fst.add_state()
    fst.start = start
    fst.set_final(loop, 0.0)

    def arc(source: int, phone: int, word: int, target: int, cost: float = 0.0) -> None:
        fst.add_arc(source, kaldifst.StdArc(phone, word, cost, target))

    for edge in (start, after):
        arc(edge, 0, 0, loop)
        arc(edge, 1, 0, loop)
    for (_, known), symbol in symbols.items():
        for rank, pronunciation in enumerate(known):
            state = loop
            for position, phone in enumerate(pronunciation):
                target = after if position == len(pronunciation) - 1 else fst.add_state()
                inner = 2 * phones[phone] + (position > 0)
                if position == 0:
                    arc(state, inner, symbol, target, VARIANT_COST * (rank > 0))
                else:
                    arc(state, inner, 0, target)
                state = target
    kaldifst.arcsort(fst, "olabel")
    return fst


def segments(model: AcousticModel, path: list[int], decodable: khg.DecodableAmDiagGmmScaled) -> list[Segment]:
    """The phones of a path, in order and without gaps."""
    scores = np.array([decodable.log_likelihood(t, i) for t, i in enumerate(path)]) / ACOUSTIC_SCALE  # [T]
    ids = np.array(path)  # [T]
    ends = np.flatnonzero(model.ends_phone[ids]) + 1
    starts = np.concatenate([[0], ends[:-1]])
    assert ends[-1] == len(path), "a path ends with a phone"
    phones = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        inner = int(model.phone_of[ids[start]])
        phones.append(
            Segment(
                phone=model.phones[inner // 2] if inner > 1 else SILENCE,
                start=start,
                end=end,
                score=float(scores[start:end].mean()),
                begins_word=inner > 1 and inner % 2 == 0,
            )
        )
    return phones


def split_words(phones: list[Segment], entries: list[Entry]) -> list[tuple[str, list[Segment]]]:
    """Each word with its phones; asserts that they are one of its pronunciations."""
    groups: list[list[Segment]] = []
    for segment in phones:
        if segment.begins_word:
            groups.append([])
        if segment.phone != SILENCE:
            groups[-1].append(segment)
    assert len(groups) == len(entries), f"{len(groups)} words aligned, {len(entries)} expected"
    for group, (word, known) in zip(groups, entries, strict=True):
        spoken: Pronunciation = tuple(segment.phone for segment in group)
        assert spoken in known, f"{word}: {spoken} is none of its pronunciations"
    return [(word, group) for (word, _), group in zip(entries, groups, strict=True)]
