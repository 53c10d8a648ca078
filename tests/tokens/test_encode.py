import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scripts.common.cuts import read_cuts
from scripts.common.files import write_jsonl
from scripts.common.frames import frame_count
from scripts.common.ragged import Ragged, load_bin, load_npz, save_npz
from scripts.tokens import encode, pack, stats, tokenizer
from scripts.tokens.encode import check_units
from scripts.tokens.span_encoder import MADE_BY
from tests.factories.cuts import aligned_cut, spoken_cut
from tests.tokens.conftest import LINES, flag, modality, read_json, write_units


@pytest.fixture
def run(corpus, files, step):
    """Function from a modality's name to its token folder, made by the steps as the workflow calls them."""

    def make(name, **changes):
        folder = corpus / "tokens" / name
        (folder / "tokenizer").mkdir(parents=True, exist_ok=True)
        tokenizer.build(**files(name), modality=modality(name, **changes), folder=folder / "tokenizer")
        places = {"train/0": "shards/train/0", "train/1": "shards/train/1", "dev/0": "shards/dev/0"}
        for place, output in {**places, "tasks/toy": "tasks/toy"}.items():
            cuts = corpus / "alignment" / (place if place.startswith("tasks") else f"cuts/{place}")
            units = [corpus / f"units/{place}.npz"] if LINES[name]["source"] == "units" else []
            step(
                *(encode, "--cuts", f"{cuts}.jsonl.gz", "--units", *units, "--tokenizer", folder / "tokenizer"),
                *("--modality", flag(name, **changes), "--output", folder / f"{output}.bin"),
            )
        step(
            pack,
            "--shards",
            folder / "shards/train/0.bin",
            folder / "shards/train/1.bin",
            "--output",
            folder / "train.bin",
        )
        step(pack, "--shards", folder / "shards/dev/0.bin", "--output", folder / "dev.bin")
        step(
            *(stats, "--splits", folder / "train.bin", folder / "dev.bin", "--tasks", folder / "tasks/toy.bin"),
            *(
                "--tokenizer",
                folder / "tokenizer",
                "--modality",
                flag(name, **changes),
                "--output",
                folder / "stats.json",
            ),
        )
        return folder

    return make


@pytest.mark.parametrize("name", LINES)
def test_a_modality_from_cuts_to_statistics(run, name):
    folder = run(name)
    train, counts = load_bin(folder / "train.bin"), read_json(folder / "stats.json")
    assert list(train.ids) == [*(f"a{i}" for i in range(9)), *(f"b-longer-id-{i}" for i in range(9))]
    assert all(sequence[0] == 1 and sequence[-1] == 2 for sequence in train)
    assert list(load_bin(folder / "tasks/toy.bin").ids) == ["p", "n"]
    row = counts["splits"]["train"]
    assert counts["modality"] == name
    assert counts["vocab_size"] == len(read_json(folder / "tokenizer/tokenizer.json")["model"]["vocab"])
    assert max(sequence.max() for sequence in train) < counts["vocab_size"]
    assert (row["utterances"], row["unknown"], row["words"]) == (18, 0, 3 * (6 + 7 + 6 + 7 + 10 + 8))
    assert row["tokens"] == len(train.stream) - 2 * 18 == sum(len(sequence) - 2 for sequence in train)
    assert row["tokens_per_second"] == pytest.approx(row["tokens"] / row["seconds"])
    assert set(counts["splits"]) == {"train", "dev"}
    assert counts["tasks"]["toy"]["utterances"] == 2


