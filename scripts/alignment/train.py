"""Train the acoustic model from a flat start: Kaldi's monophone recipe on a sample of the corpus, then triphones.

The first pass aligns every utterance with states of equal length; every pass re-estimates the Gaussians from the last
alignment, and the passes in REALIGN compute a new alignment first. Gaussians are added during the first two thirds of
the passes. Three things differ from Kaldi's script: the sample is balanced over speakers, rare phones share states with
phones that differ in stress only, and the perturbation of split Gaussians uses the experiment's seed (kaldi-hmm-gmm
seeds it from the machine's entropy). Source of the recipe: Kaldi, egs/wsj/s5/steps/train_mono.sh.
"""

import argparse
import heapq
import shutil
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import kaldi_hmm_gmm as khg
import kaldifst
import numpy as np

from scripts.alignment.calibration import calibrate, described, write_thresholds
from scripts.alignment.config import Training, problems
from scripts.alignment.decoding_graph import Graphs
from scripts.alignment.g2p import G2pModel, cmudict_pronunciations
from scripts.alignment.lexicon import (
    SPOKEN_NOISE,
    Dictionary,
    phones_of,
    read_lexicon,
    spoken_noise,
)
from scripts.alignment.model import STATES, AcousticModel, Gaussians, group_phones, save
from scripts.alignment.training_sample import TrainingSample, extract_features, moments
from scripts.alignment.tree import grow_trees, leaf_gaussians, statistics
from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.cuts import Cut
from scripts.common.files import atomic_directory, write_json
from scripts.common.progress import Progress
from scripts.common.sample import draw_sample
from scripts.common.seeds import derive, generator

REALIGN = {*range(1, 11), *range(12, 21, 2), *range(23, 1000, 3)}  # passes that begin with a new alignment (Kaldi's)
REALIGN_TRIPHONE = {*range(0, 1000, 5)}  # the same for the triphone model
FIRST_BEAM = 6.0  # of the first realignment, as in Kaldi: the flat model hardly discriminates
MIN_EXAMPLES = 20  # occurrences below which a phone shares states with phones that differ in stress only
SPLIT_POWER = 0.25  # a state's share of the Gaussians is proportional to its frames to this power (Kaldi's)
SPLIT_FRAMES = 20.0  # minimum frames per Gaussian of a state (Kaldi's)
PAPER_PHONES = 80  # symbols of the paper's phone modalities (arXiv 2412.17048, Table 2)
PERTURB = 0.01  # shift of the halves of a split Gaussian, in standard deviations (Kaldi's)


def split_gaussians(mixtures: Gaussians, frames: np.ndarray, target: int, random: np.random.Generator) -> Gaussians:
    """Split the Gaussians with the largest weights until there are `target`, by frames [S] ** SPLIT_POWER."""
    counts = [len(weights) for weights, _, _ in mixtures]
    heap = [(-(frames[s] ** SPLIT_POWER) / counts[s], s) for s in range(len(counts)) if frames[s] > 0]
    heapq.heapify(heap)
    remaining = target - sum(counts)
    while heap and remaining > 0:
        _, s = heapq.heappop(heap)
        if frames[s] < (counts[s] + 1) * SPLIT_FRAMES:
            continue
        counts[s] += 1
        remaining -= 1
        heapq.heappush(heap, (-(frames[s] ** SPLIT_POWER) / counts[s], s))
    result: Gaussians = []
    for mixture, count in zip(mixtures, counts, strict=True):
        weights, inverse, means = map(list, mixture)
        while len(weights) < count:
            index = int(np.argmax(weights))
            weights[index] /= 2
            step = PERTURB * random.standard_normal(len(means[index])) * np.sqrt(inverse[index])
            weights.append(weights[index])
            inverse.append(inverse[index])
            means.append(means[index] + step)
            means[index] = means[index] - step
        result.append((np.array(weights), np.array(inverse), np.array(means)))
    return result


