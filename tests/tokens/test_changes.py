"""What the keys of a modality's line do to its symbols, by hand."""

import json
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.common.cuts import read_cuts
from scripts.common.files import write_json, write_jsonl
from scripts.common.ragged import Ragged, load_npz, save_npz
from scripts.tokens import modality as modalities
from scripts.tokens import phone_durations, sources, unit_phones
from scripts.tokens.phone_durations import PhoneDurations, frames_of
from scripts.tokens.phone_errors import confuse, substitute
from scripts.tokens.tables import Tables, load_tables
from scripts.tokens.unit_phones import UnitPhones
from tests.factories.cuts import aligned_cut, spoken_cut

# 0.2 s are 3,200 samples: 9 frames at 50 Hz, at 12.5, 32.5, ... ms; "the cat", and silence at both ends.
PHONES = [("SIL", 0, 0.04), ("DH", 0.04, 0.02), ("AH0", 0.06, 0.02), ("K", 0.08, 0.02), ("AE1", 0.1, 0.06)]
HAND = aligned_cut(
    "hand",
    "The \u0130-cat, (so)--yes!",
    [*PHONES, ("T", 0.16, 0.02), ("SIL", 0.18, 0.02)],
    0.2,
    words=[("THE", 0.04, 0.04), ("CAT", 0.08, 0.1)],
)


def line(source, tokenizer="symbol", silence="keep", **keys):
    return modalities.from_config("m", {"source": source, "tokenizer": tokenizer, **keys}, {"silence": silence}, 1)


def phones(silence="keep", **keys):
    return sources.phones(HAND, line("phones", silence=silence, **keys))


def framed(tables=sources.NO_TABLES, cut=HAND, **keys):
    return sources.phone_frames(cut, line("phones", frame_rate=keys.pop("rate", 50), **keys), None, tables)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"case": "drop"}, "the i\u0307-cat, (so)--yes!"),
        ({"punctuation": "drop"}, "The \u0130-cat so yes"),
        ({"spaces": "drop"}, "The\u0130-cat,(so)--yes!"),
        ({"case": "drop", "punctuation": "drop", "spaces": "drop"}, "thei\u0307-catsoyes"),
    ],
)
def test_text_without(keys, expected):
    book = "The \u0130-cat, (so)--yes!"
    found = sources.text(HAND, line("text", "char", **keys))
    assert found.names == expected
    # Every character stands for one of the book text, in order; a space for what is between two words.
    assert len(found.places) == len(expected)
    assert np.all(np.diff(found.places) >= 0)
    for character, place in zip(expected, found.places.tolist(), strict=True):
        assert character in (book[place], *book[place].lower()) or character == " "


def test_phones_without_stress():
    assert phones(stress="drop").names == ["SIL", "DH", "AH", "K", "AE", "T", "SIL"]


def test_boundaries_between_words():
    found = phones(word_boundaries="keep")
    assert found.names == ["SIL", "|", "DH", "AH0", "|", "K", "AE1", "T", "SIL"]
    assert found.places.tolist() == [0, -1, 1, 2, -1, 3, 4, 5, 6]
    assert phones(silence="drop", word_boundaries="keep").names == ["DH", "AH0", "|", "K", "AE1", "T"]


def test_silence_inside_a_word_begins_no_word():
    phones = [("A", 0, 0.1), ("SIL", 0.1, 0.1), ("B", 0.2, 0.1), ("C", 0.3, 0.1)]
    cut = aligned_cut("x", "ab c", phones, 0.4, words=[("AB", 0, 0.3), ("C", 0.3, 0.1)])
    assert sources.phones(cut, line("phones", word_boundaries="keep")).names == ["A", "SIL", "B", "|", "C"]


def test_frames_at_other_rates():
    fifty = ["SIL", "SIL", "DH", "AH0", "K", "AE1", "AE1", "AE1", "T"]
    assert framed().names == fifty
    assert framed(rate=25).names == fifty[::2] == ["SIL", "DH", "K", "AE1", "T"]
    assert framed(rate=12.5).names == fifty[::4]
    assert framed(rate=12.5).phones_lost == 3
    hundred = framed(rate=100).names
    assert hundred[::2] == fifty
    assert hundred == [*["SIL"] * 3, *["DH"] * 2, *["AH0"] * 2, *["K"] * 2, *["AE1"] * 6, *["T"] * 2, "SIL"]


