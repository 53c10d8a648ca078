"""Other systems' scores in, submissions out: both by id, both complete, every fault named by file and line."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from scripts.common.files import read_csv, write_csv, write_jsonl
from scripts.evaluation import external_systems, submission, summary
from scripts.evaluation.config import Summarising
from scripts.evaluation.score_rows import COLUMNS
from tests.corpus.published.testsets import LEXICAL, SYNTACTIC, sentence_row, word_row, write_gold
from tests.evaluation.conftest import item

SCORES = {
    "a-speaker-0-positive": -1.5,
    "a-speaker-0-negative": -2.5,
    "b-speaker-0-positive": -4.0,
    "b-speaker-0-negative": -4.0,
}


def as_csv(path: Path, scores: dict[str, float]) -> Path:
    write_csv(path, ["extra", "score", "id"], [{"extra": "", "id": f"{n}.wav", "score": s} for n, s in scores.items()])
    return path


def as_jsonl(path: Path, scores: dict[str, float]) -> Path:
    write_jsonl(path, [{"id": name, "score": score} for name, score in scores.items()])
    return path


def as_text(path: Path, scores: dict[str, float]) -> Path:
    path.write_text("".join(f"{name} {score}\n" for name, score in reversed(scores.items())))
    return path


def as_tabs(path: Path, scores: dict[str, float]) -> Path:
    path.write_text("id\tScore\r\n" + "".join(f"{name}.wav\t{score}\r\n" for name, score in scores.items()))
    return path


def as_spaces(path: Path, scores: dict[str, float]) -> Path:
    path.write_text("filename score\n" + "".join(f"{name}   {score}\n" for name, score in scores.items()))
    return path


def as_tsv(path: Path, scores: dict[str, float]) -> Path:
    path.write_text("score\tid\n" + "".join(f"{score}\t{name}\n" for name, score in scores.items()))
    return path


@pytest.fixture
def items(tmp_path: Path) -> Path:
    write_jsonl(tmp_path / "toy.jsonl.gz", [item("a"), item("b")])
    return tmp_path / "toy.jsonl.gz"


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("s.csv", as_csv),
        ("s.jsonl.gz", as_jsonl),
        ("s.txt", as_text),
        ("s.txt", as_tabs),
        ("scores", as_spaces),
        ("s.tsv", as_tsv),
        ("s.csv", as_tsv),
        ("S.CSV", as_csv),
        ("S.JSONL", as_jsonl),
    ],
)
def test_another_systems_scores_become_rows_like_ours(
    tmp_path: Path, run_step: Callable, items: Path, name: str, write: Callable
) -> None:
    path = write(tmp_path / name, {**SCORES, "never-asked": -1.0})
    run_step(external_systems.main, "--scores", path, "--items", items, "--out", tmp_path / "toy/theirs.csv")
    rows = read_csv(tmp_path / "toy/theirs.csv")
    assert list(rows[0]) == list(COLUMNS)
    assert [(row["id"], row["correct"]) for row in rows] == [("a", "1"), ("b", "0.5")]
    assert float(rows[0]["logprob_negative"]) == -2.5
    # How the score was normalised is not known, so no other decision is made from it.
    assert set(summary.accuracies(rows, Summarising(50, "total"), 1)) == {"accuracy", "chance"}


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("s.txt", "a -1\nb nan\n", "s.txt:2: the score of b is 'nan'; it must be a finite number"),
        ("s.txt", "a -1\nb inf\n", "s.txt:2: the score of b is 'inf'"),
        ("s.txt", "a -1\nb much\n", "s.txt:2: the score of b is 'much'"),
        ("s.txt", "a -1\na -2\n", "s.txt:2: a is scored twice"),
        ("s.txt", "-1\n", "s.txt:1: has no id"),
        ("s.txt", "\n", "holds no scores"),
        ("s.csv", "id,points\na,1\n", "has no column score; it has id, points"),
        ("s.csv", "score,id\n-2,\n", "s.csv:2: has no id"),
        ("s.csv", "score,id\n-2\n", "s.csv:2: has 1 cells, the header 2"),
        ("s.csv", 'id,score\na,"-2\nb,"-1\n', "s.csv:2: the score of a is '\"-2'"),
        ("s.txt", "filename logprob\na -1\n", "s.txt:1: the score of filename is 'logprob'"),
        ("s.txt", "id,score\na,-1\n", "s.txt:1: has no id or no score; expected both with a space or tab between"),
        ("s.txt", "a\t\n", "s.txt:1: has no id or no score"),
        ("s.jsonl", '{"id": "a", "score": 1%s}\n' % ("0" * 400), "the score of a is 1000"),
        ("s.txt", "version https://git-lfs.github.com/spec/v1\n", "s.txt: is a pointer of Git LFS"),
        ("s.csv", "id,score\n\xe9,-2\n", "s.csv: not UTF-8 text"),
        ("s.txt", "\xe9 -2\n", "s.txt: not UTF-8 text"),
        ("s.jsonl", '{"id": "a"}\n', "s.jsonl:1: has no score; expected id and score, found id"),
        ("s.jsonl", '\n{"id": "a", "score": null}\n', "s.jsonl:2: the score of a is None"),
        ("s.jsonl", '{"id": null, "score": -1}\n', "s.jsonl:1: has no id"),
        ("s.txt", "a-speaker-0-positive -1\n", "has no score for 'a-speaker-0-negative' (3 of 4 missing)"),
    ],
)
def test_a_score_file_that_cannot_be_used_is_refused(
    tmp_path: Path, run_step: Callable, items: Path, name: str, content: str, says: str
) -> None:
    (tmp_path / name).write_text(content, encoding="latin-1")
    with pytest.raises(ValueError, match=re.escape(says)):
        run_step(external_systems.main, "--scores", tmp_path / name, "--items", items, "--out", tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def part(folder: Path, kind: str, pairs: list[tuple[str, str, str, str]]) -> str:
    """One of the submission's files: items and scores of (id, voice, positive file, negative file)."""
    lines, rows = [], []
    for at, (name, voice, positive, negative) in enumerate(pairs):
        line = item(name, voice)
        line["positive"]["id"], line["negative"]["id"] = positive, negative
        lines.append(line)
        logprobs = {"logprob_positive": -1.0 - at, "logprob_negative": -10.0 - at}
        counts = {"tokens_positive": 2, "tokens_negative": 4, "seconds_positive": 1.0, "seconds_negative": 5.0}
        rows.append(
            {"id": name, "voice": voice, "subset": "", "group": "", **logprobs, **counts, "correct": 1, "dropped": ""}
        )
    write_jsonl(folder / f"{kind}.jsonl.gz", lines)
    write_csv(folder / f"{kind}.csv", COLUMNS, rows)
    paths = {"folder": folder / "slm21", "items": folder / f"{kind}.jsonl.gz", "scores": folder / f"{kind}.csv"}
    return json.dumps({"kind": kind, "split": "dev", **{key: str(path) for key, path in paths.items()}})


