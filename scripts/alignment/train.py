"""Train the acoustic model from a flat start: Kaldi's monophone recipe on a sample of the corpus, then its triphones.

The first pass cuts every utterance into equal pieces; every later one re-estimates the Gaussians from
the last alignment, and the passes in REALIGN make a new one. Gaussians are added until two thirds of
the passes are done. Three things differ from Kaldi's script: the sample is drawn evenly over speakers,
phones that are rare in it share states with their siblings in other stress, and Gaussians are split
with this experiment's seed (kaldi-hmm-gmm takes its perturbation from the machine's entropy).
Source of the recipe: Kaldi, egs/wsj/s5/steps/train_mono.sh.
"""

import argparse
import heapq
import shutil
import sys
import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict

import kaldi_hmm_gmm as khg
import kaldifst
import numpy as np

from scripts.alignment.config import Training, problems
from scripts.alignment.features import Observations
from scripts.alignment.graph import Graphs, fewest_frames
from scripts.alignment.lexicon import (
    SPOKEN_NOISE,
    Dictionary,
    Entry,
    OutOfVocabularyError,
    phones_of,
    read_lexicon,
    spoken_noise,
)
from scripts.alignment.model import STATES, AcousticModel, Gaussians, group_phones, save
from scripts.alignment.pronounce import Guesser, cmudict_lexicon
from scripts.alignment.tree import grow, leaf_gaussians, statistics
from scripts.common import audio
from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.cuts import Cut, speaker, total_seconds
from scripts.common.files import atomic_directory, write_json
from scripts.common.progress import Progress
from scripts.common.sample import draw_sample
from scripts.common.seeds import derive, generator

REALIGN = {*range(1, 11), *range(12, 21, 2), *range(23, 1000, 3)}  # passes that begin with a new alignment
REALIGN_TRIPHONE = {*range(0, 1000, 5)}  # the same, of the triphone model, whose first alignment is new
FIRST_BEAM = 6.0  # of the first realignment: the flat model sees no difference worth a wide search
ENOUGH_EXAMPLES = 20  # occurrences under which a phone shares states with its siblings
SPLIT_POWER = 0.25  # a state's share of the Gaussians grows with its frames to this power (Kaldi's)
SPLIT_FRAMES = 20.0  # frames per Gaussian that a state must have to get another (Kaldi's)
PAPER_PHONES = 80  # symbols of the paper's phone modalities (arXiv 2412.17048, Table 2)
PERTURB = 0.01  # standard deviations by which the halves of a split Gaussian are moved apart (Kaldi's)


def usable(
    sample: list[Cut], root: str, words: Dictionary, frame_shift_ms: float
) -> tuple[list[tuple[Cut, list[Entry], np.ndarray]], Counter[str]]:
    """Cuts that can be trained on with their words and features [T, 39]; and reasons of the others."""
    kept, dropped = [], Counter[str]()
    observations = Observations(sample, root, frame_shift_ms)
    progress = Progress("alignment/features", len(sample), "cuts")
    for number, cut in enumerate(sample, start=1):
        progress.update(number)
        try:
            entries = words.entries(cut)
            observed = observations(cut)
        except OutOfVocabularyError:
            dropped["oov"] += 1
        except audio.AudioError as error:
            dropped[error.reason] += 1
        else:
            if entries and len(observed) >= fewest_frames(entries):
                kept.append((cut, entries, observed))
            else:
                dropped["alignment-failed"] += 1
    return kept, dropped


def split(mixtures: Gaussians, frames: np.ndarray, target: int, random: np.random.Generator) -> Gaussians:
    """Split heavy Gaussians until there are `target`, spread over states by frames [S] ** SPLIT_POWER."""
    counts = [len(weights) for weights, _, _ in mixtures]
    heap = [(-(frames[s] ** SPLIT_POWER) / counts[s], s) for s in range(len(counts)) if frames[s] > 0]
    heapq.heapify(heap)
    missing = target - sum(counts)
    while heap and missing > 0:
        _, s = heapq.heappop(heap)
        if frames[s] < (counts[s] + 1) * SPLIT_FRAMES:
            continue
        counts[s] += 1
        missing -= 1
        heapq.heappush(heap, (-(frames[s] ** SPLIT_POWER) / counts[s], s))
    result: Gaussians = []
    for mixture, count in zip(mixtures, counts, strict=True):
        weights, inverse, means = map(list, mixture)
        while len(weights) < count:
            heavy = int(np.argmax(weights))
            weights[heavy] /= 2
            step = PERTURB * random.standard_normal(len(means[heavy])) * np.sqrt(inverse[heavy])
            weights.append(weights[heavy])
            inverse.append(inverse[heavy])
            means.append(means[heavy] + step)
            means[heavy] = means[heavy] - step
        result.append((np.array(weights), np.array(inverse), np.array(means)))
    return result


