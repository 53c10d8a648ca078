"""A change whose sign depends on the score normalization is due to sequence lengths."""

import pytest

from scripts.common.files import write_csv
from scripts.evaluation.accuracy import ALL_NORMALIZATIONS
from scripts.evaluation.common_items import Dropped
from scripts.evaluation.config import Factor
from scripts.report import table_decisions
from scripts.report.comparison import Comparison


def decisions(folder, *, longer, lone=None):
    """Two models that are right in 30 and in 40 of 40 pairs; if `longer`, the second only by the total.

    `lone` adds one more item to the second.
    """
    for name, right in (("base", 30), ("new", 40)):
        rows = []
        for i in range(40):
            logprobs = {"logprob_positive": -10.0, "logprob_negative": -11.0 if i < right else -9.0}
            seconds = {"seconds_positive": 1.0, "seconds_negative": 2.0 if longer and name == "new" else 1.0}
            eos = {"eos_positive": -1.0, "eos_negative": -1.0}
            rows.append(
                {"id": i, "couple": i, **logprobs, **eos, "tokens_positive": 5, "tokens_negative": 5, **seconds}
            )
        rows += [{**rows[0], "id": lone, "couple": lone}] if lone and name == "new" else []
        write_csv(folder / f"t/{name}.csv", list(rows[0]), rows)
    factors = [Factor("A", "base", "new")]
    rows = table_decisions.rows(Comparison(folder, Dropped([]), factors, ["t"], 100, 1))
    write_csv(folder / "decisions.csv", table_decisions.COLUMNS, rows)
    return {row["score_normalization"]: row["change_percent"] for row in rows}, table_decisions.build_table(
        folder / "decisions.csv"
    )


def test_the_table_reports_changes_whose_sign_depends_on_the_normalization(tmp_path):
    changes, table = decisions(tmp_path, longer=False)
    assert changes == {name: pytest.approx(100 / 3, abs=1e-5) for name in ALL_NORMALIZATIONS}
    assert "No sign of a change depends on the normalization" in table.notes[0]
    changes, table = decisions(tmp_path, longer=True)
    assert changes["total"] == pytest.approx(100 / 3, abs=1e-5)
    assert changes["per_second"] == -100.0
    assert [row[2] for row in table.rows] == [
        "total log-probability", "log-probability per token", "log-probability per second of speech",
        "total log-probability, EOS left out", "log-probability per token, EOS left out",
        "log-probability per second of speech, EOS left out",
    ]  # fmt: skip
    assert "The sign of A on T depends on the normalization" in table.notes[0]


def test_modalities_scored_on_other_items_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"t/new\.csv: holds other items than its task's other files"):
        decisions(tmp_path, longer=False, lone="more")
