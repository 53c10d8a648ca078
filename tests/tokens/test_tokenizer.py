import re
import sys
from pathlib import Path

import pytest
import sentencepiece

from scripts.common.files import write_json, write_jsonl
from scripts.tokens import span_encoder, tokenizer
from tests.factories.cuts import LEXICON, TEXTS, spoken_cut
from tests.tokens.conftest import CLUSTERS, LINES, flag, modality, read_json


def build(folder, files, name, **changes):
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.build(**files(name), modality=modality(name, **changes), folder=folder)
    return span_encoder.load(folder)


@pytest.mark.parametrize("name", LINES)
def test_same_bytes_twice(tmp_path, files, name):
    for place in ("one", "two"):
        build(tmp_path / place, files, name)
    found = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert found == sorted(path.name for path in (tmp_path / "two").iterdir())
    for file in found:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def vocabulary(folder):
    tokens = read_json(folder / "tokenizer.json")["model"]["vocab"]
    assert list(tokens.values()) == list(range(len(tokens)))
    return list(tokens)


def test_phones_are_the_lexicons(tmp_path, files):
    phones = sorted({phone for line in LEXICON.values() for phone in line.split()})
    build(tmp_path / "keep", files, "phone-raw")
    assert vocabulary(tmp_path / "keep") == ["<unk>", "<s>", "</s>", "SIL", *phones]
    build(tmp_path / "drop", files, "phone-raw", silence="drop")
    assert vocabulary(tmp_path / "drop") == ["<unk>", "<s>", "</s>", *phones]
    build(tmp_path / "repeat", files, "phone-repeat", silence="drop")
    assert vocabulary(tmp_path / "repeat") == ["<unk>", "<s>", "</s>", "SIL", *phones]


def test_extra_phones_are_in_every_vocabulary(tmp_path, files):
    for name in ("phone-raw", "phone-repeat", "phone-bpe"):
        (tmp_path / name).mkdir()
        tokenizer.build(**files(name), modality=modality(name), folder=tmp_path / name, extra=["SPN", "AA1", "AA1"])
        encode = span_encoder.load(tmp_path / name)
        assert encode(["SPN"])[0] > 2
    phones = {phone for line in LEXICON.values() for phone in line.split()}
    names = vocabulary(tmp_path / "phone-raw")[3:]
    assert len(names) == len(set(names))
    assert set(names) == {"SIL", "SPN", "AA1", *phones}


def test_every_unit_has_its_id(tmp_path, files):
    ours = build(tmp_path / "x", files, "speech-hubert")
    assert vocabulary(tmp_path / "x")[3:] == [str(unit) for unit in range(CLUSTERS)]
    assert ours(["0", "11", "1"]) == [3, 14, 4]


@pytest.mark.parametrize("name", ["phone-bpe", "unit-bpe"])
def test_bpe_has_ids_for_symbols_that_training_lacks(tmp_path, files, name):
    """Unit CLUSTERS - 1 and the phones of DOGS are in no training shard of the fixture, or rare."""
    ours = build(tmp_path / "x", files, name)
    symbols = list(span_encoder.read_characters(tmp_path / "x"))
    assert all(0 not in ours([symbol]) for symbol in symbols)
    assert str(CLUSTERS - 1) in symbols or "Z" in symbols


def test_text_bpe_and_text_raw_differ_in_merges_only(tmp_path, files):
    for name in ("text-bpe", "text-raw"):
        build(tmp_path / name, files, name)
        model = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / name / "sentencepiece.model"))
        # NFKC would make these "fi", "2" and one space.
        assert (
            model.normalize("  The \ufb01 \u00b2  cat ")
            == "\u2581\u2581\u2581The\u2581\ufb01\u2581\u00b2\u2581\u2581cat\u2581"
        )
    letters = {piece for piece in vocabulary(tmp_path / "text-bpe") if len(piece) == 1}
    assert letters == set(vocabulary(tmp_path / "text-raw")[3:]) == set("".join(TEXTS)) - {" "} | {"\u2581"}
    for key in ("normalizer", "pre_tokenizer", "post_processor", "decoder", "added_tokens"):
        assert (
            read_json(tmp_path / "text-bpe/tokenizer.json")[key] == read_json(tmp_path / "text-raw/tokenizer.json")[key]
        )


def test_merges_follow_frequency(tmp_path):
    """D AO1 G D AO1 G ...: the most frequent pair is the first piece; merges cross word boundaries."""
    sentences = [["D", "AO1", "G"] * 5, ["D", "AO1"] * 3]
    kind = modality("phone-bpe", vocab_size=8)
    tokenizer.train_symbol_bpe(sentences, ["D", "AO1", "G"], kind, tmp_path)
    names = {character: symbol for symbol, character in span_encoder.read_characters(tmp_path).items()}
    model = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "sentencepiece.model"))
    found = [" ".join(names[c] for c in model.id_to_piece(i)) for i in range(3, 8)]
    assert found[:2] == ["D AO1", "D AO1 G"]
    assert sorted(found[2:]) == ["AO1", "D", "G"]