def estimate(model: AcousticModel, observed: list[np.ndarray], paths: list[list[int]]) -> tuple[np.ndarray, float]:
    """Re-estimate transitions and Gaussians from an alignment.

    Args:
        model: changed in place.
        observed: per utterance float32 [T, D].
        paths: per utterance T transition ids; empty for an utterance without alignment.

    Returns:
        Frames per state [S] and the mean log-likelihood per frame before the update.
    """
    sums = khg.AccumAmDiagGmm()
    sums.init(model.gmm, khg.str_to_gmm_flags("mvw"))
    transition_counts = np.zeros(model.transitions.num_transition_ids + 1)
    frames = np.zeros(model.num_states)
    for matrix, path in zip(observed, paths, strict=True):
        if not path:
            continue
        ids = np.array(path)
        transition_counts += np.bincount(ids, minlength=len(transition_counts))
        states = model.state_of[ids]
        frames += np.bincount(states, minlength=len(frames))
        for row, state in zip(matrix, states.tolist(), strict=True):
            sums.accumulate_for_gmm(model.gmm, row, state, 1.0)
    likelihood = sums.tot_log_like / max(sums.tot_count, 1.0)
    model.transitions.mle_update(transition_counts, khg.MleTransitionUpdateConfig())
    # Kaldi's flat-start recipe lets Gaussians live on 3 frames; its general default is 10.
    options = khg.MleDiagGmmOptions(min_gaussian_occupancy=3.0)
    khg.mle_am_diag_gmm_update(options, sums, khg.str_to_gmm_flags("mvw"), model.gmm)
    return frames, float(likelihood)


def fit(
    model: AcousticModel, kept: list[tuple[Cut, list[Entry], np.ndarray]], config: Training, seed: int
) -> list[dict[str, float]]:
    """Train `model` in place; per pass its mean log-likelihood, Gaussians and utterances aligned."""
    # The flat start knows nothing that could choose between pronunciations: it takes each word's first.
    usual = [[(word, known[:1]) for word, known in entries] for _, entries, _ in kept]
    graphs = Graphs(model, [*(e for _, entries, _ in kept for e in entries), *(e for each in usual for e in each)])
    compiled = [graphs.compile(entries) for _, entries, _ in kept]
    observed = [matrix for _, _, matrix in kept]
    everything = np.concatenate(observed)
    inverse = 1.0 / everything.var(axis=0, dtype=np.float64)
    flat = (np.ones(1), inverse[None], (everything.mean(axis=0, dtype=np.float64) * inverse)[None])
    model.set_gaussians([flat] * model.num_states)

    paths = [
        equal_path(graphs.compile(entries), len(matrix), derive(seed, "alignment/equal", cut["id"]))
        for entries, (cut, _, matrix) in zip(usual, kept, strict=True)
    ]
    random = generator(seed, "alignment/split")
    return improve(model, graphs, compiled, observed, paths, config, config.gaussians, REALIGN, random)


