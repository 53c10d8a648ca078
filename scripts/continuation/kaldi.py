"""A recogniser without a language model: the aligner's acoustic model in a flat loop over the lexicon's words.

Every word may follow every word at the same cost, so the transcript depends on the sound alone; a recogniser with a
language model would correct ungrammatical continuations. It recognises only the words of corpus/lexicon.txt.
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import kaldi_hmm_gmm as khg
import kaldifst
import numpy as np

from scripts.alignment.decoding_graph import SELF_LOOP_SCALE, TRANSITION_SCALE, lexicon_fst
from scripts.alignment.features import MEAN_SECONDS, add_deltas, mfcc
from scripts.alignment.lexicon import read_lexicon
from scripts.alignment.model import AcousticModel, load

ACOUSTIC_SCALE = 0.055  # frames overlap, so their log-likelihoods are correlated and scaled down
BEAM = 13.0
MAX_ACTIVE = 2000  # states per frame; without a limit, the search over noise grows without bound
SHORTEST = 3  # frames; the number of states of a phone


class KaldiRecogniser:
    """Words of waveforms by Viterbi search.

    Args:
        folder: alignment/model, of monophones.
        lexicon: corpus/lexicon.txt.

    Raises:
        ValueError: the model has triphones, or a pronunciation holds a phone that it does not know.
    """

    def __init__(self, folder: str | Path, lexicon: str | Path):
        self.model = load(folder)
        if self.model.trees is not None:
            raise ValueError(
                f"{folder}: has triphones; the recogniser needs monophones: set alignment.triphone to null"
                " or continuation.recogniser to whisper"
            )
        pronunciations = read_lexicon(lexicon)
        phones = {phone for variants in pronunciations.values() for variant in variants for phone in variant}
        unknown = phones - set(self.model.phones)
        if unknown:
            raise ValueError(f"{lexicon}: the phone {min(unknown)!r} is not in {folder}; they do not belong together")
        self.words = ["", *sorted(pronunciations)]
        entries = {(word, pronunciations[word]): number for number, word in enumerate(self.words) if word}
        lexicon_loop = lexicon_fst(entries, {phone: k for k, phone in enumerate(self.model.phones)})
        self.graph = _graph(self.model, lexicon_loop, len(pronunciations))

    def __call__(self, waves: Sequence[np.ndarray]) -> Iterator[str]:
        """Upper-case words of each float32 waveform; all waves are of one speaker, whose mean MFCC is subtracted."""
        static = [mfcc(wave, self.model.frame_shift_ms) for wave in waves]
        mean = _mean(static, round(MEAN_SECONDS * 1000 / self.model.frame_shift_ms))
        for frames in static:
            yield "" if len(frames) < SHORTEST else self._search(np.ascontiguousarray(add_deltas(frames - mean)))

    def _search(self, features: np.ndarray) -> str:
        decoder = khg.FasterDecoder(self.graph, khg.FasterDecoderOptions(beam=BEAM, max_active=MAX_ACTIVE))
        decoder.decode(khg.DecodableAmDiagGmmScaled(self.model.gmm, self.model.transitions, features, ACOUSTIC_SCALE))
        # If the sound ends inside a word, no final state is reached: take the best path so far.
        success, path = decoder.get_best_path(use_final_probs=decoder.reached_final())
        if not success:
            return ""
        _, _, symbols, _ = kaldifst.get_linear_symbol_sequence(path)
        return " ".join(self.words[symbol] for symbol in symbols if symbol)


def _mean(static: Sequence[np.ndarray], limit: int) -> np.ndarray:
    """Mean MFCC [13] of the first `limit` frames."""
    frames = np.concatenate([np.zeros((0, 13), np.float32), *static])[:limit]
    return frames.mean(axis=0) if len(frames) else np.zeros(13, np.float32)


def _graph(model: AcousticModel, lexicon_loop: kaldifst.StdVectorFst, words: int) -> kaldifst.StdVectorFst:
    """Transition ids -> words: the HMMs of all phones, composed with the lexicon and a loop of equally costly words."""
    loop = kaldifst.StdVectorFst()
    loop.start = loop.add_state()
    loop.set_final(loop.start, 0.0)
    for word in range(1, words + 1):
        loop.add_arc(loop.start, kaldifst.StdArc(word, word, math.log(words), loop.start))
    word_loop = kaldifst.compose(lexicon_loop, loop)
    kaldifst.arcsort(word_loop, "ilabel")
    # One context per phone, in order, so that an HMM's output label is its phone; 0 is epsilon.
    contexts: list[list[int]] = [[], *([phone] for phone in range(1, 2 * len(model.phones)))]
    config = khg.HTransducerConfig()
    config.transition_scale = TRANSITION_SCALE
    hmms, _ = khg.get_h_transducer(contexts, model.context, model.transitions, config)
    kaldifst.arcsort(hmms, "olabel")
    graph = kaldifst.compose(hmms, word_loop)
    return khg.add_self_loops(SELF_LOOP_SCALE, [], True, model.transitions, graph) or graph
