"""Train one modality's language model: tokens in, a Hugging Face model folder out.

Notable: killed at any moment, the same command goes on from the newest state under `<out>/checkpoints`. On a CPU it
ends with the same bytes as an unkilled run (but for the log's columns of time and memory); docs/training.md states
what holds on a GPU. All files are written to that undeclared folder, because a failed workflow job loses its declared
outputs; at the end the results are moved to `<out>/{scaling,log.csv,model}` and the folder is removed, so that a
later training never starts from this one.
"""

import argparse
import sys
from pathlib import Path

import transformers

from scripts.common import cpu
from scripts.common.cli import run
from scripts.lm.batching.inputs import fingerprint, read_tokenizer
from scripts.lm.batching.splits import load_split
from scripts.lm.config import LMConfig, parse_config
from scripts.lm.distributed.launch import Nodes, launch
from scripts.lm.distributed.ranks import Ranks, is_launched
from scripts.lm.loop.determinism import make_deterministic
from scripts.lm.loop.publish import describe, publish, summary
from scripts.lm.loop.trainer import Trainer, stop_on_signals
from scripts.lm.model.start import read_start


def prepare(args: argparse.Namespace, config: LMConfig, ranks: Ranks) -> Trainer:
    """Read the inputs of a training; ValueError or OSError where something is wrong with them."""
    vocab_size, bos, eos = read_tokenizer(args.tokenizer)
    train, dev = (load_split(path, vocab_size, config.model.context, bos, eos) for path in (args.train, args.dev))
    identity = {"name": args.name, "seed": args.seed, "vocabulary": vocab_size, **config.flat()}
    start = read_start(args.init, config.model, args.tokenizer) if args.init else None
    identity["init"] = start and f"weights {start.digest[:16]}"
    identity |= {"train tokens": fingerprint(args.train, train), "dev tokens": fingerprint(args.dev, dev)}
    return Trainer(
        train=train,
        dev=dev,
        vocab_size=vocab_size,
        bos=bos,
        eos=eos,
        config=config,
        seed=args.seed,
        name=args.name,
        folder=args.out / "checkpoints",
        identity=identity,
        save_minutes=args.save_minutes,
        ranks=ranks,
        peak=args.peak_tflops and 1e12 * args.peak_tflops,
        events=args.events,
        start=start,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path, required=True, help="tokens of the train split (.bin)")
    parser.add_argument("--dev", type=Path, required=True, help="tokens of the dev split (.bin)")
    parser.add_argument("--tokenizer", type=Path, required=True, help="folder with tokenizer.json")
    parser.add_argument("--config", required=True, help="the config's lm section, as JSON")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--name", required=True, help="the modality")
    parser.add_argument("--init", type=Path, help="folder of the model to start from; without: random weights")
    parser.add_argument("--out", type=Path, required=True, help="folder for model/, scaling/, log.csv")
    parser.add_argument("--save-minutes", type=float, default=5.0, help="write a resumable state at least this often")
    parser.add_argument("--processes", type=int, default=1, help="ranks to start on this machine, one per GPU")
    parser.add_argument("--nodes", type=int, default=1, help="machines that train together, the command once on each")
    parser.add_argument("--node-rank", type=int, default=0, help="number of this machine, from 0")
    parser.add_argument("--rendezvous", default="localhost:0", help="HOST:PORT of machine 0, where all ranks meet")
    parser.add_argument("--peak-tflops", type=float, help="of one device, for mfu; without it a product is timed")
    parser.add_argument("--events", type=Path, help="folder for TensorBoard's event files, if it is installed")
    args = parser.parse_args()

    config = parse_config(args.config)
    nodes = Nodes(args.nodes, args.node_rank, args.rendezvous)
    if args.processes * nodes.count > 1 and not is_launched():
        return launch("scripts.lm.train", sys.argv[1:], args.processes, nodes)
    if config.training.deterministic:
        make_deterministic()
    ranks = Ranks.from_environment()
    config = config.resolved(ranks.device)
    cpu.prepare(config.training.threads)
    transformers.utils.logging.disable_progress_bar()
    with ranks.hard_exit():
        with ranks.sync_errors():
            training = prepare(args, config, ranks)
        with stop_on_signals(training):
            training.run()
        if ranks.is_main:
            publish(training, args.out, args.tokenizer, describe(training, config))
            print(summary(training), file=sys.stderr)
    return None


if __name__ == "__main__":
    run(main)