def test_counts_of_the_modalities(run, corpus):
    """Counts of one modality against another's, and against the cuts."""
    rows = {name: read_json(run(name) / "stats.json")["splits"]["train"] for name in LINES}
    cuts = _cuts(corpus)
    phones = [[p[0] for p in cut["supervisions"][0]["alignment"]["phone"]] for cut in cuts]
    assert rows["phone-raw"]["tokens"] == sum(map(len, phones))
    assert rows["phone-raw"]["phones"] == sum(name != "SIL" for each in phones for name in each)
    assert rows["text-raw"]["tokens"] == sum(len(c["supervisions"][0]["custom"]["texts"][0]) + 1 for c in cuts)
    frames = sum(frame_count(round(cut["duration"] * 16000)) for cut in cuts)
    for name in ("phone-repeat", "speech-hubert"):
        assert rows[name]["tokens"] == rows[name]["frames"] == frames
        assert rows[name]["tokens_per_frame_second"] == 50.0
        assert 48 < rows[name]["tokens_per_second"] < 50
    for fewer, more in [("text-bpe", "text-raw"), ("phone-bpe", "phone-raw"), ("unit-bpe", "speech-hubert")]:
        assert rows[fewer]["tokens"] < rows[more]["tokens"]
    assert [row["seconds"] for row in rows.values()] == pytest.approx(
        [sum(cut["duration"] for cut in cuts)] * len(rows)
    )
    # Phones of 10 ms may fall between two centres 20 ms apart; the fixture has some.
    assert 0 < rows["phone-repeat"]["phones_lost"] < 0.2 * rows["phone-repeat"]["phones"]
    assert rows["phone-raw"]["phones_lost"] == 0
    assert rows["text-raw"]["phones_lost_share"] is None
    assert rows["text-raw"]["tokens_per_frame_second"] is None


def _cuts(corpus):
    from scripts.common.cuts import read_cuts

    return [cut for i in (0, 1) for cut in read_cuts(corpus / f"alignment/cuts/train/{i}.jsonl.gz")]


def test_phone_repeat_is_as_long_as_the_units(run):
    repeat, units = load_bin(run("phone-repeat") / "train.bin"), load_bin(run("speech-hubert") / "train.bin")
    np.testing.assert_array_equal(repeat.lengths, units.lengths)
    np.testing.assert_array_equal(repeat.ids, units.ids)


def test_a_side_without_units_has_no_tokens_but_a_cut_must_have_them(corpus, run):
    for place in ("tasks/toy", "dev/0"):
        units = load_npz(corpus / f"units/{place}.npz")
        found = [units[0], np.zeros(0, np.uint16)]
        save_npz(corpus / f"units/{place}.npz", replace(Ragged.join(units.ids.tolist(), found), made_by=units.made_by))
    with pytest.raises(ValueError, match=r"dev/0\.jsonl\.gz: cut c1: has 0 units"):
        run("speech-hubert")
    cuts = corpus / "alignment/cuts/dev/0.jsonl.gz"
    write_units(corpus / "units/dev/0.npz", list(read_cuts(cuts)))
    tokens = load_bin(run("speech-hubert") / "tasks/toy.bin").by_id()
    assert {name: len(ids) > 2 for name, ids in tokens.items()} == {"p": True, "n": False}


def test_silence_dropped(run):
    kept = read_json(run("phone-raw") / "stats.json")["splits"]["train"]
    dropped = read_json(run("phone-raw", silence="drop") / "stats.json")["splits"]["train"]
    assert dropped["tokens"] == dropped["phones"] == kept["phones"] < kept["tokens"]


@pytest.mark.parametrize("name", LINES)
def test_same_bytes_twice(run, name):
    outputs = ("train.bin", "train.idx.npz", "tasks/toy.bin", "tasks/toy.idx.npz", "stats.json")
    first = {output: (run(name) / output).read_bytes() for output in outputs}
    folder = run(name)
    assert {output: (folder / output).read_bytes() for output in outputs} == first


def test_unknown_characters_are_counted_and_reported(run, corpus, step, capsys):
    folder = run("text-raw")
    cuts = [aligned_cut("x", "Thé cat été", [("SIL", 0, 1)], 1.0), aligned_cut("y", "The cat", [("SIL", 0, 1)], 1.0)]
    write_jsonl(corpus / "strange.jsonl", cuts)
    step(
        *(encode, "--cuts", corpus / "strange.jsonl", "--tokenizer", folder / "tokenizer"),
        *("--modality", flag("text-raw"), "--output", folder / "tasks/strange.bin"),
    )
    assert "2 utterances, 20 tokens, 3 unknown in 1 utterances" in capsys.readouterr().err
    step(
        *(stats, "--splits", folder / "dev.bin", "--tasks", folder / "tasks/strange.bin"),
        *("--tokenizer", folder / "tokenizer", "--modality", flag("text-raw"), "--output", folder / "stats.json"),
    )
    assert read_json(folder / "stats.json")["tasks"]["strange"]["unknown"] == 3


