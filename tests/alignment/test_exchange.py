"""Export and import of CTM and TextGrid, and imported alignments instead of computed ones."""

import pytest

from scripts.alignment import ctm, textgrid
from scripts.alignment.config import Aligning, Training
from scripts.alignment.merge_guessed import gather
from scripts.common.cuts import phone_alignment, supervision
from scripts.common.files import read_csv, read_jsonl, write_csv, write_jsonl
from tests.factories.cuts import make_cut
from tests.factories.settings import settings
from tests.factories.steps import step

PHONES = [("HH_B", 0.1, 0.1), ("AY1_E", 0.2, 0.2), ("AO1_B", 0.5, 0.2), ("L_E", 0.7, 0.1), ("sil", 0.8, 0.2)]
WORDS = [("hi", 0.1, 0.3), ("all", 0.5, 0.3)]


def hello(name: str = "a/b-1") -> dict:
    return make_cut(name, text="Hi all.")


@pytest.fixture
def import_external(tmp_path):
    def run(lines, *, phones=PHONES, words=WORDS, grid=None, name="a/b-1", also=(), ok=True):
        folder = tmp_path / "external"
        folder.mkdir(exist_ok=True)
        if grid is not None:
            (folder / "a").mkdir(exist_ok=True)
            (folder / f"{name}.TextGrid").write_text(grid)
        elif name is not None:  # else the test has written the folder
            ctm.write(folder / "phones.ctm", [(each, phones) for each in (name, *also)])
            ctm.write(folder / "words.ctm", [(each, words) for each in (name, *also)])
        write_jsonl(tmp_path / "in.jsonl.gz", lines)
        stderr = step("scripts.alignment.import_external", "--cuts", tmp_path / "in.jsonl.gz", "--external", folder,
                      "--split", "dev", "--out", tmp_path / "out.jsonl.gz", "--dropped", tmp_path / "dropped.csv",
                      "--guessed", tmp_path / "guessed.csv", ok=ok)  # fmt: skip
        if not ok:
            return stderr
        return list(read_jsonl(tmp_path / "out.jsonl.gz")), read_csv(tmp_path / "dropped.csv")

    return run


def test_our_own_alignments_leave_and_come_back(world, align, tmp_path):
    aligned = align(list(read_jsonl(world / "dev.jsonl.gz"))[:3])
    step("scripts.alignment.export", "--cuts", aligned.out, "--out", tmp_path / "export")
    for kind in ("ctm", "textgrids"):
        folder = tmp_path / "export" / kind
        folder.mkdir(exist_ok=True)
        if kind == "ctm":
            for name in ("words", "phones"):
                (tmp_path / f"export/{name}.ctm").rename(folder / f"{name}.ctm")
        step("scripts.alignment.import_external", "--cuts", world / "dev.jsonl.gz", "--external", folder, "--split",
             "dev", "--out", tmp_path / "back.jsonl.gz", "--dropped", tmp_path / "back.csv", "--guessed",
             tmp_path / "none.csv")  # fmt: skip
        back = list(read_jsonl(tmp_path / "back.jsonl.gz"))
        assert [cut["id"] for cut in back] == [cut["id"] for cut in aligned.kept]
        for ours, theirs in zip(aligned.kept, back, strict=True):
            for kind_ in ("phone", "word"):
                a, b = (supervision(cut)["alignment"][kind_] for cut in (ours, theirs))
                assert [x[0] for x in a] == [x[0] for x in b]
                assert [x[1] for x in a] == pytest.approx([x[1] for x in b], abs=1.1e-4)
                assert [x[2] for x in a] == pytest.approx([x[2] for x in b], abs=2.1e-4)
        assert {row["reason"] for row in read_csv(tmp_path / "back.csv")} == {"external-missing"}


def test_lhotse_reads_the_ctm_as_we_do(tmp_path):
    lhotse_ctm = pytest.importorskip("lhotse.supervision")
    ctm.write(tmp_path / "x.ctm", [("a", [("HH", 0.0, 0.5), ("AY1", 0.5, 0.25)])])
    assert ctm.read(tmp_path / "x.ctm") == {"a": [("HH", 0.0, 0.5), ("AY1", 0.5, 0.25)]}
    assert ctm.read(tmp_path / "x.ctm", {"b"}) == {}
    segment = lhotse_ctm.SupervisionSegment(id="s", recording_id="a", start=0.0, duration=0.75, channel=1)
    found = lhotse_ctm.SupervisionSet.from_segments([segment]).with_alignment_from_ctm(tmp_path / "x.ctm", type="phone")
    items = next(iter(found)).alignment["phone"]
    assert [(i.symbol, i.start, i.duration) for i in items] == [("HH", 0.0, 0.5), ("AY1", 0.5, 0.25)]


