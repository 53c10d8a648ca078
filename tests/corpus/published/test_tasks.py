"""Published test sets become items, matched by their keys, with every irregularity of their layouts."""

import json
import os
from pathlib import Path

import lhotse
import pytest
import soundfile

from scripts.common.cuts import book_text, pronunciations, read_cuts, speaker, spoken_text
from scripts.common.files import read_csv, read_jsonl, write_jsonl
from scripts.corpus.published import tasks
from scripts.corpus.published.slm21 import band
from scripts.corpus.speech import manifest_tasks
from tests.corpus.published.testsets import LEXICAL, SYNTACTIC, sentence_row, sound, word_row, write_gold
from tests.corpus.speech.test_folder import LIMITS
from tests.corpus.speech.test_manifest import RULES
from tests.factories.sounds import break_off


def convert(
    folder: Path, monkeypatch: pytest.MonkeyPatch, limits: dict[str, float] = LIMITS, **config: str
) -> list[dict]:
    """The items of the test set below `folder`/data; drops are in `folder`/dropped.csv."""
    out, dropped = folder / "items.jsonl.gz", folder / "dropped.csv"
    paths = {"folder": folder / "data", "out": out, "dropped": dropped}
    given = [part for key, value in paths.items() for part in (f"--{key}", str(value))]
    monkeypatch.setattr(
        "sys.argv", ["x", "--task", "t", "--config", json.dumps(config), "--limits", json.dumps(limits), *given]
    )
    tasks.main()
    return list(read_jsonl(out))


def drops(folder: Path) -> dict[str, str]:
    return {row["id"]: row["reason"] for row in read_csv(folder / "dropped.csv")}


def lexical(folder: Path) -> Path:
    return folder / "data/sLM21-dataset/lexical/dev"


def syntactic(folder: Path) -> Path:
    return folder / "data/syntactic/test"


def test_words_are_paired_by_id_and_voice_whatever_the_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    rows = [word_row(i, voice, side) for i in (1, 2) for voice in ("A", "B") for side in (0, 1)]
    # All words first, the pseudo-words in another order: pairing by row would cross them.
    ordered = sorted(rows, key=lambda row: (-int(str(row["correct"])), str(row["filename"])[::-1]))
    write_gold(lexical(tmp_path), LEXICAL, ordered)
    items = convert(tmp_path, monkeypatch, format="slm21-lexical", split="dev")
    assert len(items) == 4
    for item in items:
        positive, negative = item["positive"], item["negative"]
        voice = speaker(positive)
        assert positive["id"] == f"w{item['id']}x{voice}"
        assert negative["id"] == f"n{item['id']}x{voice}"
        assert speaker(negative) == voice
        assert (item["task"], item["subset"], item["group"]) == ("t", "in-vocabulary", "1-5")
        assert (book_text(positive), book_text(negative)) == ("dog", "dag")
        assert pronunciations(positive) == {"DOG": "D AO1 G"}
        assert pronunciations(negative) == {"DAG": "D AE1 G"}
        source = tmp_path / "data" / positive["recording"]["sources"][0]["source"]
        assert soundfile.info(source).frames == positive["recording"]["num_samples"]
    cuts = tmp_path / "cuts.jsonl.gz"
    write_jsonl(cuts, read_cuts(tmp_path / "items.jsonl.gz"))
    assert len(list(lhotse.load_manifest_lazy(cuts))) == 8


def test_other_column_order_extra_columns_extensions_and_a_byte_order_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    rows = [{**word_row(1, "A", side), "extra": "x"} for side in (1, 0)]
    rows[0]["filename"] = f"{rows[0]['filename']}.wav"
    gold = write_gold(lexical(tmp_path), ("extra", *LEXICAL[::-1]), rows)
    gold.write_bytes(b"\xef\xbb\xbf" + gold.read_bytes())
    (item,) = convert(tmp_path, monkeypatch, format="slm21-lexical", split="dev")
    assert item["positive"]["id"] == "w1xA"


def test_unequal_voices_missing_partners_and_ambiguous_keys_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    rows = [word_row(1, voice, side) for voice in ("A", "B", "C") for side in (1, 0)]
    rows += [word_row(2, "A", 1), word_row(2, "A", 0)]  # one voice only: right
    rows += [word_row(3, "A", 1), word_row(3, "B", 0)]  # partners in other voices: none
    rows += [word_row(4, "A", 1), word_row(4, "A", 0), {**word_row(4, "A", 0), "filename": "again"}]
    write_gold(lexical(tmp_path), LEXICAL, rows)
    items = convert(tmp_path, monkeypatch, format="slm21-lexical", split="dev")
    assert [(item["id"], speaker(item["positive"])) for item in items] == [
        ("1", "A"),
        ("1", "B"),
        ("1", "C"),
        ("2", "A"),
    ]
    assert drops(tmp_path) == {"3/A": "no-partner", "3/B": "no-partner", "4/A": "ambiguous-key"}