def test_an_utterance_without_symbols_is_kept_and_reported(run, corpus, step, capsys):
    folder = run("phone-raw", silence="drop")
    write_jsonl(corpus / "still.jsonl", [aligned_cut("x", "The", [("SIL", 0, 1)], 1.0)])
    step(
        *(encode, "--cuts", corpus / "still.jsonl", "--tokenizer", folder / "tokenizer"),
        *("--modality", flag("phone-raw", silence="drop"), "--output", folder / "still.bin"),
    )
    assert "1 utterances, 0 tokens, 1 without a token" in capsys.readouterr().err
    assert load_bin(folder / "still.bin")[0].tolist() == [1, 2]


def test_an_empty_shard(run, corpus, step):
    folder = run("phone-raw")
    write_jsonl(corpus / "empty.jsonl.gz", [])
    step(
        *(encode, "--cuts", corpus / "empty.jsonl.gz", "--tokenizer", folder / "tokenizer"),
        *("--modality", flag("phone-raw"), "--output", folder / "empty.bin"),
    )
    step(pack, "--shards", folder / "empty.bin", folder / "shards/dev/0.bin", "--output", folder / "both.bin")
    assert list(load_bin(folder / "both.bin").ids) == ["c0", "c1"]
    step(pack, "--shards", folder / "empty.bin", "--output", folder / "none.bin")
    step(
        *(stats, "--splits", folder / "none.bin", "--tokenizer", folder / "tokenizer"),
        *("--modality", flag("phone-raw"), "--output", folder / "none.json"),
    )
    assert read_json(folder / "none.json")["splits"]["none"]["tokens_per_second"] is None


def test_an_id_twice_names_the_file(run, corpus, step):
    folder = run("text-raw")
    write_jsonl(corpus / "twice.jsonl", [spoken_cut("x", "The cat sat."), spoken_cut("x", "The dog ran.")])
    with pytest.raises(ValueError, match=re.escape("twice.jsonl: id 'x' appears twice")):
        step(
            *(encode, "--cuts", corpus / "twice.jsonl", "--tokenizer", folder / "tokenizer"),
            *("--modality", flag("text-raw"), "--output", folder / "twice.bin"),
        )
    assert not (folder / "twice.bin").exists()


def test_one_line_for_a_missing_file(run, corpus):
    """As the workflow runs it: one clear line, no traceback, exit code 1."""
    folder = run("text-raw")
    command = [sys.executable, "-m", "scripts.tokens.encode", "--cuts", "nowhere.jsonl.gz", "--units"]
    command += ["--tokenizer", folder / "tokenizer", "--modality", flag("text-raw"), "--output", corpus / "x.bin"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "error: nowhere.jsonl.gz: no such file\n")


def test_steps_that_run_often_load_no_heavy_library():
    code = "import sys, scripts.tokens.encode, scripts.tokens.pack, scripts.tokens.stats; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "transformers", "tokenizers", "pandas", "lhotse"} & set(loaded)


def test_units_of_another_k_means_are_refused(tmp_path: Path):
    (tmp_path / "tokenizer").mkdir()
    units = str(tmp_path / "0.npz")
    save_npz(units, replace(Ragged.join(["a"], [np.zeros(3, np.uint16)]), made_by="b" * 64))
    check_units(units, str(tmp_path / "tokenizer"))
    (tmp_path / "tokenizer" / MADE_BY).write_text("b" * 64 + "\n")
    check_units(units, str(tmp_path / "tokenizer"))
    (tmp_path / "tokenizer" / MADE_BY).write_text("c" * 64 + "\n")
    with pytest.raises(
        ValueError, match=r"0\.npz: its units were made by k-means bbbbbbbbbbbb, those of .* by cccccccccccc"
    ):
        check_units(units, str(tmp_path / "tokenizer"))