def estimate(
    model: AcousticModel, features: Iterable[np.ndarray], paths: Iterable[np.ndarray]
) -> tuple[np.ndarray, float]:
    """Re-estimate transitions and Gaussians from an alignment.

    Args:
        model: updated in place.
        features: float32 [T, D] per utterance.
        paths: int [T] per utterance, transition ids; empty for an utterance without alignment.

    Returns:
        Frames per state [S] and the mean log-likelihood per frame before the update.
    """
    sums = khg.AccumAmDiagGmm()
    sums.init(model.gmm, khg.str_to_gmm_flags("mvw"))
    transition_counts = np.zeros(model.transitions.num_transition_ids + 1)
    frames = np.zeros(model.num_states)
    for matrix, ids in zip(features, paths, strict=True):
        if not len(ids):
            continue
        transition_counts += np.bincount(ids, minlength=len(transition_counts))
        states = model.state_of[ids]
        frames += np.bincount(states, minlength=len(frames))
        for row, state in zip(matrix, states.tolist(), strict=True):
            sums.accumulate_for_gmm(model.gmm, row, state, 1.0)
    likelihood = sums.tot_log_like / max(sums.tot_count, 1.0)
    model.transitions.mle_update(transition_counts, khg.MleTransitionUpdateConfig())
    # Kaldi's flat-start recipe keeps Gaussians with 3 frames or more; its general default is 10.
    options = khg.MleDiagGmmOptions(min_gaussian_occupancy=3.0)
    khg.mle_am_diag_gmm_update(options, sums, khg.str_to_gmm_flags("mvw"), model.gmm)
    return frames, float(likelihood)


def train_monophones(
    model: AcousticModel, sample: TrainingSample, config: Training, seed: int
) -> list[dict[str, float]]:
    """Train `model` in place; returns log-likelihood per frame, Gaussians and aligned utterances of each pass."""
    # The flat start cannot choose between pronunciations: it uses each word's first.
    vocabulary = sample.vocabulary()
    graphs = Graphs(model, [*vocabulary, *((word, known[:1]) for word, known in vocabulary)])
    mean, variance = moments(sample)
    flat = (np.ones(1), 1.0 / variance[None], (mean / variance)[None])
    model.set_gaussians([flat] * model.num_states)

    paths = [
        equal_path(
            graphs.compile([(word, known[:1]) for word, known in entries]),
            len(features),
            derive(seed, "alignment/equal", name),
        )
        for name, entries, features in zip(sample.ids, sample.entries, sample.all_features(), strict=True)
    ]
    random = generator(seed, "alignment/split")
    return run_passes(graphs, sample, paths, config, config.gaussians, REALIGN, random)