@pytest.mark.parametrize(
    "text",
    [
        '"the dogs bark',
        'the dogs bark"',
        'the "dogs" bark',
        '"the" dogs bark',
        '"the dogs ""bark"""',
        '"the dogs bark"',
    ],
)
def test_no_quotation_mark_of_a_text_swallows_a_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str):
    rows = [sentence_row(i, "A", "plain", side, text=f"sentence {i}") for i in range(4) for side in (1, 0)]
    gold = write_gold(syntactic(tmp_path), SYNTACTIC, rows)
    gold.write_text(gold.read_text().replace("sentence 1", text))
    items = convert(tmp_path, monkeypatch, format="slm21-syntactic", split="test")
    assert [item["id"] for item in items] == [f"agreement/plain/{i}" for i in range(4)]
    assert book_text(items[1]["positive"]).replace('"', "") == "the dogs bark"
    assert book_text(items[2]["positive"]) == "sentence 2"


def test_missing_and_damaged_sounds_leave_with_their_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_gold(lexical(tmp_path), LEXICAL, [word_row(i, "A", side) for i in (1, 2, 3) for side in (1, 0)])
    (lexical(tmp_path) / "n1xA.wav").unlink()
    (lexical(tmp_path) / "w2xA.wav").write_bytes(b"no sound")
    items = convert(tmp_path, monkeypatch, format="slm21-lexical", split="dev")
    assert [item["id"] for item in items] == ["3"]
    assert drops(tmp_path) == {"1/A": "audio-missing", "2/A": "audio-damaged"}


def test_broken_copies_capitals_and_names_that_are_not_utf8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    rows = [word_row(i, "A", side) for i in (1, 2) for side in (1, 0)]
    rows[2]["filename"] = "w2xA.WAV"
    write_gold(lexical(tmp_path), LEXICAL, rows)
    break_off(lexical(tmp_path) / "w1xA.wav", 0.8)
    (lexical(tmp_path) / "n2xA.wav").rename(lexical(tmp_path) / "n2xA.WAV")
    (lexical(tmp_path) / "w2xA.WAV.wav").rename(lexical(tmp_path) / "w2xA.WAV")
    items = convert(tmp_path, monkeypatch, format="slm21-lexical", split="dev")
    assert [(item["positive"]["id"], item["negative"]["id"]) for item in items] == [("w2xA", "n2xA")]
    assert drops(tmp_path) == {"1/A": "audio-damaged"}
    for name in ("0_a_correct", "0_a_incorrect", "1_b_correct", "1_b_incorrect"):
        story(tmp_path, name)
    stories = tmp_path / "data/tSC"
    for ending in ("wav", "txt"):
        (stories / f"0_a_correct.{ending}").rename(stories / f"0_a_correct.{ending.upper()}")
    (stories / "1_b_correct.wav").rename(stories / os.fsdecode(b"1_\xe9_correct.wav"))
    (item,) = convert(tmp_path, monkeypatch, format="storycloze")
    assert item["positive"]["recording"]["sources"][0]["source"] == "tSC/0_a_correct.WAV"
    assert book_text(item["positive"]) == "The end."
    found = drops(tmp_path)
    assert [found.pop(name) for name in ("w1xA", "n1xA", "w2xA", "n2xA")] == ["name"] * 4
    assert found == {"1_\\xe9_correct": "name-not-utf8", "1_b_incorrect": "no-partner"}


def test_unmapped_phones_are_each_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    rows = [word_row(i, "A", side) for i in (1, 2, 3) for side in (1, 0)]
    rows[2]["phones"], rows[5]["phones"] = "d y g", "d ɔ ʘ"
    write_gold(lexical(tmp_path), LEXICAL, rows)
    items = convert(tmp_path, monkeypatch, format="slm21-lexical", split="dev")
    assert [item["id"] for item in items] == ["1"]
    assert drops(tmp_path) == {"2/A": "unmapped-phone", "3/A": "unmapped-phone"}
    log = capsys.readouterr().err
    assert "'y' (U+0079) in 1" in log
    assert "'ʘ' (U+0298) in 1" in log


