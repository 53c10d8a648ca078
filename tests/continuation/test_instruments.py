"""Which numbers of continuations are results, given the errors of recogniser and judge."""

import pytest

from scripts.continuation.config import Limits
from scripts.continuation.instruments import judge_failure, measurable, recogniser_failure

LIMITS = Limits(max_recogniser_error=0.3, max_judge_perplexity=1000.0)


def errors(held_out: float, copied: float) -> list[dict[str, str]]:
    """Rows of recogniser.csv; random words and resynthesised modalities do not count."""
    rates = {"held-out": held_out, "copied": copied, "random-words": 0.99, "phone-raw": 0.99}
    return [{"speech": speech, "word_error_rate": str(rate)} for speech, rate in rates.items()]


def test_a_recogniser_at_the_limit_works():
    assert recogniser_failure(errors(0.3, 0.3), LIMITS) == ""


def test_a_recogniser_fails_on_held_out_speech_or_on_its_copy():
    assert "91% on held-out speech and 95% on its copy" in recogniser_failure(errors(0.91, 0.95), LIMITS)
    assert "rate is 91% on held-out speech, more than 30%" in recogniser_failure(errors(0.91, 0.2), LIMITS)
    assert "rate is 31% on its copy through the vocoder, more" in recogniser_failure(errors(0.1, 0.31), LIMITS)


def test_a_judge_fails_above_its_perplexity_per_word():
    assert judge_failure({"word_perplexity": "1000.0"}, LIMITS) == ""
    assert "is 10,600 per word, more than 1,000" in judge_failure({"word_perplexity": "10600.2"}, LIMITS)
    assert "is inf per word" in judge_failure({"word_perplexity": "inf"}, LIMITS)


@pytest.mark.parametrize(
    ("metric", "spoken", "reason"),
    [
        ("perplexity_median", True, "deaf; unread"),
        ("perplexity_median", False, "unread"),
        ("words", True, "deaf"),
        ("words", False, "yes"),
        ("silence", True, "yes"),
    ],
)
def test_a_metric_depends_on_the_instruments_that_make_it(metric: str, spoken: bool, reason: str):
    assert measurable(metric, spoken=spoken, recogniser="deaf", judge="unread") == reason
    assert measurable(metric, spoken=spoken, recogniser="", judge="") == "yes"