def improve(
    model: AcousticModel,
    graphs: Graphs,
    compiled: list[kaldifst.StdVectorFst],
    observed: list[np.ndarray],
    paths: list[list[int]],
    config: Training,
    gaussians: int,
    realign: Collection[int],
    random: np.random.Generator,
) -> list[dict[str, float]]:
    """Passes of estimation, growth and new alignment, in place; `paths` is what the first pass goes by."""
    growing = max(1, config.iterations * 2 // 3)
    history: list[dict[str, float]] = []
    progress = Progress("alignment/train", config.iterations, "passes")
    for step in range(config.iterations):
        if step in realign:
            beam = FIRST_BEAM if step == 1 else config.beam[0]
            found = [graphs.search(g, m, beam, config.beam[1]) for g, m in zip(compiled, observed, strict=True)]
            paths = [each[0] if each else [] for each in found]
        frames, likelihood = estimate(model, observed, paths)
        target = model.num_states + round((gaussians - model.num_states) * min(1.0, (step + 1) / growing))
        if target > model.num_gaussians and step < config.iterations - 1:
            model.set_gaussians(split(model.gaussians(), frames, target, random))
        aligned = sum(map(bool, paths))
        history.append({"log_likelihood": round(likelihood, 4), "gaussians": model.num_gaussians, "aligned": aligned})
        progress.update(step + 1, f"log-likelihood {likelihood:.2f}")
    return history


def contexts(model: AcousticModel, path: list[int]) -> np.ndarray:
    """Per frame of a monophone path: left phone, phone, right phone (indices) and state, int [T, 4]."""
    ids = np.array(path)
    ends = np.flatnonzero(model.ends_phone[ids])
    number = np.searchsorted(ends, np.arange(len(ids)))  # [T], which phone of the row a frame is in
    row = np.concatenate([[0], model.phone_of[ids[ends]] // 2, [0]])  # silence beyond the edges
    return np.stack([row[number], row[number + 1], row[number + 2], model.state_of[ids] % STATES], axis=1)


def with_context(
    mono: AcousticModel, kept: list[tuple[Cut, list[Entry], np.ndarray]], config: Training, seed: int
) -> tuple[AcousticModel, list[dict[str, float]]]:
    """A triphone model grown from a monophone one and its alignment of the same sample, and how it was trained.

    Source of the recipe: Kaldi, egs/wsj/s5/steps/train_deltas.sh; the features have their deltas already.
    """
    assert config.triphone is not None
    observed = [matrix for _, _, matrix in kept]
    entries = [each for _, words, _ in kept for each in words]
    graphs = Graphs(mono, entries)
    found = [graphs.search(graphs.compile(words), matrix, *config.beam) for _, words, matrix in kept]
    seen = [(contexts(mono, each[0]), matrix) for each, matrix in zip(found, observed, strict=True) if each]
    stats = statistics([context for context, _ in seen], [matrix for _, matrix in seen])
    trees, ends = grow(stats, mono.phones, mono.shared, STATES, config.triphone.leaves)
    model = AcousticModel(mono.phones, mono.shared, mono.frame_shift_ms, trees)
    model.set_gaussians(leaf_gaussians(ends))
    graphs = Graphs(model, entries)
    compiled = [graphs.compile(words) for _, words, _ in kept]
    random = generator(seed, "alignment/split-triphone")
    history = improve(
        model, graphs, compiled, observed, [], config, config.triphone.gaussians, REALIGN_TRIPHONE, random
    )
    return model, history


def equal_path(graph: kaldifst.StdVectorFst, frames: int, seed: int) -> list[int]:
    """A random path of `frames` transition ids, states of about equal length; empty if there is none."""
    done, path = kaldifst.equal_align(graph, frames, seed % 2**31, 10)
    if not done:
        return []
    _, ids, *_ = kaldifst.get_linear_symbol_sequence(path)
    return list(ids)


def train(paths: Sequence[str], root: str, lexicon: str, config: Training, seed: int, out: str) -> None:
    """The step: draw the sample, train on it, write the model folder.

    Raises:
        ValueError: there are no cuts, or none that can be trained on; the line names the top reason.
    """
    began = time.monotonic()
    pronunciations = read_lexicon(lexicon)
    phones = phones_of(pronunciations) + [SPOKEN_NOISE] * (config.oov == "noise")
    sample = draw_sample(paths, config.sample_hours, seed)
    if not sample:
        raise ValueError(f"{paths[0]}: no cut to train the aligner on (all of {len(paths)} files are empty)")
    guesser = Guesser.train(cmudict_lexicon() | pronunciations) if config.oov == "guess" else None
    guess = spoken_noise if config.oov == "noise" else guesser
    kept, dropped = usable(sample, root, Dictionary(pronunciations, phones, guess), config.frame_shift_ms)
    if not kept:
        reason, count = dropped.most_common(1)[0]
        raise ValueError(
            f"{paths[0]}: none of {len(sample)} sampled cuts can be used to train the aligner;"
            f" the most frequent reason is {reason} ({count})"
        )
    examples = Counter(phone for _, entries, _ in kept for _, known in entries for phone in known[0])
    shared = group_phones(phones, [len(kept), *(examples[phone] for phone in phones[1:])], ENOUGH_EXAMPLES)
    unheard = [phones[i] for group in shared for i in group if i and not any(examples[phones[j]] for j in group)]
    model = AcousticModel(phones, shared, config.frame_shift_ms)
    history = fit(model, kept, config, seed)
    if config.triphone:
        model, more = with_context(model, kept, config, seed)
        history += more

    seconds = total_seconds(cut for cut, _, _ in kept)
    speakers = len({speaker(cut) for cut, _, _ in kept})
    about = {
        "seed": seed,
        "config": asdict(config),
        "sample": {
            "cuts": len(kept),
            "seconds": round(seconds, 2),
            "speakers": speakers,
            "dropped": dict(sorted(dropped.items())),
        },
        "phones": {"here": len(phones), "paper": PAPER_PHONES},
        "states": model.num_states,
        "unheard_phones": unheard,
        "iterations": history,
    }
    with atomic_directory(out) as folder:
        save(model, folder)
        shutil.copyfile(lexicon, folder / "lexicon.txt")
        if guesser:
            guesser.save(folder)
        write_json(folder / "about.json", about)
    print(
        f"alignment/train: {len(kept)} cuts, {seconds / 60:.1f} min of {speakers} speakers,"
        f" {len(phones)} phones (the paper: {PAPER_PHONES}),"
        f" {model.num_states} states, {model.num_gaussians} Gaussians, log-likelihood per frame"
        f" {history[0]['log_likelihood']:.2f} -> {history[-1]['log_likelihood']:.2f},"
        f" {time.monotonic() - began:.0f} s; not used: {dict(dropped) or 'none'}",
        file=sys.stderr,
    )
    if unheard:
        print(f"alignment/train: no example of {' '.join(unheard)}; their words align badly", file=sys.stderr)


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