def test_without_phones_the_lexicon_has_to_know(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    columns = tuple(name for name in LEXICAL if name != "phones")
    write_gold(lexical(tmp_path), columns, [word_row(1, "A", side) for side in (1, 0)])
    (item,) = convert(tmp_path, monkeypatch, format="slm21-lexical", split="dev")
    assert pronunciations(item["positive"]) == {}


@pytest.mark.parametrize(
    ("frequency", "expected"),
    [("0", "oov"), ("1", "1-5"), ("4", "1-5"), ("5", "6-20"), ("19.0", "6-20"), ("20", "21-100"), ("99", "21-100"),
     ("100", ">100"), ("70000", ">100"), ("", "unknown"), ("nan", "unknown")],
)  # fmt: skip
def test_bands_are_the_official_scorers(frequency: str, expected: str):
    assert band(frequency) == expected


def test_out_of_vocabulary_words_are_a_subset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    rows = [word_row(i, "A", side, frequency=f) for i, f in enumerate((0, 7, "")) for side in (1, 0)]
    write_gold(lexical(tmp_path), LEXICAL, rows)
    items = convert(tmp_path, monkeypatch, format="slm21-lexical", split="dev")
    assert [(i["subset"], i["group"]) for i in items] == [
        ("oov", "oov"),
        ("in-vocabulary", "6-20"),
        ("unknown", "unknown"),
    ]


def test_sentence_ids_repeat_across_subtypes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    rows = [sentence_row(1, v, s, side) for s in ("plain", "distant") for v in ("A", "B") for side in (0, 1)]
    rows += [sentence_row(1, "A", "gender", side, kind="anaphor") for side in (0, 1)]
    write_gold(syntactic(tmp_path), SYNTACTIC, rows[::-1])
    items = convert(tmp_path, monkeypatch, format="slm21-syntactic", split="test")
    assert len({(item["id"], speaker(item["positive"])) for item in items}) == len(items) == 5
    assert {item["id"] for item in items} == {"agreement/plain/1", "agreement/distant/1", "anaphor/gender/1"}
    for item in items:
        kind, subtype, _ = item["id"].split("/")
        assert (item["group"], item["subtype"]) == (kind, subtype)
        assert item["positive"]["id"].startswith(subtype)
        assert book_text(item["positive"]) == "the dogs bark"
        assert item["negative"]["id"] == item["positive"]["id"][:-1] + "b"


def test_items_pass_the_check_of_manifest_items(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    rows = [sentence_row(1, "A", "plain", side) for side in (1, 0)]
    rows += [sentence_row(2, "A", "plain", 1), sentence_row(2, "A", "plain", 0, text="the dogs bark 3 times")]
    write_gold(syntactic(tmp_path), SYNTACTIC, rows)
    convert(tmp_path, monkeypatch, format="slm21-syntactic", split="test")
    flags = ["--task", "t", "--items", str(tmp_path / "items.jsonl.gz"), "--audio-root", str(tmp_path / "data")]
    flags += ["--out", str(tmp_path / "checked.jsonl.gz"), "--dropped", str(tmp_path / "checked.csv")]
    monkeypatch.setattr("sys.argv", ["x", *flags, "--config", json.dumps(RULES)])
    manifest_tasks.main()
    (item,) = read_jsonl(tmp_path / "checked.jsonl.gz")
    assert spoken_text(item["positive"]) == "THE DOGS BARK"
    assert (item["group"], item["subtype"]) == ("agreement", "plain")
    assert [row["id"] for row in read_csv(tmp_path / "checked.csv")] == ["agreement/plain/2"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda p: p.write_text(p.read_text().replace("voice", "speaker", 1)), "gold.csv: has no column voice; it has"),
        (lambda p: p.write_text(p.read_text().rsplit(",", 1)[0] + ",yes\n"), "gold.csv:3: correct is 'yes'"),
        (lambda p: p.write_text(p.read_text().replace("w1xA,A", "w1xA,", 1)), "gold.csv:2: voice is empty"),
        (lambda p: p.write_text(p.read_text().replace(",3,dog", ",often,dog", 1)), "gold.csv:2: frequency is 'often'"),
        (lambda p: p.write_text(p.read_text().splitlines()[0]), "gold.csv: holds no rows"),
        (lambda p: p.write_bytes(p.read_bytes() + b"\xff"), "gold.csv: not UTF-8"),
        (lambda p: p.write_text(p.read_text().replace("dog,", "dog", 1)), "gold.csv:2: has 7 cells, the header 8"),
        (lambda p: p.write_text(p.read_text().replace("dog,", '"do,g,', 1)), "gold.csv:2: has 9 cells, the header 8"),
        (lambda p: p.write_text("version https://git-lfs.github.com/spec/v1\n"), "gold.csv: is a pointer of Git LFS"),
        (lambda p: p.write_text("<!DOCTYPE html>\n"), "gold.csv: is a web page"),
        (lambda p: p.unlink(), "holds 0 files lexical/dev/gold.csv"),
    ],
)
def test_a_gold_file_that_is_not_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change, says: str):
    change(write_gold(lexical(tmp_path), LEXICAL, [word_row(1, "A", side) for side in (1, 0)]))
    with pytest.raises(ValueError, match=r".") as error:
        convert(tmp_path, monkeypatch, format="slm21-lexical", split="dev")
    assert says in str(error.value)


