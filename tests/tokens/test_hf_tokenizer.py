"""AutoTokenizer, SentencePiece and our encoder give the same ids."""

from functools import cache

import pytest
import sentencepiece
from hypothesis import example, given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer, LlamaConfig

from scripts.tokens import span_encoder, tokenizer
from scripts.tokens.modality import Modality
from scripts.tokens.sources import read
from tests.tokens.conftest import CLUSTERS, LINES, TEXTS, modality

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def built(tmp_path, files):
    """Function from a modality's name to (AutoTokenizer, our encoder, folder)."""

    @cache
    def build(name):
        folder = tmp_path / "tok" / name
        folder.mkdir(parents=True)
        tokenizer.build(**files(name), modality=modality(name), folder=folder)
        return AutoTokenizer.from_pretrained(folder, local_files_only=True), span_encoder.load(folder), folder

    return build


def form(symbols):
    """The input form of AutoTokenizer."""
    return symbols if isinstance(symbols, str) else " ".join(symbols)


def check_spans(folder, symbols, ids):
    """The symbols of a token are adjacent, from the first symbol to the last."""
    spans = span_encoder.load_spans(folder)(symbols)
    assert len(spans) == len(ids)
    edges = [0, *(end for _, end in spans)]
    assert [begin for begin, _ in spans] == edges[:-1]
    assert edges[-1] == len(symbols)


@pytest.mark.parametrize("name", LINES)
def test_special_tokens_and_size(built, name):
    auto, _, folder = built(name)
    assert auto.is_fast
    assert auto.convert_ids_to_tokens([0, 1, 2]) == ["<unk>", "<s>", "</s>"]
    assert (auto.unk_token_id, auto.bos_token_id, auto.eos_token_id) == (0, 1, 2)
    assert len(auto) == modality(name).vocab_size or LINES[name]["tokenizer"] != "bpe"
    assert auto("").input_ids == [1, 2]
    assert (folder / "sentencepiece.model").exists() == (LINES[name]["tokenizer"] != "symbol")


letters = st.text(alphabet="TheAdogcats ranm.,!?:é\u4e2d\n", max_size=60)


@pytest.mark.parametrize("name", ["text-bpe", "text-raw"])
def test_text(built, name):
    auto, ours, folder = built(name)
    model = sentencepiece.SentencePieceProcessor(model_file=str(folder / "sentencepiece.model"))

    @settings(max_examples=400, deadline=None)
    @given(letters | st.lists(st.sampled_from(" ".join(TEXTS).split(" ")), max_size=12).map(" ".join))
    @example("")
    @example(" ")
    @example("  The  cat ")
    @example("\u00e9\u00e9\u4e2d The")
    def agree(text):
        ids = ours(text)
        assert auto(text).input_ids == [1, *ids, 2]
        assert model.encode(text) == ids
        check_spans(folder, text, ids)
        if 0 not in ids:
            assert auto.decode(ids) == model.decode(ids) == text

    agree()


def named(symbols, unknown):
    """Sequences of symbols in repeated runs, with unknown symbols among them."""
    symbol = st.sampled_from(symbols)
    stretch = st.tuples(st.lists(symbol, min_size=1, max_size=3), st.integers(1, 6)).map(lambda pair: pair[0] * pair[1])
    return st.lists(stretch | st.just([unknown]), max_size=12).map(lambda parts: [s for part in parts for s in part])


@pytest.mark.parametrize("name", [name for name in LINES if LINES[name]["source"] != "text"])
def test_named_symbols(built, name):
    auto, ours, folder = built(name)
    symbols = ["SIL", "DH", "AH0", "D", "AE1", "T"]
    if LINES[name]["source"] == "units":
        symbols = [str(unit) for unit in range(CLUSTERS)]
    if LINES[name].get("stress") == "drop":
        symbols = [symbol.rstrip("012") for symbol in symbols]
    if LINES[name].get("word_boundaries") == "keep":
        symbols.append("|")
    characters = span_encoder.read_characters(folder)

    @settings(max_examples=300, deadline=None)
    @given(named(symbols, "XX9"))
    @example(["XX9", "XX9", symbols[0], "XX9"])
    def agree(sequence):
        ids = ours(sequence)
        assert auto(form(sequence)).input_ids == [1, *ids, 2]
        if characters:
            model = sentencepiece.SentencePieceProcessor(model_file=str(folder / "sentencepiece.model"))
            assert model.encode("".join(characters.get(symbol, "\ufffd") for symbol in sequence)) == ids
        check_spans(folder, sequence, ids)
        if "XX9" not in sequence:
            assert auto.decode(ids) == form(sequence)

    agree()


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_bpe_over_units_that_repeat(tmp_path_factory, data):
    """Two or three units in runs: the hardest case for the order of merges."""
    symbols = [str(unit) for unit in range(data.draw(st.integers(2, 3)))]
    draw = named(symbols, symbols[0])
    training = data.draw(st.lists(draw, min_size=10, max_size=20))
    folder = tmp_path_factory.mktemp("units")
    kind = Modality("units", "bpe", name="m", vocab_size=2**15, frame_rate=50)
    largest = 0
    try:
        tokenizer.train_symbol_bpe(training, symbols, kind, folder)
    except ValueError as error:
        largest = int(str(error).split()[-1])
    kind = Modality("units", "bpe", name="m", vocab_size=largest, frame_rate=50)
    fast = tokenizer.train_symbol_bpe(training, symbols, kind, folder)
    ours = span_encoder.load(folder)
    for sequence in [*training, *data.draw(st.lists(draw, max_size=10))]:
        assert fast.encode(form(sequence), add_special_tokens=False).ids == ours(sequence)


@pytest.mark.parametrize("name", LINES)
def test_loads_from_inside_a_model_folder(built, name):
    """The language model's folder holds config.json too; it must not turn the tokenizer into Llama's."""
    auto, _, folder = built(name)
    LlamaConfig(vocab_size=len(auto)).save_pretrained(folder)
    again = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    for text in ["The cat sat, on  the mat.", "SIL DH AH0 D AO1 G SIL", "0 0 7 11 1 1", ""]:
        assert again(text).input_ids == auto(text).input_ids
        assert again.decode(again(text).input_ids) == auto.decode(auto(text).input_ids)


def test_text_round_trip_when_padded_and_batched(built):
    auto, ours, _ = built("text-bpe")
    assert auto(TEXTS).input_ids == [[1, *ours(text), 2] for text in TEXTS]
    assert auto.batch_decode(auto(TEXTS).input_ids, skip_special_tokens=True) == TEXTS


def test_real_text(tmp_path, an4):
    cuts = [str(an4 / "libriheavy_cuts_small.jsonl.gz")]
    kind = modality("text-bpe", vocab_size=200)
    tokenizer.build(cuts, [], None, kind, tmp_path)
    auto, ours = AutoTokenizer.from_pretrained(tmp_path, local_files_only=True), span_encoder.load(tmp_path)
    texts = [utterance.symbols for utterance in read(cuts[0], None, kind)]
    assert len(texts) > 500
    for text in texts:
        assert auto(text).input_ids == [1, *ours(text), 2]
        assert auto.decode(ours(text)) == text
