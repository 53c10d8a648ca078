"""Train the tokenizer of a modality on the training split.

`bpe` and `char` are SentencePiece models with the same options, so that text-bpe and text-raw differ in merges only;
normalisation is the identity and spaces are kept, so that decoding returns the text exactly. Symbols with names
(phones, units) are encoded for SentencePiece as one private character each; merges may cross word boundaries, because
speech has no spaces. Where a modality has boundaries between its words' phones, these are SentencePiece's spaces, and
text without spaces has none: then merges of phones keep to words, and merges of text do not. `symbol` has one id per
symbol.

SentencePiece keeps its training data in memory, about 70 bytes per phone or unit. SAMPLE limits it: each training shard
contributes the same number of symbols from its first utterances, so that 50,000 hours need no more memory than 500.
Training is deterministic: one thread, sentences in a fixed order.
"""

import argparse
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import sentencepiece
from tokenizers import Tokenizer

from scripts.alignment.lexicon import phones_of, read_lexicon
from scripts.common.cli import run
from scripts.common.files import atomic_directory, read_json
from scripts.tokens import hf_tokenizer
from scripts.tokens.aligned import SILENCE, without_stress
from scripts.tokens.config import MAX_VOCABULARY, RUN_LENGTHS
from scripts.tokens.modality import Modality, from_json
from scripts.tokens.phone_variants import inventory as variants_of
from scripts.tokens.sources import BOUNDARY, NO_TABLES, read
from scripts.tokens.span_encoder import MADE_BY, MODEL, SYMBOLS
from scripts.tokens.tables import Tables, load_tables

SAMPLE = 20_000_000  # symbols: 1.5 GB, 560 hours of phones or 110 hours of units
PRIVATE = 0xF0000  # first of the 65,534 code points of Unicode's private use plane


class Characters(dict[str, str]):
    """Symbol -> private character, assigned in order of first appearance."""

    def __missing__(self, symbol: str) -> str:
        self[symbol] = chr(PRIVATE + len(self))
        return self[symbol]


def sample(
    cuts: Sequence[str],
    units: Sequence[str],
    modality: Modality,
    limit: int = SAMPLE,
    tables: Tables = NO_TABLES,
) -> Iterator[Sequence[str]]:
    """Symbols of the training utterances of the tokenizer, in a fixed order.

    Each shard contributes its first utterances, up to `limit` / number of shards symbols.
    """
    unit_files: Sequence[str | None] = units or [None] * len(cuts)
    for shard, unit_file in zip(cuts, unit_files, strict=True):
        count = 0
        for utterance in read(shard, unit_file, modality, tables):
            yield utterance.symbols
            count += len(utterance.symbols)
            if count * len(cuts) >= limit:
                break


def sentencepiece_model(
    sentences: Iterable[str], model_type: str, vocab_size: int, *, spaces: bool, scripts: bool
) -> bytes:
    """Train a SentencePiece model.

    Args:
        sentences: one utterance each.
        model_type: bpe or char.
        vocab_size: pieces including <unk>, <s>, </s>; for char the maximum.
        spaces: whether sentences have spaces between words, which merges do not cross; one is put before the first.
        scripts: whether merges keep to one script (letters, digits, punctuation), as in text.

    Returns:
        The serialised model. It has fewer than `vocab_size` pieces if the corpus has no more pairs to merge.
    """
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences),
        model_writer=model,
        model_type=model_type,
        vocab_size=vocab_size,
        hard_vocab_limit=False,
        character_coverage=1.0,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        add_dummy_prefix=spaces,
        split_by_unicode_script=scripts,
        split_by_whitespace=spaces,
        max_sentence_length=2**24,  # bytes; SentencePiece skips longer sentences without an error
        shuffle_input_sentence=False,
        num_threads=1,
        minloglevel=1,
    )
    return model.getvalue()


def pieces(model: bytes) -> list[str]:
    """The pieces of a SentencePiece model by id."""
    loaded = sentencepiece.SentencePieceProcessor(model_proto=model)
    return [loaded.id_to_piece(index) for index in range(loaded.vocab_size())]


