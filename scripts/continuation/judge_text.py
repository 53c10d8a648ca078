"""Training text and tokenizer of a judge that the workflow trains.

For the world, new paragraphs are generated with another random seed; sentences of more than four words that occur in
train, dev or a task are left out. For another corpus the judge is trained on a sample of the training texts, so it has
seen the text that the other models were trained on. The text is lower-case words without punctuation, as in
transcripts.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from scripts.common.cli import run
from scripts.common.cuts import spoken_text
from scripts.common.files import atomic_directory, read_jsonl
from scripts.common.ragged import Ragged, save_bin
from scripts.common.sample import draw_sample
from scripts.common.seeds import derive, generator
from scripts.corpus.world.planting import Planting
from scripts.corpus.world.story import load_grammar
from scripts.corpus.world.vocabulary import WORLD, load_lexicon
from scripts.corpus.world.write import (
    SHORT,
    TooSmallWorldError,
    exposures,
    sentence_keys,
    task_sentences,
    write_paragraphs,
)
from scripts.tokens import hf_tokenizer
from scripts.tokens.modality import Modality
from scripts.tokens.span_encoder import BOS, EOS
from scripts.tokens.span_encoder import load as load_encoder
from scripts.tokens.tokenizer import train_text_tokenizer

DEV_SHARE = 0.05  # of the paragraphs, to measure the dev loss of the judge


def world_texts(
    name: str, scripts: Sequence[Path], tasks: Sequence[Path], hours: float, rate: float, seed: int
) -> Iterator[str]:
    """New paragraphs of the world with this lexicon whose speech would last `hours`.

    The words that a task asks about are planted as in train, as far as there is space.
    """
    known_sentences = task_sentences(tasks)
    for path in scripts:
        for line in read_jsonl(path):
            known_sentences |= {key for key in sentence_keys(line["words"]) if len(key.split()) > SHORT}
    lexicon, grammar = load_lexicon(name), load_grammar(WORLD)
    rng = generator(seed, "continuation", "judge")
    planting = Planting(exposures(tasks), rng)
    try:
        paragraphs = write_paragraphs(lexicon, grammar, hours, rate, rng, known_sentences, planting)
    except TooSmallWorldError as error:
        raise ValueError(f"continuation.judge.hours is {hours}: {error}") from None
    for paragraph in paragraphs:
        yield " ".join(sentence.key for sentence in paragraph.sentences)


def corpus_texts(cuts: Sequence[Path], hours: float, seed: int) -> Iterator[str]:
    """Texts of `hours` of train, or of all of it if it is shorter."""
    for cut in draw_sample(cuts, hours, derive(seed, "continuation", "judge")):
        yield spoken_text(cut).lower()


def main() -> None:
    """Command line of rule continuation_judge_text."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scripts", type=Path, nargs="*", default=[], help="scripts of train and dev, for the world")
    parser.add_argument("--lexicon", required=True, help="its lexicon: small or full")
    parser.add_argument("--tasks", type=Path, nargs="*", default=[], help="scripts of its tasks")
    parser.add_argument("--cuts", type=Path, nargs="*", default=[], help="train cuts, for another corpus")
    parser.add_argument("--hours", type=float, required=True, help="duration of the text as speech")
    parser.add_argument("--rate", type=float, required=True, help="words per minute")
    parser.add_argument("--vocab-size", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True, help="folder for the tokenizer")
    parser.add_argument("--train", type=Path, required=True, help="tokens (.bin)")
    parser.add_argument("--dev", type=Path, required=True, help="tokens (.bin)")
    args = parser.parse_args()
    texts = list(
        world_texts(args.lexicon, args.scripts, args.tasks, args.hours, args.rate, args.seed)
        if args.scripts
        else corpus_texts(args.cuts, args.hours, args.seed)
    )
    modality = Modality("text", "bpe", name="judge", vocab_size=args.vocab_size)
    with atomic_directory(args.tokenizer) as folder:
        try:
            hf_tokenizer.save(train_text_tokenizer(texts, [], modality, folder), folder)
        except ValueError as error:
            raise ValueError(str(error).replace("modalities.judge", "continuation.judge")) from None
    encode = load_encoder(args.tokenizer)
    sequences = [np.array([BOS, *encode(text), EOS], np.uint16) for text in texts]
    num_dev = max(1, round(DEV_SHARE * len(sequences)))
    for path, split in ((args.dev, sequences[:num_dev]), (args.train, sequences[num_dev:])):
        save_bin(path, Ragged.join([f"{path.stem}-{i}" for i in range(len(split))], split))
    words = sum(len(text.split()) for text in texts)
    print(
        f"judge: {len(texts)} texts, {words} words, {sum(map(len, sequences))} tokens"
        f" ({'new text of the world' if args.scripts else 'the training texts'})",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
