"""The tables of exposures and of reach: every row of evaluation in the csv, thresholds as text elsewhere."""

import pytest

from scripts.common.files import read_csv
from scripts.report import table_exposures, table_reach
from scripts.report.render import NO_VALUE

TABLES = [(table_exposures, "exposures", "No task has exposures."), (table_reach, "reach", "No task has distances.")]


@pytest.mark.parametrize(("module", "name", "nothing"), TABLES)
def test_the_csv_is_that_of_evaluation(results, call, tmp_path, module, name, nothing):
    path = results / f"evaluation/{name}.csv"
    call(module, f"--{name}", path, "--output", tmp_path)
    assert (tmp_path / f"{name}.csv").read_bytes() == path.read_bytes()
    assert {p.suffix for p in tmp_path.glob(f"{name}.*")} == {".csv", ".md", ".tex", ".html"}
    assert nothing not in (tmp_path / f"{name}.md").read_text()


@pytest.mark.parametrize(("module", "name", "nothing"), TABLES)
def test_a_table_without_rows_says_why(results, call, tmp_path, module, name, nothing):
    path = results / f"evaluation/{name}.csv"
    path.write_text(path.read_text().splitlines()[0] + "\n")
    call(module, f"--{name}", path, "--output", tmp_path)
    assert nothing in (tmp_path / f"{name}.md").read_text()


@pytest.mark.parametrize(("module", "name", "nothing"), TABLES)
def test_a_damaged_table_is_named(results, call, tmp_path, module, name, nothing):
    path = results / f"evaluation/{name}.csv"
    path.write_text(path.read_text().replace("quantity", "amount", 1))
    with pytest.raises(ValueError, match=rf"{name}\.csv: no column 'quantity'"):
        call(module, f"--{name}", path, "--output", tmp_path)
    assert not list(tmp_path.glob(f"{name}.*"))


def test_exposures_show_shares_thresholds_and_ratios(results):
    found = read_csv(results / "evaluation/exposures.csv")
    table = table_exposures.build_table(results / "evaluation/exposures.csv")
    assert [column.name for column in table.columns[3:-1]] == ["1", "4", "16", "64", "256"]
    rows = {(row[0], row[2]): row for row in table.rows}
    expected = {row["modality"]: row for row in found if (row["measure"], row["quantity"]) == ("accuracy", "threshold")}
    assert rows["Phone-Raw", "pairs"][-1] == expected["phone-raw"]["text"]
    ratio = rows["B: Phone-Raw → Phone-Repeat", "couples"]
    assert ratio[-1].startswith("× ")
    assert set(ratio[3:-1]) == {""}


def test_reach_has_a_column_per_octave_and_the_attractors_apart(results):
    table = table_reach.build_table(results / "evaluation/reach.csv")
    assert [column.name for column in table.columns[3:9]] == ["1", "2", "3–4", "5–8", "9–16", "17–32"]
    assert [column.name for column in table.columns[9:]] == ["across an attractor", "words", "seconds"]
    assert all(row[9] != NO_VALUE for row in table.rows)
    assert {row[1] for row in table.rows} == {"sBLIMP", "Topic-SC"}