def run_passes(
    graphs: Graphs,
    sample: TrainingSample,
    paths: list[np.ndarray],
    config: Training,
    gaussians: int,
    realign: Collection[int],
    random: np.random.Generator,
) -> list[dict[str, float]]:
    """Realign, re-estimate and split Gaussians for `config.iterations` passes, in place.

    Args:
        graphs: compiler and search of the alignment graphs; their model is updated in place.
        sample: utterances.
        paths: initial alignment: transition ids, int32 [T], per utterance.
        config: number of passes and beams.
        gaussians: Gaussians after two thirds of the passes.
        realign: passes that begin with a new alignment.
        random: perturbs split Gaussians.

    Returns:
        Log-likelihood per frame, Gaussians and aligned utterances of each pass.
    """
    model = graphs.model
    growing_passes = max(1, config.iterations * 2 // 3)
    history: list[dict[str, float]] = []
    progress = Progress("alignment/train", config.iterations, "passes")
    for step in range(config.iterations):
        if step in realign:
            beam = FIRST_BEAM if step == 1 else config.beam[0]
            paths = list(align(graphs, sample, beam, config.beam[1]))
        frames, likelihood = estimate(model, sample.all_features(), paths)
        target = model.num_states + round((gaussians - model.num_states) * min(1.0, (step + 1) / growing_passes))
        if target > model.num_gaussians and step < config.iterations - 1:
            model.set_gaussians(split_gaussians(model.gaussians(), frames, target, random))
        aligned = sum(map(bool, map(len, paths)))
        history.append({"log_likelihood": round(likelihood, 4), "gaussians": model.num_gaussians, "aligned": aligned})
        progress.update(step + 1, f"log-likelihood {likelihood:.2f}")
    return history


def align(graphs: Graphs, sample: TrainingSample, beam: float, retry_beam: float) -> Iterator[np.ndarray]:
    """Transition ids of the best path of each utterance, int32 [T]; empty without a path."""
    for entries, features in zip(sample.entries, sample.all_features(), strict=True):
        found = graphs.search(graphs.compile(entries), features, beam, retry_beam)
        yield np.array(found[0] if found else [], np.int32)


def contexts(model: AcousticModel, ids: np.ndarray) -> np.ndarray:
    """Per frame of a monophone path: left phone, phone, right phone (indices) and state, int [T, 4]."""
    ends = np.flatnonzero(model.ends_phone[ids])
    index = np.searchsorted(ends, np.arange(len(ids)))  # [T], index of the frame's phone
    phones = np.concatenate([[0], model.phone_of[ids[ends]] // 2, [0]])  # silence beyond the edges
    return np.stack([phones[index], phones[index + 1], phones[index + 2], model.state_of[ids] % STATES], axis=1)


def train_triphones(
    mono: AcousticModel, sample: TrainingSample, config: Training, seed: int
) -> tuple[AcousticModel, list[dict[str, float]]]:
    """Train a triphone model from a monophone model's alignment of the same sample; the model and its passes.

    Source of the recipe: Kaldi, egs/wsj/s5/steps/train_deltas.sh; the features include the deltas.
    """
    assert config.triphone is not None
    paths = align(Graphs(mono, sample.vocabulary()), sample, *config.beam)
    aligned = ((path, matrix) for path, matrix in zip(paths, sample.all_features(), strict=True) if len(path))
    stats = statistics((contexts(mono, path), matrix) for path, matrix in aligned)
    trees, leaf_sums = grow_trees(stats, mono.phones, mono.shared, STATES, config.triphone.leaves)
    model = AcousticModel(mono.phones, mono.shared, mono.frame_shift_ms, trees)
    model.set_gaussians(leaf_gaussians(leaf_sums))
    graphs = Graphs(model, sample.vocabulary())
    random = generator(seed, "alignment/split-triphone")
    history = run_passes(graphs, sample, [], config, config.triphone.gaussians, REALIGN_TRIPHONE, random)
    return model, history


def oov_costs(sample: Sequence[Cut], words: Dictionary, oov: str) -> str:
    """What `alignment.oov` is, and what each of its values would do to the cuts of a sample, for the log."""
    unknown = [set(found) for cut in sample if (found := words.unknown(cut))]
    share = f"{len(unknown)} of {len(sample)} sampled cuts ({len(unknown) / len(sample):.1%})"
    if not unknown:
        return f"alignment.oov is {oov}; every word of {len(sample)} sampled cuts has a pronunciation"
    return (
        f"alignment.oov is {oov}; {share} hold a word without a pronunciation ({len(set().union(*unknown))} words):"
        " drop leaves these cuts out, guess keeps them with pronunciations guessed from letters, noise with SPN"
    )


def equal_path(graph: kaldifst.StdVectorFst, frames: int, seed: int) -> np.ndarray:
    """A path of `frames` transition ids with states of about equal length, int32; empty if there is none."""
    done, path = kaldifst.equal_align(graph, frames, seed % 2**31, 10)
    if not done:
        return np.zeros(0, np.int32)
    _, ids, *_ = kaldifst.get_linear_symbol_sequence(path)
    return np.array(ids, np.int32)


def train(paths: Sequence[str], root: str, lexicon: str, config: Training, seed: int, out: str) -> None:
    """Draw the sample, train the model and write its folder.

    Raises:
        ValueError: there are no cuts, or none is usable; the message names the most frequent reason.
    """
    start = time.monotonic()
    pronunciations = read_lexicon(lexicon)
    phones = phones_of(pronunciations) + [SPOKEN_NOISE] * (config.oov == "noise")
    cuts = draw_sample(paths, config.sample_hours, seed)
    if not cuts:
        raise ValueError(f"{paths[0]}: no cut to train the aligner on (all of {len(paths)} files are empty)")
    g2p = G2pModel.train(cmudict_pronunciations() | pronunciations) if config.oov == "guess" else None
    guess = spoken_noise if config.oov == "noise" else g2p
    words = Dictionary(pronunciations, phones, guess)
    print(f"alignment/train: {oov_costs(cuts, words, config.oov)}", file=sys.stderr)
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    sample, dropped = extract_features(cuts, root, words, config.frame_shift_ms, Path(out).parent)
    if not len(sample):
        reason, count = dropped.most_common(1)[0]
        raise ValueError(
            f"{paths[0]}: none of {len(cuts)} sampled cuts can be used to train the aligner;"
            f" the most frequent reason is {reason} ({count})"
        )
    del cuts  # some kB each
    examples = Counter(phone for entries in sample.entries for _, known in entries for phone in known[0])
    shared = group_phones(phones, [len(sample), *(examples[phone] for phone in phones[1:])], MIN_EXAMPLES)
    unseen = [phones[i] for group in shared for i in group if i and not any(examples[phones[j]] for j in group)]
    model = AcousticModel(phones, shared, config.frame_shift_ms)
    history = train_monophones(model, sample, config, seed)
    if config.triphone:
        model, triphone_history = train_triphones(model, sample, config, seed)
        history += triphone_history
    lengths = calibrate(Graphs(model, sample.vocabulary()), sample, config.beam, seed)

    about = {
        "seed": seed,
        "config": asdict(config),
        "sample": {
            "cuts": len(sample),
            "seconds": round(sample.seconds, 2),
            "speakers": len(sample.speakers),
            "dropped": dict(sorted(dropped.items())),
        },
        "phones": {"here": len(phones), "paper": PAPER_PHONES},
        "states": model.num_states,
        "unheard_phones": unseen,
        "iterations": history,
    }
    with atomic_directory(out) as folder:
        save(model, folder)
        shutil.copyfile(lexicon, folder / "lexicon.txt")
        if g2p:
            g2p.save(folder)
        write_json(folder / "about.json", about)
        write_thresholds(folder, lengths)
    print(
        f"alignment/train: {len(sample)} cuts, {sample.seconds / 60:.1f} min of {len(sample.speakers)} speakers,"
        f" {len(phones)} phones (the paper: {PAPER_PHONES}),"
        f" {model.num_states} states, {model.num_gaussians} Gaussians, log-likelihood per frame"
        f" {history[0]['log_likelihood']:.2f} -> {history[-1]['log_likelihood']:.2f},"
        f" {time.monotonic() - start:.0f} s; not used: {dict(dropped) or 'none'}",
        file=sys.stderr,
    )
    print(f"alignment/train: {described(lengths)}", file=sys.stderr)
    if unseen:
        print(f"alignment/train: no example of {' '.join(unseen)}; words with them align badly", file=sys.stderr)


def main() -> None:
    """Command line of the step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", required=True, nargs="+", help="cuts of the training split, jsonl.gz")
    parser.add_argument("--audio-root", required=True, help="folder that audio paths are relative to")
    parser.add_argument("--lexicon", required=True, help="'WORD PH ON ES' per line")
    parser.add_argument("--config", required=True, help="JSON: keys of the section alignment")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", required=True, help="folder of the model")
    args = parser.parse_args()
    config = parse(Training, args.config, "alignment", problems)
    train(args.cuts, args.audio_root, args.lexicon, config, args.seed, args.out)


if __name__ == "__main__":
    run(main)
