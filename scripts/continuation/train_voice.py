"""Train the speech model of one source: symbols at 50 Hz to log-mel, and for phones their durations.

For phones, each speaker of the sample has an embedding; synthesis uses that of the reference speaker. Units carry
speaker information themselves: with the embedding of another speaker the speech is unintelligible (word error rate in
the miniature 76% with the reference's embedding, 23% without), so units have no speaker embedding. Phones without a
frame rate need durations: a second network predicts the logarithm of the number of frames of each phone.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from scripts.common import cpu
from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.files import atomic_directory
from scripts.common.progress import Progress
from scripts.common.seeds import derive, generator
from scripts.continuation.config import VoiceTraining
from scripts.continuation.network import Network, fit, save
from scripts.continuation.voice_data import Utterance, reference_speaker, sample
from scripts.tokens.tokenizer import INVENTORIES, symbols

CHUNK = 160  # mel frames of a training example, 2.56 s
DURATION_CHUNK = 64  # phones of a training example
SOURCES_WITH_SPEAKER = ("units",)  # sources whose symbols carry speaker information
ALL_SPEAKERS = "everybody"
Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]
Example = tuple[np.ndarray, int, np.ndarray]  # ids [T], voice, values [T, outputs]


class Batches(Sequence[Batch]):
    """Random crops of the examples; batch n depends on the seed and n only."""

    def __init__(self, examples: Sequence[Example], network: Network, chunk: int, size: int, steps: int, seed: int):
        self.examples, self.network = examples, network
        self.chunk, self.size, self.steps, self.seed = chunk, size, steps, seed
        lengths = np.array([len(ids) for ids, *_ in examples], dtype=np.float64)
        self.probabilities = lengths / lengths.sum()

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: Any) -> Batch:
        if not 0 <= step < self.steps:
            raise IndexError(step)
        rng = generator(self.seed, "continuation/batch", step)
        network = self.network
        ids = np.full((self.size, self.chunk), network.padding)
        voices = np.zeros(self.size, np.int64)
        targets = np.zeros((self.size, self.chunk, network.out.out_features), np.float32)
        weights = np.zeros((self.size, self.chunk), np.float32)
        for row, chosen in enumerate(rng.choice(len(self.examples), self.size, p=self.probabilities)):
            symbols, voices[row], values = self.examples[chosen]
            first = int(rng.integers(0, max(0, len(symbols) - self.chunk) + 1))
            size = min(self.chunk, len(symbols))
            ids[row, :size] = symbols[first : first + size]
            targets[row, :size] = values[first : first + size]
            weights[row, :size] = 1
        device = network.mean.device
        scaled = (torch.from_numpy(targets).to(device) - network.mean) / network.deviation
        return (
            torch.from_numpy(ids).to(device),
            torch.from_numpy(voices).to(device),
            scaled,
            torch.from_numpy(weights).to(device),
        )


def train_network(
    examples: Sequence[Example], symbols: int, speakers: int, chunk: int, config: VoiceTraining, seed: int, name: str
) -> tuple[Network, float]:
    """A network trained on the examples, and its final loss in standard deviations."""
    torch.manual_seed(derive(seed, "continuation/voice", name) % 2**32)
    network = Network(symbols, speakers, config.width, config.layers, examples[0][2].shape[1])
    values = np.concatenate([values for *_, values in examples])
    network.mean.copy_(torch.from_numpy(values.mean(axis=0)))
    network.deviation.copy_(torch.from_numpy(np.maximum(values.std(axis=0), 1e-3)))
    network.to("cuda" if torch.cuda.is_available() else "cpu")
    progress = Progress(f"speech/{name}", config.steps, "steps")
    batches = Batches(examples, network, chunk, config.batch_crops, config.steps, seed)
    loss = fit(network, batches, config.learning_rate, lambda step, loss: progress.update(step, f"loss {loss:.3f}"))
    return network.cpu(), loss


def run_lengths(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Run-length encoding of frames [T]: symbols [P] and the number of frames of each [P]."""
    starts = np.flatnonzero(np.diff(ids, prepend=-1))
    return ids[starts], np.diff(starts, append=len(ids))


def duration_examples(utterances: Sequence[Utterance], voices: dict[str, int]) -> list[Example]:
    """Examples of the duration model: phones and the logarithm of their numbers of frames."""
    runs = [(voices[u.speaker], *run_lengths(u.ids)) for u in utterances]
    return [(ids, voice, np.log(frames)[:, None].astype(np.float32)) for voice, ids, frames in runs]


def duration_scale(network: Network, examples: Sequence[Example]) -> float:
    """Real frames divided by predicted ones, since the exponential of a mean logarithm underestimates the mean."""
    real = sum(float(np.exp(values).sum()) for *_, values in examples)
    predicted = sum(float(network(torch.from_numpy(ids), voice).exp().sum()) for ids, voice, _ in examples)
    return real / predicted


def main() -> None:
    """Command line of rule continuation_train_voice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=Path, nargs="+", required=True, help="aligned train shards")
    parser.add_argument("--units", type=Path, nargs="*", default=[], help="their units, for source units")
    parser.add_argument("--audio-root", required=True)
    parser.add_argument("--source", choices=list(INVENTORIES), required=True)
    parser.add_argument("--inventory", required=True, help="source of the inventory: lexicon.txt or kmeans.json")
    parser.add_argument("--extra", nargs="*", default=[], help="symbols that the inventory lacks")
    parser.add_argument("--config", required=True, help="JSON: keys of continuation.speech, and threads")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder of the model")
    args = parser.parse_args()
    config = parse(VoiceTraining, args.config, "continuation.speech")
    cpu.prepare(config.threads)
    inventory = symbols(args.source, args.inventory, args.extra)
    sampled = sample(args.cuts, args.units, args.audio_root, args.source, inventory, config.sample_hours, args.seed)
    utterances = [replace(u, speaker=ALL_SPEAKERS) if args.source in SOURCES_WITH_SPEAKER else u for u in sampled]
    if args.source in SOURCES_WITH_SPEAKER:
        config = replace(config, reference_speaker=None)
    names, chosen = reference_speaker(utterances, config.reference_speaker)
    voices = {name: number for number, name in enumerate(names)}
    sounds = [(u.ids[u.symbol_index], voices[u.speaker], u.mel) for u in utterances]
    network, loss = train_network(sounds, len(inventory), len(names), CHUNK, config, args.seed, args.source)
    about: dict[str, Any] = {"source": args.source, "inventory": inventory, "speakers": names, "reference": chosen}
    with atomic_directory(args.out) as folder:
        save(network, {**about, "loss": round(loss, 4)}, folder)
        if not args.units:
            durations = duration_examples(utterances, voices)
            duration_model, error = train_network(
                durations, len(inventory), len(names), DURATION_CHUNK, config, args.seed, "durations"
            )
            (folder / "durations").mkdir()
            details = {**about, "loss": round(error, 4), "stretch": round(duration_scale(duration_model, durations), 4)}
            save(duration_model, details, folder / "durations")
    frames = sum(len(u.ids) for u in utterances)
    print(
        f"speech/{args.source}: {len(utterances)} utterances, {frames / 50 / 3600:.2f} h, {len(names)} speakers,"
        f" reference {names[chosen]}; mean error {loss:.3f} standard deviations",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