def test_a_sample_takes_from_every_shard(files):
    cuts = files("text-raw")["cuts"]
    every = list(tokenizer.sample(cuts, [], modality("text-raw")))
    assert len(every) == 18
    # 60 characters from 2 shards: 30 from each, so two sentences of 23 and 29 letters; then 29 and 41.
    some = list(tokenizer.sample(cuts, [], modality("text-raw"), limit=60))
    assert some == [*TEXTS[:2], *TEXTS[3:5]]


@pytest.mark.parametrize("name", ["text-bpe", "phone-bpe", "unit-bpe"])
def test_a_vocabulary_that_is_too_large(tmp_path, files, name):
    with pytest.raises(
        ValueError, match=rf"modalities.{name}.vocab_size is 30000; the training split gives at most \d+$"
    ):
        build(tmp_path / "x", files, name, vocab_size=30000)


@pytest.mark.parametrize("name", ["text-bpe", "phone-bpe", "unit-bpe"])
def test_the_bounds_named_are_exact(tmp_path, files, name):
    """The message's largest size works and one more does not; the same for the smallest."""

    def fails(size):
        with pytest.raises(ValueError, match="vocab_size") as caught:
            build(tmp_path / "x", files, name, vocab_size=size)
        return int(re.findall(r"(\d+)$", str(caught.value))[0])

    largest, least = fails(30000), fails(4)
    for size in (largest, least):
        build(tmp_path / "x", files, name, vocab_size=size)
        assert len(vocabulary(tmp_path / "x")) == size
    assert fails(largest + 1) == largest
    assert fails(least - 1) == least


def test_nothing_to_train_on(tmp_path, files):
    write_jsonl(tmp_path / "empty.jsonl.gz", [])
    for name in ("text-bpe", "text-raw"):
        with pytest.raises(ValueError, match=f"modalities.{name}: the training split holds no symbols"):
            tokenizer.build([str(tmp_path / "empty.jsonl.gz")], [], None, modality(name), tmp_path)


def test_damaged_inventories(tmp_path, files):
    (tmp_path / "lexicon.txt").write_text("DOG\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"lexicon.txt:1: 'DOG' has no phones; expected 'WORD PH ON ES'"):
        tokenizer.lexicon_phones(str(tmp_path / "lexicon.txt"))
    (tmp_path / "lexicon.txt").write_text("\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"lexicon.txt: holds no pronunciation; expected lines 'WORD PH ON ES'"):
        tokenizer.lexicon_phones(str(tmp_path / "lexicon.txt"))
    write_json(tmp_path / "kmeans.json", {"clusters": -3})
    with pytest.raises(ValueError, match=r"kmeans.json: clusters is -3; it must be an integer from 1 to"):
        tokenizer.unit_names(str(tmp_path / "kmeans.json"))


def test_utterances_of_ten_minutes_are_not_left_out(tmp_path):
    """SentencePiece skips sentences over 4,192 bytes unless told otherwise."""
    long = [str(i % 5) for i in range(30000)]
    kind = modality("unit-bpe", vocab_size=9)
    tokenizer.train_symbol_bpe([long], [str(i) for i in range(5)], kind, tmp_path)
    assert 0 not in span_encoder.load(tmp_path)(long)


def test_command_line(tmp_path, files, monkeypatch, capsys):
    given = files("phone-bpe")
    arguments = ["--cuts", *given["cuts"], "--units", "--inventory", given["inventory_file"]]
    output = tmp_path / "out/tokenizer"
    monkeypatch.setattr(sys, "argv", ["x", *arguments, "--modality", flag("phone-bpe"), "--output", str(output)])
    tokenizer.main()
    assert "phone-bpe: bpe over phones, 45 tokens" in capsys.readouterr().err
    assert {path.name for path in output.iterdir()} == {
        *("sentencepiece.model", "symbols.tsv", "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json")
    }
    assert [path.name for path in Path(output).parent.iterdir()] == ["tokenizer"]


def test_private_characters_are_enough():
    cut = spoken_cut("x", "The cat sat.")
    characters = tokenizer.Characters()
    assert characters["SIL"] == chr(0xF0000)
    assert "".join(characters[phone] for phone, *_ in cut["supervisions"][0]["alignment"]["phone"])
    assert tokenizer.PRIVATE + 65533 <= 0xFFFFD