def test_kaldis_phones_are_named_as_ours_and_gaps_are_silence(import_external):
    kept, dropped = import_external([hello()])
    assert dropped == []
    assert phone_alignment(kept[0]) == [
        ("SIL", 0.0, 0.1), ("HH", 0.1, 0.1), ("AY1", 0.2, 0.2), ("SIL", 0.4, 0.1), ("AO1", 0.5, 0.2), ("L", 0.7, 0.1),
        ("SIL", 0.8, 0.2),
    ]  # fmt: skip
    assert [w[:3] for w in supervision(kept[0])["alignment"]["word"]] == [["HI", 0.1, 0.3], ["ALL", 0.5, 0.3]]


SHORT = """File type = "ooTextFile"
Object class = "TextGrid"

0
1.0
<exists>
2
"IntervalTier"
"words"
0
1.0
2
0
0.5
"hi"
0.5
1.0
"all"
"IntervalTier"
"phones"
0
1.0
4
0
0.2
"HH"
0.2
0.5
"AY1"
0.5
0.8
"AO1"
0.8
1.0
"L"
"""


def test_textgrids_of_both_forms(import_external, tmp_path):
    kept, _ = import_external([hello()], grid=SHORT)
    assert [p[0] for p in phone_alignment(kept[0])] == ["HH", "AY1", "AO1", "L"]
    tiers = {"words": [(0.0, 0.25, 'a "b"'), (0.25, 1.0, "")], "2 odd [3] = 4": [(0.0, 1.0, "1 2 3")]}
    textgrid.write(tmp_path / "x.TextGrid", 1.0, tiers)
    assert textgrid.read(tmp_path / "x.TextGrid") == tiers
    text = (tmp_path / "x.TextGrid").read_text()
    (tmp_path / "x.TextGrid").write_bytes(text.encode("utf-16"))
    assert textgrid.read(tmp_path / "x.TextGrid") == tiers


@pytest.mark.parametrize("ending", [".TextGrid", ".textgrid", ".TEXTGRID"])
def test_textgrids_are_found_whatever_the_case_and_behind_links(import_external, tmp_path, ending):
    """MFA's output for each split, linked into one folder; a link to a parent on the way."""
    for split in ("train", "dev"):
        (tmp_path / f"disk/{split}/deep").mkdir(parents=True)
        (tmp_path / f"disk/{split}/deep/{split}-1{ending}").write_text(SHORT)
    folder = tmp_path / "external"
    folder.mkdir()
    for split in ("train", "dev"):
        (folder / split).symlink_to(f"../disk/{split}")
    (tmp_path / "disk/dev/deep/up").symlink_to("..")
    (folder / f"alone{ending}").symlink_to(f"../disk/dev/deep/dev-1{ending}")
    names = ["train/deep/train-1", "dev/deep/dev-1", "alone"]
    kept, dropped = import_external([hello(name) for name in names], name=None)
    assert [cut["id"] for cut in kept] == names
    assert dropped == []


def test_two_textgrids_of_one_id_cost_their_cut_alone(import_external, tmp_path):
    (tmp_path / "external").mkdir()
    for name in ("bad.TextGrid", "bad.textgrid", "good.TextGrid"):
        (tmp_path / "external" / name).write_text(SHORT)
    kept, dropped = import_external([hello("bad"), hello("good")], name=None)
    assert [cut["id"] for cut in kept] == ["good"]
    assert [(row["id"], row["reason"]) for row in dropped] == [("bad", "external-damaged")]
    assert "bad.textgrid: a second TextGrid of this id beside bad.TextGrid" in dropped[0]["detail"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"name": "other"}, "external-missing"),
        ({"phones": [("HH", 0.0, 1.2)]}, "external-length"),
        ({"phones": [("HH", 0.0, 0.5), ("AY1", 0.3, 0.7)]}, "external-order"),
        ({"phones": [("HH", 0.0, 0.5), ("AY1", 0.5, 0.0)]}, "external-order"),
        ({"phones": [("HH", 0.0, 0.5), ("AY", 0.5, 0.5)]}, "external-phones"),
        ({"words": [("hi", 0.1, 0.3)]}, "external-words"),
        ({"words": [("hi", 0.1, 0.3), ("al", 0.5, 0.3)]}, "external-words"),
    ],
)
def test_what_does_not_fit_is_dropped_with_its_reason(import_external, change, reason):
    kept, dropped = import_external([hello()], **change)
    assert kept == []
    assert [row["reason"] for row in dropped] == [reason]


def test_items_leave_whole(import_external):
    pair = {"id": "p", "task": "t", "positive": hello(), "negative": hello("a/b-2")}
    kept, dropped = import_external([pair])
    assert kept == []
    assert [row["id"] for row in dropped] == ["a/b-2"]
    choice = {"id": "c", "task": "t", "positive": hello(), "negative": [hello("a/b-2"), hello("a/b-3")]}
    kept, _ = import_external([choice], also=["a/b-2", "a/b-3"])
    assert [side["id"] for side in kept[0]["negative"]] == ["a/b-2", "a/b-3"]
    assert all("alignment" in side["supervisions"][0] for side in kept[0]["negative"])


