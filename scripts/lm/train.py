"""Train one modality's language model: tokens in, a Hugging Face model folder out.

Notable: killed at any moment, the same command goes on from the newest state under `<out>/checkpoints`
and ends with the same bytes as an unkilled run (but for the log's two columns of time). Everything is
gathered in that undeclared folder, because a failed workflow job loses its declared outputs; at the
end the results are moved to `<out>/{scaling,log.csv,model}` and the folder is removed, so that a later
training never starts from this one.
"""

import argparse
import sys
from pathlib import Path

import transformers

from scripts.common import cpu
from scripts.common.cli import run
from scripts.lm.batches import load_split
from scripts.lm.config import parse_config
from scripts.lm.inputs import fingerprint, read_tokenizer
from scripts.lm.publish import describe, publish, summary
from scripts.lm.training import Training, stop_on_signals


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path, required=True, help="tokens of the train split (.bin)")
    parser.add_argument("--dev", type=Path, required=True, help="tokens of the dev split (.bin)")
    parser.add_argument("--tokenizer", type=Path, required=True, help="folder with tokenizer.json")
    parser.add_argument("--config", required=True, help="the config's lm section, as JSON")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--name", required=True, help="the modality")
    parser.add_argument("--out", type=Path, required=True, help="folder for model/, scaling/, log.csv")
    parser.add_argument("--save-minutes", type=float, default=5.0, help="write a resumable state at least this often")
    args = parser.parse_args()

    config = parse_config(args.config)
    cpu.prepare(config.training.threads)
    transformers.utils.logging.disable_progress_bar()
    vocab_size, bos, eos = read_tokenizer(args.tokenizer)
    splits = {
        split: load_split(path, vocab_size, config.model.context, bos, eos)
        for split, path in (("train", args.train), ("dev", args.dev))
    }
    identity = {"name": args.name, "seed": args.seed, "vocabulary": vocab_size, **config.flat()}
    identity |= {f"{split} tokens": fingerprint(getattr(args, split), splits[split]) for split in splits}
    training = Training(
        **splits,
        vocab_size=vocab_size,
        bos=bos,
        eos=eos,
        config=config,
        seed=args.seed,
        name=args.name,
        folder=args.out / "checkpoints",
        identity=identity,
        save_minutes=args.save_minutes,
    )
    with stop_on_signals(training):
        training.run()
    publish(training, args.out, args.tokenizer, describe(training, config, vocab_size))
    print(summary(training), file=sys.stderr)


if __name__ == "__main__":
    run(main)
