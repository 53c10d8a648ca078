"""Our accuracy equals the ZeroSpeech 2021 scoring, implemented independently with pandas from its description.

Its lexical scorer merges word and non-word rows on (id, voice), gives 1, 0 or 0.5 per pair and voice,
averages voices within a pair, then pairs; per frequency band the same within the band.
"""

import numpy as np
import pandas as pd
import pytest

from scripts.corpus.published.slm21 import band
from scripts.evaluation.accuracy import by_item, decide_sides


def zerospeech(gold: pd.DataFrame, submission: pd.DataFrame) -> tuple[float, pd.Series]:
    """Overall accuracy and accuracy by band of a submission of (filename, score)."""
    data = gold.merge(submission, on="filename", validate="one_to_one")
    sides = [data[data["correct"] == side].drop(columns=["correct", "filename"]) for side in (1, 0)]
    pairs = sides[0].merge(sides[1], on=["id", "voice", "frequency"], suffixes=("", "_non"), validate="one_to_one")
    difference = pairs["score"] - pairs["score_non"]
    pairs["won"] = np.select([difference > 0, difference < 0], [1.0, 0.0], 0.5)
    by_pair = pairs.groupby(["id", "frequency"])["won"].mean().reset_index()
    return by_pair["won"].mean(), by_pair.groupby("frequency")["won"].mean()


@pytest.mark.parametrize("seed", range(5))
def test_equal_on_random_scores(seed: int) -> None:
    rng = np.random.default_rng(seed)
    gold, items = [], []
    for pair in range(80):
        band = str(rng.choice(["oov", "1-5", "6-20"]))
        for voice in rng.permutation(4)[: rng.integers(1, 5)]:  # voices in unequal numbers
            names = {1: f"w{pair}_{voice}", 0: f"n{pair}_{voice}"}
            gold += [
                {"id": pair, "filename": name, "voice": f"v{voice}", "frequency": band, "correct": side}
                for side, name in names.items()
            ]
            items.append({"id": f"p{pair}", "group": band, "positive": {"id": names[1]}, "negative": {"id": names[0]}})
    table = pd.DataFrame(gold).sample(frac=1, random_state=seed)
    scores = rng.integers(-6, 0, len(table)).astype(float)  # few values: many ties
    overall, bands = zerospeech(table, pd.DataFrame({"filename": table["filename"], "score": scores}))

    correct = decide_sides(items, dict(zip(table["filename"], scores, strict=True)))
    assert 0.5 in correct
    ids = [item["id"] for item in items]
    assert by_item(ids, correct).mean() == pytest.approx(overall, abs=1e-12)
    groups = np.array([item["group"] for item in items])
    for band, expected in bands.items():
        own = groups == band
        ours = by_item([name for name, inside in zip(ids, own, strict=True) if inside], correct[own]).mean()
        assert ours == pytest.approx(expected, abs=1e-12)


def test_bands_are_cut_where_the_scorer_cuts_them() -> None:
    frequencies = pd.Series([0, 1, 4, 5, 6, 19, 20, 21, 99, 100, 101, 5000])
    edges, labels = [0, 1, 5, 20, 100, float("inf")], ["oov", "1-5", "6-20", "21-100", ">100"]
    expected = pd.cut(frequencies, edges, labels=labels, right=False)
    assert [band(str(frequency)) for frequency in frequencies] == expected.tolist()


def test_sentences_count_per_type_subtype_and_id_by_hand() -> None:
    """Two subtypes with the same id, one of them in two voices: three rows, two items."""
    rows = [("agr/plain/1", "A", 1.0, 0.0), ("agr/plain/1", "B", 0.0, 1.0), ("agr/far/1", "A", 2.0, 2.0)]
    items = [{"id": name, "positive": {"id": f"{name}{v}g"}, "negative": {"id": f"{name}{v}b"}} for name, v, *_ in rows]
    scores = {f"{name}{v}{side}": score for name, v, *both in rows for side, score in zip("gb", both, strict=True)}
    correct = decide_sides(items, scores)
    assert correct.tolist() == [1.0, 0.0, 0.5]
    assert by_item([item["id"] for item in items], correct).mean() == 0.5  # (0.5 + 0.5) / 2, not 1.5 / 3 by luck alone
    assert by_item(["x", "x", "y"], np.array([1.0, 1.0, 0.0])).mean() == 0.5  # where rows alone would say 2 / 3