def test_units_at_other_rates_are_every_second_or_fourth():
    stream = np.arange(9, dtype=np.uint16)
    for rate, step in ((50, 1), (25, 2), (12.5, 4)):
        found = sources.units(HAND, line("units", frame_rate=rate), stream)
        assert found.names == [str(i) for i in range(0, 9, step)]
        assert found.places.tolist() == list(range(0, 9, step))
        assert len(found.names) == len(framed(rate=rate).names)


def test_repeats_dropped():
    found = framed(repeats="drop")
    assert found.names == ["SIL", "DH", "AH0", "K", "AE1", "T"]
    assert found.places.tolist() == [0, 1, 2, 3, 4, 5]
    units = sources.units(HAND, line("units", frame_rate=50, repeats="drop"), np.array([3, 3, 4, 3, 3, 3, 7, 7, 1]))
    assert units.names == ["3", "4", "3", "7", "1"]
    assert units.places.tolist() == [0, 2, 3, 6, 8]
    slower = sources.units(HAND, line("units", frame_rate=25, repeats="drop"), np.array([3, 3, 4, 3, 3, 3, 7, 7, 1]))
    assert slower.names == ["3", "4", "3", "7", "1"]


def test_runs_with_their_lengths():
    found = framed(repeats="count")
    kept = framed()
    assert found.names[::2] == framed(repeats="drop").names
    expanded = [name for name, n in zip(found.names[::2], found.names[1::2], strict=True) for _ in range(int(n[1:]))]
    assert expanded == kept.names
    assert found.places.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    counted = line("units", frame_rate=50, repeats="count")
    units = sources.units(HAND, counted, np.array([3, 3, 4, 3, 3, 3, 7, 7, 1]))
    assert units.names == ["3", "x2", "4", "x1", "3", "x3", "7", "x2", "1", "x1"]
    assert units.places.tolist() == [0, 0, 2, 2, 3, 3, 6, 6, 8, 8]


def test_a_run_beyond_a_second_is_several():
    names, places = np.array(["a"] * 120 + ["b"]), np.arange(121)
    found, where = sources._with_repeats(names, places, line("units", frame_rate=50, repeats="count"))
    assert found == ["a", "x50", "a", "x50", "a", "x20", "b", "x1"]
    assert where.tolist() == [0, 0, 50, 50, 100, 100, 120, 120]


def durations(table, tmp_path, *, stress=True):
    write_json(tmp_path / "phone_durations.json", {"durations": table})
    return PhoneDurations.read(tmp_path / "phone_durations.json", stress=stress)


def test_every_phone_at_its_mean(tmp_path):
    # Means in frames of 320 samples: SIL 1.5, DH 1, AH0 0.75, K 2.25; AE1 and T are not in train: all but SIL, 1.4.
    table = {"SIL": {"480": 2}, "DH": {"320": 1}, "AH0": {"160": 1, "320": 1}, "K": {"720": 2}}
    known = durations(table, tmp_path)
    assert known.mean("AE1") == pytest.approx((320 + 160 + 320 + 2 * 720) / 5)
    found = framed(Tables(durations=known), durations="mean")
    ends = np.floor(np.cumsum([1.5, 1, 0.75, 2.25, 1.4, 1.4, 1.5]) + 0.5)  # 2, 3, 3, 6, 7, 8, 10
    names = ["SIL", "DH", "AH0", "K", "AE1", "T", "SIL"]
    assert found.names == [n for n, k in zip(names, np.diff(ends, prepend=0), strict=True) for _ in range(int(k))]
    assert found.names == ["SIL", "SIL", "DH", "K", "K", "K", "AE1", "T", "SIL", "SIL"]
    assert (found.phones, found.phones_lost) == (5, 1)


def test_means_without_stress_are_of_both(tmp_path):
    table = {"AH0": {"160": 3}, "AH1": {"320": 1}, "SIL": {"1600": 1}}
    assert durations(table, tmp_path, stress=False).mean("AH") == 200
    assert durations(table, tmp_path).mean("AH1") == 320


