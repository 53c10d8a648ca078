"""The sentences of the summary page: what each factor costs, how that was tested, which scores are weak."""

import shutil

import pandas as pd
import pytest

from scripts.report import findings, summary_page
from tests.report.commands import ABOUT, PAPER, chain_of


def page(written, **changed):
    about = summary_page.About(**{**ABOUT, **changed})
    paper = summary_page.read_paper(PAPER)
    return summary_page.body(about, written, paper, chain=chain_of(written), with_bits=True)


def test_summary_states_the_cost_of_each_factor(written):
    text = page(written)
    assert "The cost of each factor" in text
    assert (
        "Factor B (longer sequences, every phone repeated for as long as it lasts), Phone-Raw → Phone-Repeat, costs"
        " sBLIMP 26.2% (22.0 points, 95% interval" in text
    )
    assert ") the same within 10 points" in text
    assert "Models of seed 1 are compared on the same items (sWUGGY 300, sBLIMP 300, Topic-SC 300)" in text
    assert "correction for 12 comparisons. " in text
    assert "of 12 cells are measurable" in text
    assert "of the paper&#x27;s" in text or "have the sign of the paper" in text
    assert "Not shown to be above chance, 50% (paired randomisation of couples" in text
    assert "Speech-HuBERT on sBLIMP (54.0%, 95% interval 48.4 to 59.6, 300 items)" in text
    assert "Phone-Repeat on sBLIMP (+4.8 points" in text
    assert "hold the training seed, the corpus and the length of training fixed" in text
    assert "largest" not in text
    assert "2 by alignment (oov)" in text


def test_bits_come_first_where_every_baseline_is_at_chance(written, tmp_path):
    def first_part(tables):
        paper = summary_page.read_paper(PAPER)
        return summary_page.answer(
            summary_page.About(**ABOUT), tables, chain_of(written), paper, with_bits=True
        ).partition("Where to go next")

    before, _, after = first_part(written)
    assert "points on" in before
    assert summary_page.CHAIN_LABEL in before
    assert summary_page.BITS_LABEL in after
    tables = shutil.copytree(written, tmp_path / "tables")
    factors = pd.read_csv(tables / "factors.csv")
    factors.assign(measurable="the baseline is not above chance").to_csv(tables / "factors.csv", index=False)
    before, _, after = first_part(tables)
    assert "bits per second of speech (" in before
    assert "points on" not in before
    assert summary_page.BITS_LABEL in before
    assert summary_page.CHAIN_LABEL in after


def test_summary_states_the_policy_on_isolated_words(written):
    assert "No word was spoken alone in training" in page(written)
    assert "Words were also spoken alone in training" in page(written, isolated_words=3)
    assert "the user&#x27;s own" not in page(written)
    assert "own; no word was added" in page(written, source="manifest")


def test_summary_says_whether_all_models_had_the_same_passes(written):
    assert "each trained 8 epochs on" in page(written)
    assert "the same number of times" in page(written)
    stopped = page(written, patience=5)
    assert "each trained up to 8 epochs on" in stopped
    assert "the same number of times" not in stopped
    assert "the number of passes differs" in stopped


ROW = {"task": "sblimp", "change_percent": -5.0, "change_points": -4.0, "points_ci_low": -9.0, "points_ci_high": 1.0,
       "smallest_effect": 7.0, "measurable": "yes", "p_holm": 0.3, "p_equivalence_holm": 0.3}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({}, "shows no difference on sBLIMP (−4.0 points, 95% interval −9.0 to +1.0; could show 7.0 points or more)"),
        ({"p_holm": 0.01}, "costs sBLIMP 5.0% (4.0 points, 95% interval −1.0 to 9.0)"),
        ({"p_equivalence_holm": 0.01},
         "leaves sBLIMP (−4.0 points, 95% interval −9.0 to +1.0) the same within 10 points"),
        ({"p_holm": 0.01, "change_points": 4.0, "points_ci_low": 1.0, "points_ci_high": 7.0},
         "improves sBLIMP 5.0% (4.0 points, 95% interval 1.0 to 7.0)"),
        ({"measurable": "the baseline is not above chance", "p_holm": 0.01, "p_equivalence_holm": 0.01},
         "is not measurable on sBLIMP, where the baseline is not above chance"),
    ],
)  # fmt: skip
def test_a_sentence_claims_what_a_corrected_test_shows(changed, sentence):
    assert findings.changes([{**ROW, **changed}]) == sentence


def test_the_paper_is_called_the_same_only_where_that_is_shown():
    paper = summary_page.read_paper(PAPER)
    ours = {"factor": "B", "baseline": "phone-raw", "modality": "phone-repeat", "p_holm": 0.001}
    theirs = paper.accuracy("phone-repeat", "sblimp") - paper.accuracy("phone-raw", "sblimp")
    same = {**ROW, **ours, "change_points": theirs + 1, "smallest_effect": 5.0}
    for change, cells in (
        ({}, 1),
        ({"smallest_effect": 30.0}, 0),
        ({"change_points": theirs + 5, "smallest_effect": 14.0}, 0),
    ):
        sentences = findings.beside_paper(pd.DataFrame([{**same, **change}]), paper)
        assert sentences[0] == "Of our 1 changes that are shown, 1 have the sign of the paper's."
        assert f"the same as the paper's within 10 points in {cells} of 1 cells" in sentences[1]


def score(modality, task, value, p_chance, p_baseline=None, over=0.0):
    """Rows of results.csv of one score."""
    rows = {"accuracy": value, "chance": 0.5, "p_above_chance": p_chance}
    rows |= {"over_best_baseline": over, "p_over_best_baseline": p_baseline} if p_baseline is not None else {}
    return [{"modality": modality, "task": task, "metric": metric, "value": number, "ci_low": 0.4, "ci_high": 0.9,
             "n": 40.0} for metric, number in rows.items()]  # fmt: skip


def test_weak_scores_are_those_that_no_corrected_test_shows():
    scored = [
        *score("text-raw", "t", 0.7, 0.001, 0.001, 9.0),
        *score("phone-raw", "t", 0.6, 0.04, 0.001, 9.0),  # 0.04 by itself, 0.08 corrected
        *score("phone-bpe", "t", 0.3, 0.001, 0.001, 9.0),  # below chance
        *score("text-bpe", "t", 0.7, 0.001, 0.001, -9.0),
        *score("their-slm", "t", 0.7, 0.04),
    ]
    at_chance, no_gain = findings.weak_scores(pd.DataFrame(scored))
    assert at_chance.endswith(
        "correction for 5 scores): Phone-Raw on T (60.0%, 95% interval 40.0 to 90.0, 40 items), Phone-BPE on T (30.0%,"
        " 95% interval 40.0 to 90.0, 40 items) and Their-Slm on T (70.0%, 95% interval 40.0 to 90.0, 40 items)."
    )
    assert "correction for 4 scores): Text-BPE on T (−9.0 points, 95% interval" in no_gain
    (every,) = findings.weak_scores(pd.DataFrame(score("text-raw", "t", 0.7, 0.001, 0.001, 9.0)))
    assert every.startswith("Every score is shown to be above chance")