def check_vocabulary(modality: Modality, learned: Sequence[str]) -> None:
    """ValueError naming the key and the largest possible size if the corpus gives fewer pieces."""
    if modality.vocab_size and len(learned) < modality.vocab_size:
        raise ValueError(
            f"config: modalities.{modality.name}.vocab_size is {modality.vocab_size};"
            f" the training split gives at most {len(learned)}"
        )


def train_text_tokenizer(
    symbols: Iterable[Sequence[str]], inventory: Sequence[str], modality: Modality, folder: Path
) -> Tokenizer:
    """Train SentencePiece on text and write its model into `folder`."""
    seen: set[str] = set()

    def sentences() -> Iterator[str]:
        for text in symbols:
            seen.update(text)
            yield "".join(text)

    spaces = modality.spaces == "keep"
    model = _train(sentences(), seen, modality, spaces=spaces, scripts=True)
    (folder / MODEL).write_bytes(model)
    return hf_tokenizer.from_text_pieces(pieces(model), spaces=spaces)


def train_symbol_bpe(
    symbols: Iterable[Sequence[str]], inventory: Sequence[str], modality: Modality, folder: Path
) -> Tokenizer:
    """Train SentencePiece on symbols as private characters; write its model and the table of characters."""
    spaces = modality.word_boundaries == "keep"
    characters = Characters({BOUNDARY: hf_tokenizer.SPACE} if spaces else {})

    def sentences() -> Iterator[str]:
        for symbol in inventory:  # as sentences of their own, so that unseen symbols have an id too
            yield characters[symbol]
        for sequence in symbols:
            yield "".join(characters[symbol] for symbol in sequence)

    model = _train(sentences(), characters, modality, spaces=spaces, scripts=False)
    (folder / MODEL).write_bytes(model)
    table = "".join(f"{symbol}\t{character}\n" for symbol, character in characters.items())
    (folder / SYMBOLS).write_text(table, encoding="utf-8")
    return hf_tokenizer.from_symbol_pieces(pieces(model), characters, spaces=spaces)


def symbol_tokenizer(
    symbols: Iterable[Sequence[str]], inventory: Sequence[str], modality: Modality, folder: Path
) -> Tokenizer:
    """One id per symbol of the inventory, in its order; no training."""
    if len(inventory) + len(hf_tokenizer.SPECIAL) > MAX_VOCABULARY:
        raise ValueError(
            f"modalities.{modality.name}: {len(inventory)} symbols; at most {MAX_VOCABULARY - 3} can be stored"
        )
    return hf_tokenizer.from_symbols(inventory)


def _train(
    sentences: Iterator[str], seen: set[str] | dict[str, str], modality: Modality, *, spaces: bool, scripts: bool
) -> bytes:
    """Train `sentencepiece_model`; its errors as ValueErrors that name the config key."""
    failures: list[Exception] = []

    def watched() -> Iterator[str]:
        """The sentences; SentencePiece would turn an error of theirs into a text with a traceback."""
        try:
            yield from sentences
        except (ValueError, OSError) as error:
            failures.append(error)
            raise

    try:
        size = modality.vocab_size or MAX_VOCABULARY
        model = sentencepiece_model(watched(), modality.tokenizer, size, spaces=spaces, scripts=scripts)
    except RuntimeError as error:
        if failures:
            raise failures[0] from None
        minimum = len(seen) + len(hf_tokenizer.SPECIAL) + (spaces and " " not in seen and BOUNDARY not in seen)
        if not seen:
            raise ValueError(f"modalities.{modality.name}: the training split holds no symbols") from None
        if modality.vocab_size and modality.vocab_size < minimum:
            raise ValueError(
                f"config: modalities.{modality.name}.vocab_size is {modality.vocab_size}; the training split"
                f" has {len(seen)} different symbols, so it must be at least {minimum}"
            ) from None
        raise ValueError(f"modalities.{modality.name}: SentencePiece failed ({error})") from None
    check_vocabulary(modality, pieces(model))
    return model


# (tokenizer, whether symbols have names) -> builder
BUILDERS: dict[tuple[str, bool], Callable[..., Tokenizer]] = {
    ("bpe", False): train_text_tokenizer,
    ("char", False): train_text_tokenizer,
    ("bpe", True): train_symbol_bpe,
    ("symbol", True): symbol_tokenizer,
}


