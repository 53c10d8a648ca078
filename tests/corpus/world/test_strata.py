from collections import Counter

import pytest

from scripts.corpus.world import syntax_pairs, topic_pairs
from scripts.corpus.world.strata import draw_couples, turns

SHARES = {"near": 0.5, "middle": 0.3, "far": 0.2}


def test_every_share_is_kept_in_every_beginning():
    names = list(turns(SHARES, 1000))
    for count in range(1, 1001):
        found = Counter(names[:count])
        assert all(abs(found[name] - share * count) < 1.5 for name, share in SHARES.items())
    assert Counter(names) == {"near": 500, "middle": 300, "far": 200}
    assert list(turns(SHARES, 7)) == names[:7]


def test_shares_need_not_sum_to_one():
    assert Counter(turns({"a": 3, "b": 1}, 8)) == {"a": 6, "b": 2}


@pytest.mark.parametrize(("shares", "pairs"), [(syntax_pairs.SHARES, 10), (topic_pairs.SHARES, 6)])
def test_the_fewest_pairs_hold_every_stratum(shares, pairs):
    strata = {name.split("/")[0] for name in shares}
    assert {name.split("/")[0] for name in turns(shares, pairs // 2)} == strata


def test_a_stratum_that_runs_out_is_named_with_the_most_that_can_be_drawn():
    left = {"near": 100, "middle": 100, "far": 3}

    def draw(name: str) -> int | None:
        left[name] -= 1
        return left[name] if left[name] >= 0 else None

    with pytest.raises(ValueError, match=r".") as error:
        draw_couples("sblimp", 100, SHARES, draw)
    message = str(error.value)
    assert "corpus.world.tasks.sblimp.pairs is 100: the world gives only 3 couples of the stratum far" in message
    most = int(message.split("at most ")[1].split()[0])
    left = {"near": 100, "middle": 100, "far": 3}
    assert len(draw_couples("sblimp", most, SHARES, draw)) == most // 2
    left = {"near": 100, "middle": 100, "far": 3}
    with pytest.raises(ValueError, match="far"):
        draw_couples("sblimp", most + 2, SHARES, draw)