@pytest.mark.parametrize("form", ["ctm", "TextGrid"])
@pytest.mark.parametrize(
    ("tier", "items", "reason"),
    [
        ("phones", [("HH", 0.0, 0.5), ("AY1", 0.5, -0.2)], "external-order"),
        ("phones", [("HH", 0.0, 0.5), ("AY1", 0.5, 0.5), ("sil", 0.4, 0.1)], "external-order"),
        ("phones", [("HH", -0.2, 0.5), ("AY1", 0.3, 0.7)], "external-order"),
        ("phones", [("HH", 0.0, 1.01), ("AY1", 1.01, 0.03)], "external-length"),
        ("phones", [("HH", 0.0, 1e999)], "external-order"),
        ("phones", [("HH", 0.0, 0.5), ("AY1", 700.0, 0.5)], "external-length"),
        ("words", [("hi", 0.1, -0.05), ("all", 0.5, 0.3)], "external-order"),
        ("words", [("hi", 0.1, 0.0), ("all", 0.5, 0.3)], "external-order"),
        ("words", [("hi", 0.1, 0.5), ("all", 0.5, 0.3)], "external-order"),
        ("words", [("hi", -0.1, 0.3), ("all", 0.5, 0.3)], "external-order"),
        ("words", [("hi", 0.1, 0.3), ("all", 0.5, 0.6)], "external-length"),
        ("words", [("hi", 0.1, 0.3), ("all", 3.5, 0.2)], "external-length"),
    ],
)
def test_impossible_words_and_phones_cost_their_cut_alone(import_external, tmp_path, form, tier, items, reason):
    good = {"phones": PHONES, "words": WORDS}
    folder = tmp_path / "external"
    for name, tiers in (("bad", {**good, tier: items}), ("good", good)):
        if form == "TextGrid":
            textgrid.write(folder / f"{name}.TextGrid", 1.0,
                           {key: [(a, a + d, s) for s, a, d in each] for key, each in tiers.items()})  # fmt: skip
            continue
        folder.mkdir(exist_ok=True)
        for key, each in tiers.items():
            with open(folder / f"{key}.ctm", "a") as file:
                file.writelines(f"{name} 1 {start:.4f} {duration:.4f} {symbol}\n" for symbol, start, duration in each)
    kept, dropped = import_external([hello("bad"), hello("good")], name=None)
    assert [cut["id"] for cut in kept] == ["good"]
    # A CTM holds numbers that a TextGrid cannot: inf is no number of Praat's.
    reasons = {reason, "external-damaged"} if float("inf") in [item[2] for item in items] else {reason}
    assert [row["id"] for row in dropped if row["reason"] in reasons] == ["bad"]


def test_what_rounding_leaves_is_kept_inside_the_cut(import_external):
    phones = [*PHONES[:-1], ("AH0", 0.8, 0.2), ("sil", 1.0, 0.02)]
    kept, dropped = import_external([hello()], phones=phones, words=[("hi", 0.1, 0.3), ("all", 0.5, 0.54)])
    assert dropped == []
    assert supervision(kept[0])["alignment"]["word"][-1][1:3] == [0.5, 0.5]
    assert phone_alignment(kept[0])[-1] == ("AH0", 0.8, 0.2)