@given(st.lists(st.integers(0, 4000), min_size=1, max_size=80), st.sampled_from([12.5, 25, 50, 100]))
def test_remainders_are_carried(samples, rate):
    frames = frames_of(np.array(samples), rate)
    exact = np.cumsum(samples) * rate / 16000
    assert np.all(frames >= 0)
    assert np.all(np.abs(np.cumsum(frames) - exact) <= 0.5)


def test_lengths_drawn_from_a_phones_own(tmp_path):
    known = durations({"SIL": {"1600": 1}, "A": {"320": 3, "960": 1}, "B": {"640": 2}}, tmp_path)
    assert [known.draw("A", u) for u in (0, 0.74, 0.75, 0.99)] == [320, 320, 960, 960]
    cut = aligned_cut("x", "a", [("SIL", 0, 0.1), *(("AB"[i % 2], 0.1 + i / 10, 0.1) for i in range(400))], 40.1)
    drawn = framed(Tables(durations=known), cut, durations="shuffled")
    lengths = Counter(np.bincount(drawn.places)[1::2].tolist())  # of the As
    assert set(lengths) == {1, 3}
    assert 0.15 < lengths[3] / 200 < 0.35
    assert set(np.bincount(drawn.places)[2::2].tolist()) == {2}
    again = framed(Tables(durations=known), cut, durations="shuffled")
    assert again.names == drawn.names
    other = {**cut, "id": "y"}
    assert framed(Tables(durations=known), other, durations="shuffled").names != drawn.names


def test_constant_durations():
    names = ["SIL", "DH", "AH0", "K", "AE1", "T", "SIL"]
    assert framed(durations=2).names == [name for name in names for _ in range(2)]
    assert framed(durations=1).names == names


def test_durations_are_counted(tmp_path):
    write_jsonl(tmp_path / "0.jsonl.gz", [HAND, HAND])
    counted = phone_durations.count_durations([str(tmp_path / "0.jsonl.gz")])
    assert counted["SIL"] == {640: 2, 320: 2}
    assert counted["AE1"] == {960: 2}
    assert phone_durations.count_durations([str(tmp_path / "0.jsonl.gz")], limit=3)["AE1"] == {960: 1}
    write_jsonl(tmp_path / "none.jsonl", [])
    with pytest.raises(ValueError, match=r"none\.jsonl: train holds no phones; durations need some"):
        phone_durations.count_durations([str(tmp_path / "none.jsonl")])


def test_symmetric_errors():
    phones = np.array(["SIL", "A", "B", "C"] * 2000)
    few, many = (substitute(phones, share, ["A", "B", "C", "D"], np.random.default_rng(1)) for share in (0.1, 0.4))
    assert np.all((few == "SIL") == (phones == "SIL"))
    spoken = phones != "SIL"
    for found, share in ((few, 0.1), (many, 0.4)):
        assert np.mean(found[spoken] != phones[spoken]) == pytest.approx(share, abs=0.02)
    assert np.all(few[few != phones] == many[few != phones])  # errors of the smaller share are among the larger's
    errors = Counter(many[(phones == "B") & (many != "B")].tolist())
    assert set(errors) == {"A", "C", "D"}
    assert max(errors.values()) < 1.3 * min(errors.values())
    # A phone that train lacks may become any; with one phone there is none to take.
    assert set(substitute(np.array(["Q"] * 99), 0.9, ["A", "B"], np.random.default_rng(1)).tolist()) == {"A", "B", "Q"}
    with pytest.raises(ValueError, match="noise needs two phones to take one for another; train has 1"):
        substitute(phones, 0.1, ["A", "SIL"], np.random.default_rng(1))


def test_errors_per_phone_and_per_frame(tmp_path):
    table = {phone: {"800": 1} for phone in "ABCD"}
    tables = Tables(durations=durations(table, tmp_path))
    cut = aligned_cut("x", "a", [("ABCD"[i % 4], i / 10, 0.1) for i in range(400)], 40.0)
    clean = framed(cut=cut).names
    phone, frame = (framed(tables, cut, noise=0.3, noise_per=per).names for per in ("phone", "frame"))
    assert len(phone) == len(frame) == len(clean)
    runs = [sum(a != b for a, b in pairwise(found)) for found in (clean, phone, frame)]
    assert runs[1] <= runs[0] < 399 + 1 < runs[2]  # an error of a frame divides a phone
    raw = sources.phones(cut, line("phones", noise=0.3), None, tables).names
    assert [raw[place] for place in framed(cut=cut).places] == phone  # the same errors with and without a clock
    assert framed(tables, {**cut, "id": "y"}, noise=0.3).names != phone


