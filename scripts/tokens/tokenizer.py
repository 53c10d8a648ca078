"""Train the tokenizer of a modality, from the training split alone.

Three kinds. `bpe` and `char` are SentencePiece models with the same options, so that text-bpe and
text-raw differ in merges and in nothing else; normalisation is the identity and spaces are kept, so
that decoding returns the text exactly. Symbols with names (phones, units) are encoded for SentencePiece
as private characters, one each; merges then run across words, because speech has no spaces. `symbol` has
one id per symbol.

SentencePiece holds what it trains on in memory, about 70 bytes per phone or unit. SAMPLE bounds that:
each training shard gives its first utterances, equally many symbols, so that 50,000 hours cost no
more than 500. Nothing is drawn by chance: trained in one thread on sentences in a fixed order, it
gives the same bytes every time.
"""

import argparse
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import sentencepiece
from tokenizers import Tokenizer

from scripts.common.cli import run
from scripts.common.files import atomic_directory, read_json
from scripts.tokens import fast
from scripts.tokens.config import MAX_VOCABULARY
from scripts.tokens.encoder import MADE_BY, MODEL, SYMBOLS
from scripts.tokens.modality import Modality, from_json
from scripts.tokens.sources import SILENCE, read

SAMPLE = 20_000_000  # symbols: 1.5 GB, 560 hours of phones or 110 hours of units
PRIVATE = 0xF0000  # first of 65,534 code points that Unicode leaves to private use


class Characters(dict[str, str]):
    """Symbol -> private character, given out in order of first appearance."""

    def __missing__(self, symbol: str) -> str:
        self[symbol] = chr(PRIVATE + len(self))
        return self[symbol]


def sample(
    cuts: Sequence[str], units: Sequence[str], modality: Modality, limit: int = SAMPLE
) -> Iterator[Sequence[str]]:
    """Symbols of the utterances the tokenizer is trained on, in a fixed order.

    Each shard gives utterances until they hold `limit` / shards symbols or it ends.
    """
    unit_files: Sequence[str | None] = units or [None] * len(cuts)
    for shard, unit_file in zip(cuts, unit_files, strict=True):
        taken = 0
        for utterance in read(shard, unit_file, modality):
            yield utterance.symbols
            taken += len(utterance.symbols)
            if taken * len(cuts) >= limit:
                break


def sentencepiece_model(sentences: Iterable[str], kind: str, vocab_size: int, *, spaces: bool) -> bytes:
    """Train a SentencePiece model.

    Args:
        sentences: one utterance each.
        kind: SentencePiece's model_type, bpe or char.
        vocab_size: pieces including <unk>, <s>, </s>; for char the most there may be.
        spaces: whether sentences are words between spaces. If not, merges are free to span anything.

    Returns:
        The serialised model. It has fewer than `vocab_size` pieces where the corpus has no more pairs.
    """
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences),
        model_writer=model,
        model_type=kind,
        vocab_size=vocab_size,
        hard_vocab_limit=False,
        character_coverage=1.0,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        add_dummy_prefix=spaces,
        split_by_unicode_script=spaces,
        split_by_whitespace=spaces,
        max_sentence_length=2**24,  # bytes; longer ones would be left out in silence
        shuffle_input_sentence=False,
        num_threads=1,
        minloglevel=1,
    )
    return model.getvalue()


def pieces(model: bytes) -> list[str]:
    """The pieces of a SentencePiece model by id."""
    loaded = sentencepiece.SentencePieceProcessor(model_proto=model)
    return [loaded.id_to_piece(index) for index in range(loaded.vocab_size())]


def check_vocabulary(modality: Modality, found: Sequence[str]) -> None:
    """ValueError naming the key and the largest size possible if the corpus gives fewer pieces."""
    if modality.vocab_size and len(found) < modality.vocab_size:
        raise ValueError(
            f"config: modalities.{modality.name}.vocab_size is {modality.vocab_size};"
            f" the training split gives at most {len(found)}"
        )


def text_tokenizer(
    symbols: Iterable[Sequence[str]], inventory: Sequence[str], modality: Modality, folder: Path
) -> Tokenizer:
    """SentencePiece over text; writes its model into `folder`."""
    seen: set[str] = set()

    def sentences() -> Iterator[str]:
        for text in symbols:
            seen.update(text)
            yield "".join(text)

    model = _train(sentences(), seen, modality, spaces=True)
    (folder / MODEL).write_bytes(model)
    return fast.of_text(pieces(model))


def named_bpe(
    symbols: Iterable[Sequence[str]], inventory: Sequence[str], modality: Modality, folder: Path
) -> Tokenizer:
    """SentencePiece over symbols as private characters; writes its model and the characters' meaning."""
    characters = Characters()

    def sentences() -> Iterator[str]:
        for symbol in inventory:  # alone, so that each has an id even if it is never seen
            yield characters[symbol]
        for sequence in symbols:
            yield "".join(characters[symbol] for symbol in sequence)

    model = _train(sentences(), characters, modality, spaces=False)
    (folder / MODEL).write_bytes(model)
    table = "".join(f"{symbol}\t{character}\n" for symbol, character in characters.items())
    (folder / SYMBOLS).write_text(table, encoding="utf-8")
    return fast.of_characters(pieces(model), characters)


