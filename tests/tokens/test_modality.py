import json
import re
from pathlib import Path

import pytest
import yaml

from scripts.common.config import read
from scripts.project.check import check
from scripts.tokens.config import ModalityEntry, problems
from scripts.tokens.modality import from_config, from_json, to_json
from tests.plan.conftest import MINI, merged

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
            "frame_rate is 0; it must be greater than 0",
        ),
        ({"source": "phones", "tokenizer": "symbol", "frame_rate": -50}, "frame_rate is -50; it must be gr"),
        (
            {"source": "phones", "tokenizer": "symbol", "frame_rate": 33},
            "m.frame_rate is 33; 16000 samples per second make no whole number of samples per frame of it; rates in use"
            " are 12.5, 25, 50 and 100",
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
        (
            {"source": "text", "tokenizer": "char", "repeats": "drop"},
            "m.repeats is 'drop'; it can be said of phones with frame_rate and of units with frame_rate only",
        ),
        (
            {"source": "phones", "tokenizer": "symbol", "durations": "mean"},
            "modalities.m.durations is 'mean'; it can be said of phones with frame_rate only",
        ),
        (
            {"source": "phones", "tokenizer": "symbol", "frame_rate": 50, "durations": "long"},
            "m.durations is 'long'; it must be one of aligned, mean, shuffled or integer",
        ),
        (
            {"source": "phones", "tokenizer": "symbol", "frame_rate": 50, "durations": 0},
            "durations is 0; it must be at l",
        ),
        (
            {"source": "phones", "tokenizer": "symbol", "frame_rate": 50, "durations": 2, "repeats": "drop"},
            "m.durations is 2, but repeats: drop leaves no durations; set one of the two",
        ),
        ({"source": "phones", "tokenizer": "symbol", "noise": 1.0}, "m.noise is 1.0; it must be less than 1"),
        ({"source": "phones", "tokenizer": "symbol", "noise": "some"}, "m.noise is 'some'; it must be units or number"),
        (
            {"source": "phones", "tokenizer": "symbol", "frame_rate": 50, "noise_per": "frame"},
            "m.noise_per is 'frame', but there is no noise; set noise, or leave it out",
        ),
        (
            {"source": "phones", "tokenizer": "symbol", "noise": 0.1, "noise_per": "frame"},
            "m.noise_per is 'frame'; it can be said of phones with frame_rate only",
        ),
        (
            {"source": "units", "tokenizer": "symbol", "frame_rate": 50, "noise": 0.1},
            "m.noise is 0.1; it can be said of phones without frame_rate and of phones with frame_rate only",
        ),
        (
            {"source": "units", "tokenizer": "symbol", "frame_rate": 50, "stress": "drop"},
            "m.stress is 'drop', but units have no stress; set relabel: majority-phone, or leave it out",
        ),
        (
            {"source": "phones", "tokenizer": "symbol", "relabel": "majority-phone"},
            "m.relabel is 'majority-phone'; it can be said of units with frame_rate only",
        ),
        (
            {"source": "phones", "tokenizer": "symbol", "case": "drop"},
            "m.case is 'drop'; it can be said of text without",
        ),
        (
            {"source": "phones", "tokenizer": "symbol", "frame_rate": 50, "word_boundaries": "keep"},
            "m.word_boundaries is 'keep'; it can be said of phones without frame_rate only",
        ),
    ],
)
def test_impossible_modalities(line, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        from_config("m", line, TOKENS)


def test_impossible_silence():
    with pytest.raises(ValueError, match=re.escape("tokens.silence is 'some'; it must be one of keep, drop")):
        from_config("m", {"source": "phones", "tokenizer": "symbol"}, {"silence": "some"})


def test_units_slower_than_their_clock():
    units = {"source": "units", "tokenizer": "symbol"}
    lines = {f"u{i}": read(ModalityEntry, {**units, "frame_rate": rate})[0] for i, rate in enumerate((12.5, 25, 50))}
    assert not list(problems(lines, 50))
    (problem,) = problems({"m": read(ModalityEntry, {**units, "frame_rate": 40})[0]}, 50)
    assert problem == (
        "modalities.m.frame_rate is 40; units come at units.frame_rate = 50, of which every second or fourth may be"
        " taken: 50, 25 or 12.5"
    )


def test_the_seed_reaches_only_what_is_random():
    phones = {"source": "phones", "tokenizer": "symbol"}
    for line, seed in (
        (phones, None),
        ({**phones, "noise": 0.1}, 7),
        ({**phones, "frame_rate": 50, "durations": "mean"}, None),
        ({**phones, "frame_rate": 50, "durations": "shuffled"}, 7),
    ):
        assert from_config("m", line, TOKENS, 7).seed == seed


def test_defaults_are_as_if_not_said():
    line = {"source": "phones", "tokenizer": "symbol", "frame_rate": 50}
    said = {**line, "repeats": "keep", "durations": "aligned", "noise": None, "stress": "keep"}
    assert to_json(from_config("m", line, TOKENS)) == to_json(from_config("m", said, TOKENS))


@pytest.mark.parametrize(
    ("changes", "tables", "timed"),
    [
        ({}, [], True),
        ({"durations": "mean"}, ["phone_durations"], False),
        ({"durations": 2}, [], False),
        ({"noise": 0.1}, ["phone_durations"], True),
        ({"noise": "units", "noise_per": "frame"}, ["unit_phones"], True),
        ({"repeats": "drop"}, [], False),
        ({"tokenizer": "bpe", "vocab_size": 99}, [], False),
        ({"source": "units", "relabel": "majority-phone"}, ["unit_phones"], True),
    ],
)
def test_tables_and_clock(changes, tables, timed):
    found = from_config("m", {"source": "phones", "tokenizer": "symbol", "frame_rate": 50, **changes}, TOKENS)
    assert (found.tables, found.timed) == (tables, timed)


def test_the_lines_of_the_overlays_are_possible_and_fit_the_context():
    dials, more = (
        yaml.safe_load(Path(f"workflow/configs/{name}.yaml").read_text(encoding="utf-8"))
        for name in ("dials", "dials-more")
    )
    config = merged(MINI, dials)
    check(config)
    assert list(config["modalities"]) == list(dials["modalities"])
    config = merged(config, more)
    check(config)
    assert list(config["modalities"]) == [*dials["modalities"], *more["modalities"]]
    config["lm"]["model"]["context"] = MINI["lm"]["model"]["context"]
    with pytest.raises(ValueError, match="phone-100hz has 3002 tokens in a cut of"):
        check(config)
    config["modalities"]["speech-25hz"]["frame_rate"] = 40
    with pytest.raises(ValueError, match=r"speech-25hz\.frame_rate is 40; units come at units\.frame_rate = 50"):
        check(config)