def test_errors_of_a_confusion():
    confusion = {"A": (np.array(["A", "B"]), np.array([0.25, 0.75])), "SIL": (np.array(["B"]), np.array([1.0]))}
    found = confuse(np.array(["A", "SIL", "Q"] * 2000), confusion, np.random.default_rng(1))
    assert np.mean(found[0::3] == "B") == pytest.approx(0.75, abs=0.03)
    assert set(found[1::3]) == {"B"}
    assert set(found[2::3]) == {"Q"}


@pytest.fixture
def units_table(tmp_path):
    """Units 0: SIL; 1: AH0 (2 frames) and AE1 (3); 2: DH and T alike; 3: never; 4: AH0 (2) and AH1 (2), K (3)."""
    frames = [[0, 0, 0, 0, 9, 0], [2, 0, 3, 0, 0, 0], [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], [2, 2, 0, 3, 0, 0]]
    frames[2][5] = 1
    content = {"made_by": "k", "phones": ["AH0", "AH1", "AE1", "K", "SIL", "T"], "frames": frames}
    write_json(tmp_path / "unit_phones.json", content)
    return tmp_path / "unit_phones.json"


def test_units_become_the_phone_of_most_frames(units_table):
    modality = line("units", frame_rate=50, relabel="majority-phone")
    tables = load_tables([units_table], modality)
    stream = np.array([0, 0, 1, 1, 4, 4, 2, 2, 3])
    found = sources.units(HAND, modality, stream, tables)
    assert found.names == ["SIL", "SIL", "AE1", "AE1", "K", "K", "T", "T", "SIL"]
    dropped = line("units", frame_rate=50, relabel="majority-phone", repeats="drop")
    assert sources.units(HAND, dropped, stream, tables).names == ["SIL", "AE1", "K", "T", "SIL"]
    stressless = line("units", frame_rate=50, relabel="majority-phone", stress="drop")
    tables = load_tables([units_table], stressless)
    assert sources.units(HAND, stressless, stream, tables).names[4:6] == ["AH", "AH"]  # 4 frames of AH, 3 of K
    with pytest.raises(ValueError, match=r"cut hand: has unit 7; unit_phones\.json has 5 units: it is of others"):
        sources.units(HAND, modality, np.array([0] * 8 + [7]), tables)


def test_confusion_of_units(units_table):
    confusion = UnitPhones.read(units_table, stress=True).confusion
    row = dict(zip(*(found.tolist() for found in confusion["AH0"]), strict=True))
    assert row == {"AE1": 0.5, "K": 0.5, "SIL": 0, "T": 0}
    assert sum(confusion["SIL"][1]) == 1


def test_frames_are_counted_per_unit(tmp_path):
    write_jsonl(tmp_path / "0.jsonl.gz", [HAND])
    save_npz(tmp_path / "0.npz", Ragged.join(["hand"], [np.array([0, 0, 1, 1, 2, 3, 3, 3, 1])]))
    files = [str(tmp_path / "0.jsonl.gz")], [str(tmp_path / "0.npz")]
    names, frames, _ = unit_phones.count_frames(*files, 5)
    rows = [{n: k for n, k in zip(names, row, strict=True) if k} for row in frames.tolist()]
    assert rows == [{"SIL": 2}, {"DH": 1, "AH0": 1, "T": 1}, {"K": 1}, {"AE1": 3}, {}]
    with pytest.raises(ValueError, match=r"0\.npz: cut hand: has 9 units up to 3; 9 below 3 are expected"):
        unit_phones.count_frames(*files, 3)


def test_a_table_that_is_missing():
    with pytest.raises(ValueError, match=r"m: needs unit_phones\.json; give it with --tables"):
        load_tables([], line("units", frame_rate=50, relabel="majority-phone"))


