"""Several symbols per phone: by speaker, third and neighbour."""

import json
from itertools import groupby

import numpy as np
import pytest

from scripts.common.files import write_json, write_jsonl
from scripts.tokens import encode, modality, speakers, tokenizer
from scripts.tokens.phone_variants import inventory, neighbours, thirds
from scripts.tokens.sources import phone_frames
from scripts.tokens.speakers import MOST, Speakers, count_speakers
from scripts.tokens.tables import Tables
from tests.factories.cuts import aligned_cut, spoken_cut

# 0.2 s are 9 frames at 50 Hz: SIL SIL DH AH0 K AE1 AE1 AE1 T; the second SIL lies in no frame.
PHONES = [("SIL", 0, 0.04), ("DH", 0.04, 0.02), ("AH0", 0.06, 0.02), ("K", 0.08, 0.02), ("AE1", 0.1, 0.06)]
CUT = aligned_cut("hand", "the cat", [*PHONES, ("T", 0.16, 0.02), ("SIL", 0.18, 0.02)], 0.2)


def line(*variants, **keys):
    entry = {"source": "phones", "tokenizer": "symbol", "frame_rate": 50, "variants": [*variants], **keys}
    return modality.from_config("m", entry, {"silence": "keep"}, 1)


def test_thirds_of_phones():
    places = np.repeat([0, 1, 3, 4, 6], [1, 2, 3, 7, 4])
    found = ["".join(str(third) for _, third in run) for _, run in groupby(
        zip(places.tolist(), thirds(places).tolist(), strict=True), key=lambda pair: pair[0]
    )]  # fmt: skip
    assert found == ["1", "02", "012", "0011122", "0112"]
    assert thirds(np.zeros(0, np.int64)).tolist() == []


def test_nearer_neighbours():
    # The middle frame of three belongs to the second half; SIL, an unknown phone and the ends are neighbours too.
    found = neighbours(["SIL", "AH1", "M", "QQ"], np.array([0, 0, 1, 1, 1, 2, 3, 3]))
    assert found == ["silence", "vowel", "silence", "nasal", "nasal", "other", "nasal", "silence"]


def test_symbols_by_hand():
    known = Tables(speakers=Speakers(("a", CUT["supervisions"][0]["speaker"])))
    assert phone_frames(CUT, line("third")).names == [
        "SIL/begin", "SIL/end", "DH/middle", "AH0/middle", "K/middle", "AE1/begin", "AE1/middle", "AE1/end", "T/middle",
    ]  # fmt: skip
    assert phone_frames(CUT, line("speaker"), None, known).names[2:5] == ["DH/1", "AH0/1", "K/1"]
    both = phone_frames(CUT, line("speaker", "neighbour"), None, Tables(speakers=Speakers(("a",))))
    assert both.names[:4] == ["SIL/?/silence", "SIL/?/fricative", "DH/?/vowel", "AH0/?/stop"]
    collapsed = phone_frames(CUT, line("speaker", repeats="drop"), None, known)
    assert collapsed.names == ["SIL/1", "DH/1", "AH0/1", "K/1", "AE1/1", "T/1"]


def test_every_symbol_is_in_the_inventory():
    known = Speakers(("a", "b"))
    for variants in (("third",), ("speaker",), ("neighbour", "speaker"), ("speaker", "third", "neighbour")):
        listed = inventory(["SIL", "AE1", "AH0", "DH", "K", "T"], variants, known)
        assert len(set(listed)) == len(listed)
        assert set(phone_frames(CUT, line(*variants), None, Tables(speakers=known)).names) <= set(listed)
    assert inventory(["K", "T"], ("speaker",), known) == ["K/0", "K/1", "K/?", "T/0", "T/1", "T/?"]


def test_speakers_of_train(tmp_path):
    cuts = [spoken_cut(f"c{i}", "The cat sat.") for i in range(MOST + 1)]
    for index, cut in enumerate(cuts):
        cut["supervisions"][0]["speaker"] = f"s{index % 3}"
    write_jsonl(tmp_path / "some.jsonl", cuts[:7])
    assert count_speakers([str(tmp_path / "some.jsonl")]) == {"s0": 3, "s1": 2, "s2": 2}
    for index, cut in enumerate(cuts):
        cut["supervisions"][0]["speaker"] = f"s{index}"
    write_jsonl(tmp_path / "many.jsonl", cuts)
    with pytest.raises(ValueError, match=r"many\.jsonl: train has more than 200 speakers; .* leave it out"):
        count_speakers([str(tmp_path / "many.jsonl")])
    write_jsonl(tmp_path / "none.jsonl", [])
    with pytest.raises(ValueError, match="train holds no cuts"):
        count_speakers([str(tmp_path / "none.jsonl")])


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"frame_rate": None}, r"m\.variants is \['third'\]; it can be said of phones with frame_rate only"),
        ({"variants": ["pitch"]}, "variants"),
        ({"variants": ["third", "third"]}, "variants"),
    ],
)
def test_what_cannot_be_asked(keys, message):
    with pytest.raises(ValueError, match=message):
        line("third", **keys)


def test_from_cuts_to_tokens(corpus, step):
    """The steps as the workflow calls them; a speaker whom train lacks has symbols of its own kind."""
    shards = [corpus / f"alignment/cuts/train/{i}.jsonl.gz" for i in (0, 1)]
    table = corpus / "tokens/speakers.json"
    step(speakers, "--cuts", *shards, "--output", table)
    (name,) = json.loads(table.read_text())["speakers"]
    wanted = ["--modality", modality.to_json(line("speaker", "third")), "--tables", table]
    folder, lexicon = corpus / "tokens/m", corpus / "corpus/lexicon.txt"
    step(tokenizer, "--cuts", *shards, "--inventory", lexicon, "--output", folder / "tokenizer", *wanted)
    vocabulary = list(json.loads((folder / "tokenizer/tokenizer.json").read_text())["model"]["vocab"])
    read = {}
    for speaker in (name, "somebody else"):
        cut = spoken_cut("c", "The cat sat.")
        cut["supervisions"][0]["speaker"] = speaker
        write_jsonl(corpus / "dev.jsonl", [cut])
        output = folder / "dev.bin"
        step(encode, "--cuts", corpus / "dev.jsonl", "--tokenizer", folder / "tokenizer", "--output", output, *wanted)
        read[speaker] = [vocabulary[token] for token in np.fromfile(output, "<u2")[1:-1]]
    assert {symbol.split("/")[1] for symbol in read[name]} == {"0"}
    assert [symbol.replace("/0/", "/?/") for symbol in read[name]] == read["somebody else"]


def test_a_table_is_needed(tmp_path):
    write_json(tmp_path / "phone_durations.json", {})
    with pytest.raises(ValueError, match=r"m: needs speakers\.json; give it with --tables"):
        encode.load_tables([tmp_path / "phone_durations.json"], line("speaker"))