@pytest.mark.parametrize(
    ("grid", "says"),
    [
        ("SHORT", "b-1.TextGrid: damaged or truncated TextGrid"),
        ("nothing", "not a TextGrid"),
        ("tier", "has no tier 'phones'; its tiers are words, fones"),
        ("version https://git-lfs.github.com/spec/v1\n", "b-1.TextGrid: is a pointer of Git LFS"),
    ],
)
def test_a_damaged_textgrid_costs_its_cut_alone(import_external, tmp_path, grid, says):
    grid = {"SHORT": SHORT[:200], "tier": SHORT.replace('"phones"', '"fones"')}.get(grid, grid)
    textgrid.write(tmp_path / "external/good.TextGrid", 1.0, {"words": [(0.1, 0.4, "hi"), (0.5, 0.8, "all")],
                                                              "phones": [(0.1, 0.8, "AO1")]})  # fmt: skip
    kept, dropped = import_external([hello(), hello("good")], grid=grid)
    assert [cut["id"] for cut in kept] == ["good"]
    assert [(row["id"], row["reason"]) for row in dropped] == [("a/b-1", "external-damaged")]
    assert says in dropped[0]["detail"]


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ("bad 1 0.0 0.1", "words.ctm:1: 4 fields; expected 'id channel start duration symbol'"),
        ("bad 1 x 0.1 hi", "words.ctm:1: 'x' is not a start"),
        ("bad 1 0.0 nan hi", "words.ctm:1: 'nan' is not a duration"),
        ("bad 1 0.0 0.1 hello there", "words.ctm:1: 'there' is not a score"),
    ],
)
def test_a_damaged_line_of_a_ctm_costs_its_cut_alone(import_external, tmp_path, bad, says):
    ctm.write(tmp_path / "external/phones.ctm", [(name, PHONES) for name in ("bad", "good")])
    ctm.write(tmp_path / "external/words.ctm", [("good", WORDS)])
    path = tmp_path / "external/words.ctm"
    path.write_text(f"{bad}\n{path.read_text()}")
    kept, dropped = import_external([hello("bad"), hello("good")], name=None)
    assert [cut["id"] for cut in kept] == ["good"]
    assert [(row["id"], row["reason"]) for row in dropped] == [("bad", "external-damaged")]
    assert says in dropped[0]["detail"]
    kept, _ = import_external([hello("good")], name=None)  # of a cut of another job
    assert [cut["id"] for cut in kept] == ["good"]
    with pytest.raises(ValueError, match=r"words\.ctm:1: "):
        ctm.read(path)


def test_a_file_that_is_no_ctm_ends_the_job(import_external, tmp_path):
    (tmp_path / "external").mkdir()
    for name in ("phones", "words"):
        (tmp_path / f"external/{name}.ctm").write_text("HI  HH AY1\nALL  AO1 L\n")
    assert "phones.ctm:1: 3 fields; expected" in import_external([hello()], name=None, ok=False)


def test_a_folder_without_alignments_is_refused(tmp_path):
    write_jsonl(tmp_path / "in.jsonl.gz", [hello()])
    rest = ("--split", "dev", "--out", tmp_path / "o.jsonl.gz", "--dropped", tmp_path / "d.csv", "--guessed",
            tmp_path / "g.csv")  # fmt: skip
    for folder, says in ((tmp_path / "none", "is not a folder"), (tmp_path, "phones.ctm is missing")):
        stderr = step("scripts.alignment.import_external", "--cuts", tmp_path / "in.jsonl.gz", "--external", folder,
                      *rest, ok=False)  # fmt: skip
        assert says in stderr


def test_guesses_of_all_jobs_are_added_up(tmp_path):
    columns = ("word", "count", "pronunciation")
    write_csv(tmp_path / "0.csv", columns, [{"word": "ZORP", "count": 2, "pronunciation": "Z AO1 R P"}])
    write_csv(tmp_path / "1.csv", columns, [{"word": "ZORP", "count": 3, "pronunciation": "Z AO1 R P"}])
    assert gather([str(tmp_path / "0.csv"), str(tmp_path / "1.csv")])[0]["count"] == 5


def test_an_unknown_word_can_be_spoken_noise(world, tmp_path):
    cuts = list(read_jsonl(world / "dev.jsonl.gz"))
    word, lexicon = "UNSAYABLE", tmp_path / "lexicon.txt"
    lexicon.write_text((world / "lexicon.txt").read_text())
    for cut in cuts:
        texts = cut["supervisions"][0]["custom"]["texts"]
        first, *rest = texts[1].split()
        texts[1] = " ".join([first, word, *rest[1:]]) if cut is cuts[0] else texts[1]
    write_jsonl(tmp_path / "cuts.jsonl.gz", cuts)
    common = ("--audio-root", world / "audio", "--lexicon", lexicon)
    changes = {"oov": "noise", "sample_hours": 0.05, "gaussians": 300, "iterations": 8}
    step("scripts.alignment.train", "--cuts", tmp_path / "cuts.jsonl.gz", *common, "--config",
         settings(Training, "alignment", **changes), "--seed", 1, "--out", tmp_path / "model")  # fmt: skip
    step("scripts.alignment.align", "--cuts", tmp_path / "cuts.jsonl.gz", *common, "--config",
         settings(Aligning, "alignment", **changes), "--model", tmp_path / "model", "--split",
         "dev", "--out", tmp_path / "out.jsonl.gz", "--dropped", tmp_path / "d.csv", "--guessed",
         tmp_path / "guessed.csv")  # fmt: skip
    first = next(iter(read_jsonl(tmp_path / "out.jsonl.gz")))
    assert first["id"] == cuts[0]["id"]
    noise = [p for p in phone_alignment(first) if p[0] == "SPN"]
    words = [w for w in supervision(first)["alignment"]["word"] if w[0] == word]
    assert len(noise) == 1
    assert [n[1] for n in noise] == [w[1] for w in words]
    assert read_csv(tmp_path / "guessed.csv") == [{"word": word, "count": "1", "pronunciation": "SPN"}]