def test_tables_of_the_corpus_and_the_whole_way(corpus, step, capsys):
    """The steps as the workflow calls them, for units by majority phone."""
    from scripts.tokens import encode, tokenizer

    shards = [corpus / f"alignment/cuts/train/{i}.jsonl.gz" for i in (0, 1)]
    streams = [corpus / f"units/train/{i}.npz" for i in (0, 1)]
    kmeans = corpus / "units/kmeans.json"
    for name, flags in (("unit_phones", ["--units", *streams, "--kmeans", kmeans]), ("phone_durations", [])):
        module = {"unit_phones": unit_phones, "phone_durations": phone_durations}[name]
        step(module, "--cuts", *shards, *flags, "--output", corpus / f"tokens/{name}.json")
    assert "12 units stand for" in capsys.readouterr().err
    modality = line("units", frame_rate=50, relabel="majority-phone", repeats="drop")
    tables = ["--tables", corpus / "tokens/unit_phones.json"]
    flags = ["--modality", modalities.to_json(modality), *tables]
    folder, lexicon = corpus / "tokens/m", corpus / "corpus/lexicon.txt"
    built = ["--inventory", lexicon, "--output", folder / "tokenizer"]
    step(tokenizer, "--cuts", *shards, "--units", *streams, *built, *flags)
    dev = corpus / "alignment/cuts/dev/0.jsonl.gz"
    units = corpus / "units/dev/0.npz"
    step(
        encode,
        "--cuts",
        dev,
        "--units",
        units,
        "--tokenizer",
        folder / "tokenizer",
        "--output",
        folder / "d.bin",
        *flags,
    )
    majority = UnitPhones.read(corpus / "tokens/unit_phones.json", stress=True).majority
    stream = load_npz(units)[0]
    expected = [name for i, name in enumerate(majority[stream]) if not i or name != majority[stream][i - 1]]
    vocabulary = json.loads((folder / "tokenizer/tokenizer.json").read_text())["model"]["vocab"]
    tokens = np.fromfile(folder / "d.bin", "<u2")[1 : 1 + len(expected)]
    assert [list(vocabulary)[token] for token in tokens] == expected
    index = np.load(folder / "d.idx.npz")
    assert index["symbols"][0] == len(expected)
    assert [cut["id"] for cut in read_cuts(dev)] == index["ids"].tolist()


def test_noise_needs_no_more_than_the_cut(tmp_path):
    """A cut has the same errors in whatever file and order it is."""
    table = {phone: {"800": 1} for phone in ("K", "T", "DH")}
    tables, modality = Tables(durations=durations(table, tmp_path)), line("phones", noise=0.4)
    cuts = [spoken_cut(f"c{i}", "The cat sat.") for i in range(9)]
    write_jsonl(tmp_path / "a.jsonl", cuts)
    write_jsonl(tmp_path / "b.jsonl", cuts[::-1])
    first, second = (
        {u.id: u.symbols for u in sources.read(tmp_path / name, None, modality, tables)}
        for name in ("a.jsonl", "b.jsonl")
    )
    assert first == second
    assert len({tuple(symbols) for symbols in first.values()}) > 1


@pytest.mark.parametrize("keys", [{"noise": 0.3}, {"noise": 0.3, "noise_per": "frame"}, {"durations": "shuffled"}])
def test_sides_that_begin_alike_have_the_same_errors_and_durations(tmp_path, keys):
    table = {phone: {"800": 1, "1600": 1, "320": 1} for phone in ("SIL", "A", "B", "C", "D")}
    tables = Tables(durations=durations(table, tmp_path))
    context = [("ABCD"[i % 4], i / 10, 0.1) for i in range(80)]
    ends = {"positive": [("D", 8.0, 0.5)], "negative": [("C", 8.0, 0.1), ("B", 8.1, 0.1)]}
    cuts = {side: aligned_cut(side, "a b", [*context, *end], end[-1][1] + end[-1][2]) for side, end in ends.items()}
    write_jsonl(tmp_path / "items.jsonl", [{"id": "0", "task": "t", "subset": "", "group": "", **cuts}])
    first, second = sources.read(tmp_path / "items.jsonl", None, line("phones", frame_rate=50, **keys), tables)
    shared = [u.places < 80 for u in (first, second)]
    symbols = [np.array(u.symbols)[at].tolist() for u, at in zip((first, second), shared, strict=True)]
    assert symbols[0] == symbols[1]
    assert symbols[0] != framed(cut=cuts["positive"]).names[: len(symbols[0])]