def one_each(symbols: Iterable[Sequence[str]], inventory: Sequence[str], modality: Modality, folder: Path) -> Tokenizer:
    """One id per symbol of the inventory, in its order; no training."""
    if len(inventory) + len(fast.SPECIAL) > MAX_VOCABULARY:
        raise ValueError(
            f"modalities.{modality.name}: {len(inventory)} symbols; at most {MAX_VOCABULARY - 3} can be stored"
        )
    return fast.of_symbols(inventory)


def _train(sentences: Iterator[str], seen: set[str] | dict[str, str], modality: Modality, *, spaces: bool) -> bytes:
    """`sentencepiece_model`, its few ways to fail put in terms of the config."""
    try:
        model = sentencepiece_model(sentences, modality.tokenizer, modality.vocab_size or MAX_VOCABULARY, spaces=spaces)
    except RuntimeError as error:
        least = len(seen) + len(fast.SPECIAL) + (spaces and " " not in seen)
        if not seen:
            raise ValueError(f"modalities.{modality.name}: the training split holds no symbols") from None
        if modality.vocab_size and modality.vocab_size < least:
            raise ValueError(
                f"config: modalities.{modality.name}.vocab_size is {modality.vocab_size}; the training split"
                f" has {len(seen)} different symbols, so it must be at least {least}"
            ) from None
        raise ValueError(f"modalities.{modality.name}: SentencePiece failed ({error})") from None
    check_vocabulary(modality, pieces(model))
    return model


# (tokenizer, symbols have names) -> how it is made
BUILDERS: dict[tuple[str, bool], Callable[..., Tokenizer]] = {
    ("bpe", False): text_tokenizer,
    ("char", False): text_tokenizer,
    ("bpe", True): named_bpe,
    ("symbol", True): one_each,
}


def lexicon_phones(path: str) -> list[str]:
    """Phones of a lexicon ("WORD PH ON ES" per line), sorted, and SIL: what the aligner writes of known words."""
    with open(path, encoding="utf-8") as lines:
        found = {phone for line in lines for phone in line.split()[1:]}
    if not found:
        raise ValueError(f"{path}: holds no pronunciation; expected lines 'WORD PH ON ES'")
    return [SILENCE, *sorted(found)]


def unit_names(path: str) -> list[str]:
    """The K units of a kmeans.json by number, so that a unit's id is its number + 3."""
    clusters = read_json(path).get("clusters")
    if not isinstance(clusters, int) or isinstance(clusters, bool) or not 0 < clusters <= MAX_VOCABULARY:
        raise ValueError(f"{path}: clusters is {clusters!r}; it must be an integer from 1 to {MAX_VOCABULARY}")
    return [str(unit) for unit in range(clusters)]


# source -> reader of the file that lists its symbols; characters of text are what training holds
INVENTORIES: dict[str, Callable[[str], list[str]]] = {
    "phones": lexicon_phones,
    "units": unit_names,
    "tokens": unit_names,
}


def symbols(source: str, inventory_file: str, further: Sequence[str] = ()) -> list[str]:
    """The symbols of a source: those that its file lists, and further ones that may occur, as SPN."""
    listed = INVENTORIES[source](inventory_file)
    return [*listed, *sorted(set(further) - set(listed))]


def build(
    cuts: Sequence[str],
    units: Sequence[str],
    inventory_file: str | None,
    modality: Modality,
    folder: Path,
    further: Sequence[str] = (),
) -> Tokenizer:
    """Make the tokenizer of `modality` and write its files into `folder`.

    Args:
        cuts: aligned training shards.
        units: their unit files for source units, else empty.
        inventory_file: corpus/lexicon.txt for source phones, units/kmeans.json for source units, else None.
        modality: what to build.
        folder: exists; receives tokenizer.json and company, and the SentencePiece model if there is one.
        further: symbols that may occur and that the inventory need not hold, as SPN for a word without pronunciation.

    Raises:
        ValueError: if an input is damaged, or naming the config's key if `vocab_size` is impossible.
    """
    inventory = symbols(modality.source, inventory_file, further) if inventory_file else []
    if modality.silence == "drop":
        inventory = [symbol for symbol in inventory if symbol != SILENCE]
    builder = BUILDERS[modality.tokenizer, modality.kind.named]
    tokenizer = builder(sample(cuts, units, modality), inventory, modality, folder)
    fast.save(tokenizer, folder)
    return tokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--cuts", nargs="+", required=True, help="aligned training shards")
    parser.add_argument("--units", nargs="*", default=[], help="their units, for source units")
    parser.add_argument("--inventory", nargs="?", help="the symbols there are: lexicon.txt or kmeans.json")
    parser.add_argument("--further", nargs="*", default=[], help="symbols that may occur besides those")
    parser.add_argument("--modality", required=True, help="the modality, JSON")
    parser.add_argument("--output", required=True, type=Path, help="tokenizer folder")
    args = parser.parse_args()
    modality = from_json(args.modality)
    with atomic_directory(args.output) as folder:
        tokenizer = build(args.cuts, args.units, args.inventory, modality, folder, args.further)
        made_by = read_json(args.inventory).get("kmeans") if modality.source == "units" else None
        if made_by:
            (folder / MADE_BY).write_text(made_by + "\n", encoding="utf-8")
    print(
        f"{modality.name}: {modality.tokenizer} over {modality.source}, {tokenizer.get_vocab_size()} tokens",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
