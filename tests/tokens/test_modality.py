import json
import re

import pytest

from scripts.tokens.modality import from_config, from_json, to_json

TOKENS = {"silence": "keep"}


def test_only_what_matters_reaches_the_steps():
    def steps_see(silence, **line):
        return json.loads(to_json(from_config("m", line, {"silence": silence})))

    phones = {"source": "phones", "tokenizer": "symbol"}
    assert steps_see("keep", **phones) != steps_see("drop", **phones)
    assert steps_see("keep", **phones, frame_rate=50) == steps_see("drop", **phones, frame_rate=50)
    text = {"source": "text", "tokenizer": "char"}
    assert steps_see("keep", **text) == steps_see("drop", **text) == {"name": "m", **text}


def test_survives_the_command_line():
    modality = from_config("m", {"source": "units", "tokenizer": "bpe", "vocab_size": 9, "frame_rate": 50}, TOKENS)
    assert from_json(to_json(modality)) == modality


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            {"source": "smell", "tokenizer": "char"},
            "modalities.m.source is 'smell'; it must be one of text, phones, uni",
        ),
        (
            {"source": "text", "tokenizer": "word"},
            "modalities.m.tokenizer is 'word'; it must be one of bpe, char, symbol",
        ),
        ({"source": "phones", "tokenizer": "char"}, "for source phones it must be one of bpe, symbol"),
        ({"source": "text", "tokenizer": "char", "frame_rate": 50}, "frame_rate is 50; source text has no frames"),
        ({"source": "units", "tokenizer": "symbol"}, "modalities.m.frame_rate is missing; units come at"),
        (
            {"source": "phones", "tokenizer": "symbol", "frame_rate": 0},
            "frame_rate is 0; it must be 50 or null",
        ),
        ({"source": "phones", "tokenizer": "symbol", "frame_rate": -50}, "frame_rate is -50; it must be 50"),
        (
            {"source": "phones", "tokenizer": "symbol", "frame_rate": 33},
            "frame_rate is 33; it must be 50",
        ),
        ({"source": "text", "tokenizer": "bpe"}, "modalities.m.vocab_size is missing; a bpe tokenizer"),
        ({"source": "text", "tokenizer": "bpe", "vocab_size": 0}, "vocab_size is 0; it must be at least 4"),
        (
            {"source": "text", "tokenizer": "bpe", "vocab_size": -4},
            "modalities.m.vocab_size is -4; it must be",
        ),
        (
            {"source": "text", "tokenizer": "bpe", "vocab_size": 2.5},
            "vocab_size is 2.5; it must be of type",
        ),
        ({"source": "text", "tokenizer": "bpe", "vocab_size": 65536}, "vocab_size is 65536; it must be at most 65535"),
        (
            {"source": "text", "tokenizer": "char", "vocab_size": 9},
            "vocab_size is set, but a char tokenizer takes",
        ),
        ({"source": "text", "tokenizer": "char", "deduplicate": True}, "modalities.m.deduplicate is not a known key"),
        ({"source": "text"}, "modalities.m.tokenizer is missing"),
    ],
)
def test_impossible_modalities(line, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        from_config("m", line, TOKENS)


def test_impossible_silence():
    with pytest.raises(ValueError, match=re.escape("tokens.silence is 'some'; it must be one of keep, drop")):
        from_config("m", {"source": "phones", "tokenizer": "symbol"}, {"silence": "some"})