META = {"author": "A. Nyone", "affiliation": "B", "description": "an LM", "open_source": True, "train_set": "C",
        "gpu_budget": 2.5}  # fmt: skip


@pytest.mark.parametrize(
    ("score_normalization", "first", "lowest"),
    [("total", -1.0, -11.0), ("per_token", -0.5, -2.75), ("per_second", -1.0, -2.2)],
)
def test_a_submission_has_a_line_for_every_sound_file(
    tmp_path: Path, run_step: Callable, score_normalization: str, first: float, lowest: float
) -> None:
    words = [word_row(i, voice, side) for i in (1, 2) for voice in ("A", "B") for side in (0, 1)]
    write_gold(tmp_path / "slm21/x/lexical/dev", LEXICAL, words)
    sentences = [sentence_row(1, "A", s, side) for s in ("p", "q") for side in (0, 1)]
    write_gold(tmp_path / "slm21/x/syntactic/dev", SYNTACTIC, sentences)
    # Pair 2 of the words was dropped in voice B; one file of it stands in the other voice.
    lexical = part(tmp_path, "lexical", [("1", "A", "w1xA", "n1xA"), ("1", "B", "w1xB", "n1xB")])
    syntactic = part(
        tmp_path, "syntactic", [("agreement/p/1", "A", "p1Ag", "p1Ab"), ("agreement/q/1", "A", "q1Ag", "q1Ab")]
    )
    run_step(
        submission.main,
        *("--modality", "phone-raw", "--parts", lexical, syntactic, "--score-normalization", score_normalization),
        *("--meta", json.dumps(META), "--out", tmp_path / "out"),
    )
    written = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")}
    assert written == {"lexical/dev.txt", "syntactic/dev.txt", "meta.yaml", "params.yaml"}
    scores = [line.split(" ") for line in (tmp_path / "out/lexical/dev.txt").read_text().splitlines()]
    assert [name for name, _ in scores] == sorted(str(row["filename"]) for row in words)  # as the validator wants
    known = {name: float(score) for name, score in scores}
    assert known["w1xA"] == first
    assert {known[name] for name in ("w2xA", "n2xA", "w2xB", "n2xB")} == {lowest}  # ties
    meta = yaml.safe_load((tmp_path / "out/meta.yaml").read_text())
    assert set(meta) == {*META, "parameters"}
    assert "lexical/dev: 4 of 8 files without a score of their own" in meta["description"]
    assert isinstance(meta["gpu_budget"], float)
    assert set(meta["parameters"]) == {"phonetic", "semantic"}
