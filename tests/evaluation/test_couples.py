"""The interaction score by hand, its ties and voices, and what it cancels out."""

import numpy as np
import pytest

from scripts.evaluation.couples import decide_couples
from scripts.evaluation.score_rows import COLUMNS, Row, score_row


def row(name: str, couple: str, positive: float, *negative: float, voice: str = "v", tokens: int = 1) -> Row:
    key = (name, voice, "all", "g", couple, "", "", "")
    return score_row(key, {"logprob": [positive, *negative], "tokens": [tokens] * (1 + len(negative))})


def test_a_couple_is_right_if_its_differences_add_up_to_more_than_zero() -> None:
    rows = [
        *(row("ra", "right", -1.0, -5.0), row("rb", "right", -4.0, -2.0)),  # 4 - 2: one pair of two, but together right
        *(row("wa", "wrong", -1.0, -2.0), row("wb", "wrong", -4.0, -2.0)),
        *(row("ta", "tie", -1.0, -2.0), row("tb", "tie", -2.0, -1.0)),
    ]
    names, scores = decide_couples(rows, "total")
    assert dict(zip(names, scores.tolist(), strict=True)) == {"right": 1.0, "tie": 0.5, "wrong": 0.0}
    assert names == sorted(names)


def test_the_normalization_decides() -> None:
    rows = [row("a", "x", -2.0, -6.0, tokens=8), row("b", "x", -4.0, -2.0, tokens=2)]
    assert decide_couples(rows, "total")[1].tolist() == [1.0]  # 4 - 2
    assert decide_couples(rows, "per_token")[1].tolist() == [0.0]  # 0.5 - 1


def test_each_voice_decides_then_the_mean() -> None:
    rows = [
        *(row("a", "x", -1.0, -2.0, voice="v"), row("b", "x", -1.0, -2.0, voice="v")),
        *(row("a", "x", -9.0, -2.0, voice="w"), row("b", "x", -1.0, -2.0, voice="w")),
        row("a", "x", -1.0, -9.0, voice="of-one-pair-only"),
    ]
    assert decide_couples(rows, "total")[1].tolist() == [0.5]


def test_other_couples_have_no_interaction_score() -> None:
    single = [row("a", "a", -1.0, -2.0), {**dict.fromkeys(COLUMNS, ""), "id": "b"}]  # the second could not be scored
    three = [row(name, "three", -1.0, -2.0) for name in ("a", "b", "c")]
    choices = [row("c", "choice", -1.0, -2.0, -3.0), row("d", "choice", -1.0, -2.0)]
    alone = [row("e", "alone", -1.0, -2.0, voice="v"), row("e", "alone", -1.0, -2.0, voice="w")]
    alone.append(row("f", "alone", -1.0, -2.0, voice="x"))
    assert decide_couples([*single, *three, *choices, *alone], "total")[0] == []


def test_contexts_of_two_speakers_decide_together() -> None:
    """Recorded speech has each context once, by its own speaker."""
    rows = [row("e", "apart", -1.0, -5.0, voice="v"), row("f", "apart", -4.0, -2.0, voice="w")]
    assert decide_couples(rows, "total")[1].tolist() == [1.0]


def test_a_preference_for_one_side_cancels_out() -> None:
    """Pairs A over B in one context, B over A in the other; the model prefers A by 3 nats wherever it is."""
    rng = np.random.default_rng(0)
    rows = []
    for couple, knows in enumerate(rng.normal(0.5, 0.5, 200)):
        contexts = rng.normal(0, 5, 2)
        rows.append(row(f"{couple}a", str(couple), contexts[0] + 3 + knows, contexts[0]))
        rows.append(row(f"{couple}b", str(couple), contexts[1] + knows, contexts[1] + 3))
    pairs = np.mean([float(each["logprob_positive"]) > float(each["logprob_negative"]) for each in rows])
    assert pairs == pytest.approx(0.5, abs=0.01)
    _, scores = decide_couples(rows, "total")
    assert scores.mean() == pytest.approx(0.84, abs=0.06)  # the share of a normal 0.5 +- 0.5 above 0