def test_no_pair_at_all_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_gold(lexical(tmp_path), LEXICAL, [word_row(1, "A", 1)])
    with pytest.raises(ValueError, match=r"no usable pair \(dropped: 1 no-partner"):
        convert(tmp_path, monkeypatch, format="slm21-lexical", split="dev")


def story(folder: Path, name: str, text: str | None = "The end.") -> None:
    sound(folder / f"data/tSC/{name}.wav")
    if text is not None:
        (folder / f"data/tSC/{name}.txt").write_text(text + "\n")


def test_stories_are_paired_by_number_and_story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("0_abc_correct", "0_abc_incorrect", "1_de_f_correct", "1_de_f_incorrect"):
        story(tmp_path, name, name)
    for name in ("2_xyz_correct", "3_xyz_incorrect"):  # one story, counted on: still one pair
        story(tmp_path, name)
    story(tmp_path, "4_lone_correct")
    story(tmp_path, "5_odd")
    sound(tmp_path / "data/__MACOSX/._0_abc_correct.wav")
    items = convert(tmp_path, monkeypatch, format="storycloze")
    assert [item["id"] for item in items] == ["0_abc", "1_de_f", "xyz"]
    assert book_text(items[1]["negative"]) == "1_de_f_incorrect"
    assert drops(tmp_path) == {"4_lone_correct": "no-partner", "5_odd": "name"}


def test_stories_without_texts_leave_unless_a_table_has_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("0_a_correct", "0_a_incorrect", "1_b_correct", "1_b_incorrect"):
        story(tmp_path, name, None)
    table = tmp_path / "texts.tsv"
    table.write_text("0_a_correct.wav\tHe won.\n0_a_incorrect\tIt  rained.\n")
    items = convert(tmp_path, monkeypatch, format="storycloze", transcripts=str(table))
    assert [book_text(items[0][side]) for side in ("positive", "negative")] == ["He won.", "It rained."]
    assert drops(tmp_path) == {"1_b": "no-text"}
    table.write_text("0_a_correct He won.\n")
    with pytest.raises(ValueError, match=r"texts.tsv:1: expected <name><TAB><text>"):
        convert(tmp_path, monkeypatch, format="storycloze", transcripts=str(table))


def test_a_table_without_lines_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("0_a_correct", "0_a_incorrect"):
        story(tmp_path, name)
    (tmp_path / "texts.tsv").write_text("\n \n")
    with pytest.raises(ValueError, match=r"texts\.tsv: is empty; expected a line <name><TAB><text> for each"):
        convert(tmp_path, monkeypatch, format="storycloze", transcripts=str(tmp_path / "texts.tsv"))


def test_sets_behind_links_are_found_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("0_a_correct", "0_a_incorrect"):
        story(tmp_path / "disk", name)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/here").symlink_to("../disk/data")
    (tmp_path / "data/again").symlink_to("../disk/data")
    (tmp_path / "disk/data/up").symlink_to("..")
    assert [item["id"] for item in convert(tmp_path, monkeypatch, format="storycloze")] == ["0_a"]
    write_gold(tmp_path / "disk/data/lexical/dev", LEXICAL, [word_row(1, "A", side) for side in (1, 0)])
    assert len(convert(tmp_path, monkeypatch, format="slm21-lexical", split="dev")) == 1


def test_an_empty_folder_and_an_unknown_format_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "data").mkdir()
    with pytest.raises(ValueError, match=r"holds no .wav file"):
        convert(tmp_path, monkeypatch, format="storycloze")
    with pytest.raises(ValueError, match=r"tasks\.t\.format is 'blimp'; it must be one of slm21-lexical, slm21-syn"):
        convert(tmp_path, monkeypatch, format="blimp")
    with pytest.raises(ValueError, match=r"tasks\.t\.split is missing; dev or test"):
        convert(tmp_path, monkeypatch, format="slm21-lexical")
