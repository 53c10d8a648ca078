"""Groups and subsets get their own accuracy; a label that all items share gets none."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.common.files import read_csv, write_csv
from scripts.evaluation import common_items, groups

ROWS = """id,voice,couple,subset,group,correct
a,v0,a,in-vocabulary,1-5,1
a,v1,a,in-vocabulary,1-5,0
b,v0,b,in-vocabulary,6-20,1
c,v0,c,oov,oov,0
d,v0,d,oov,oov,1
"""


def test_bands_stand_in_their_order() -> None:
    assert sorted(["21-100", ">100", "6-20", "oov", "1-5"], key=groups.sort_key) == [
        "oov",
        "1-5",
        "6-20",
        "21-100",
        ">100",
    ]
    assert sorted(["tense", "10-phones", "anaphor", "9-phones"], key=groups.sort_key) == [
        "anaphor", "tense", "9-phones", "10-phones",
    ]  # fmt: skip


def test_groups(tmp_path: Path, run_step: Callable) -> None:
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy/m.csv").write_text(ROWS)
    (tmp_path / "toy/k.csv").write_text(ROWS.replace("in-vocabulary", "all").replace("oov,oov", "all,oov"))
    flags = ["--scores", tmp_path / "toy/m.csv", tmp_path / "toy/k.csv", "--out", tmp_path / "g.csv", "--seed", 1]
    left = {"task": "toy", "id": "d", "modality": "k", "reason": "no-tokens"}
    write_csv(tmp_path / "dropped.csv", common_items.COLUMNS, [left])
    flags += ["--dropped", tmp_path / "dropped.csv"]
    run_step(groups.main, *flags, "--config", json.dumps({"bootstrap_samples": 20}))
    rows = {(r["modality"], r["by"], r["name"]): (float(r["value"]), r["n"]) for r in read_csv(tmp_path / "g.csv")}
    assert rows == {
        ("m", "subset", "in-vocabulary"): (pytest.approx(0.75), "2"),
        ("m", "subset", "oov"): (0.0, "1"),
        **{
            (modality, "group", name): value
            for modality in ("m", "k")
            for name, value in (("1-5", (0.5, "1")), ("6-20", (1.0, "1")), ("oov", (0.0, "1")))
        },
    }
