"""Words without a pronunciation: what `auto` resolves to, and what each policy would cost."""

import pytest

from scripts.alignment.config import resolved_oov
from scripts.alignment.lexicon import Dictionary
from scripts.alignment.train import oov_costs
from tests.factories.cuts import make_cut

WORDS = Dictionary({"HELLO": (("HH", "AH0"),), "WORLD": (("W", "ER1"),), "ODD": (("ZH",),)}, ["HH", "AH0", "W", "ER1"])


@pytest.mark.parametrize(
    ("oov", "source", "resolved"),
    [
        ("auto", "world", "drop"),
        ("auto", "librispeech", "guess"),
        ("auto", "manifest", "guess"),
        ("drop", "libriheavy", "drop"),
        ("noise", "world", "noise"),
    ],
)
def test_auto_drops_in_the_world_and_guesses_elsewhere(oov: str, source: str, resolved: str):
    assert resolved_oov(oov, source) == resolved


def test_the_log_says_what_every_policy_would_do():
    cuts = [make_cut("a", text="Hello, world."), make_cut("b", text="Hello Xyzzy."), make_cut("c", text="Odd Xyzzy.")]
    for cut in cuts:
        text = cut["supervisions"][0]["custom"]["texts"][0]
        cut["supervisions"][0]["custom"]["texts"] = [text, text.upper().replace(",", "").replace(".", "")]
    line = oov_costs(cuts, WORDS, "guess")
    assert "alignment.oov is guess; 2 of 3 sampled cuts (66.7%) hold a word without a pronunciation (2 words)" in line
    assert "drop leaves these cuts out" in line
    assert oov_costs(cuts[:1], WORDS, "drop") == (
        "alignment.oov is drop; every word of 1 sampled cuts has a pronunciation"
    )