def lexicon_phones(path: str) -> list[str]:
    """SIL and the phones of a lexicon ("WORD PH ON ES" per line), sorted: the symbols of alignments."""
    return phones_of(read_lexicon(path))


def unit_names(path: str) -> list[str]:
    """The K units of a kmeans.json in order, so that the id of a unit is its number + 3."""
    clusters = read_json(path).get("clusters")
    if not isinstance(clusters, int) or isinstance(clusters, bool) or not 0 < clusters <= MAX_VOCABULARY:
        raise ValueError(f"{path}: clusters is {clusters!r}; it must be an integer from 1 to {MAX_VOCABULARY}")
    return [str(unit) for unit in range(clusters)]


# source -> reader of the file that lists its symbols; the characters of text are those of the training data
INVENTORIES: dict[str, Callable[[str], list[str]]] = {
    "phones": lexicon_phones,
    "units": unit_names,
    "tokens": unit_names,
}


def symbols(source: str, inventory_file: str, extra: Sequence[str] = ()) -> list[str]:
    """The symbols of a source: those of its inventory file, then extra ones such as SPN."""
    listed = INVENTORIES[source](inventory_file)
    return [*listed, *sorted(set(extra) - set(listed))]


def build(
    cuts: Sequence[str],
    units: Sequence[str],
    inventory_file: str | None,
    modality: Modality,
    folder: Path,
    extra: Sequence[str] = (),
    tables: Tables = NO_TABLES,
) -> Tokenizer:
    """Build the tokenizer of `modality` and write its files into `folder`.

    Args:
        cuts: aligned training shards.
        units: unit files of the shards for source units, else empty.
        inventory_file: corpus/lexicon.txt for phones, units/kmeans.json for units by number, else None.
        modality: the modality.
        folder: existing folder for tokenizer.json, its configuration and the SentencePiece model if there is one.
        extra: symbols that the inventory file lacks, such as SPN for words without a pronunciation.
        tables: what the modality needs of train.

    Raises:
        ValueError: if an input is damaged, or naming the config's key if `vocab_size` is impossible.
    """
    inventory = symbols(modality.alphabet, inventory_file, extra) if inventory_file else []
    if modality.silence == "drop":
        inventory = [symbol for symbol in inventory if symbol != SILENCE]
    if modality.stress == "drop":
        inventory = list(dict.fromkeys(map(without_stress, inventory)))
    if modality.variants:
        inventory = variants_of(inventory, modality.variants, tables.speakers)
    if modality.word_boundaries == "keep":
        inventory = [BOUNDARY, *inventory]
    if modality.repeats == "count":
        inventory = [*inventory, *RUN_LENGTHS]
    builder = BUILDERS[modality.tokenizer, modality.kind.named]
    tokenizer = builder(sample(cuts, units, modality, tables=tables), inventory, modality, folder)
    hf_tokenizer.save(tokenizer, folder)
    return tokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--cuts", nargs="+", required=True, help="aligned training shards")
    parser.add_argument("--units", nargs="*", default=[], help="units of the shards, for source units")
    parser.add_argument("--inventory", nargs="?", help="list of symbols: lexicon.txt or kmeans.json")
    parser.add_argument("--tables", nargs="*", default=[], help="tables of train that the modality needs")
    parser.add_argument("--extra", nargs="*", default=[], help="symbols that the inventory lacks")
    parser.add_argument("--modality", required=True, help="the modality, JSON")
    parser.add_argument("--output", required=True, type=Path, help="tokenizer folder")
    args = parser.parse_args()
    modality = from_json(args.modality)
    tables = load_tables(args.tables, modality)
    with atomic_directory(args.output) as folder:
        tokenizer = build(args.cuts, args.units, args.inventory, modality, folder, args.extra, tables)
        made_by: str | None = tables.units.made_by if tables.units is not None else None
        if modality.alphabet == "units":
            made_by = read_json(args.inventory).get("kmeans")
        if made_by:
            (folder / MADE_BY).write_text(made_by + "\n", encoding="utf-8")
    print(
        f"{modality.name}: {modality.tokenizer} over {modality.source}, {tokenizer.get_vocab_size()} tokens",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
