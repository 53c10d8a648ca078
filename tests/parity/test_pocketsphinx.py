"""Alignment of real speech (AN4) compared with pocketsphinx; docs/alignment.md explains differences."""

from collections import Counter

import numpy as np
import pytest

from scripts.alignment.config import Aligning, Training
from scripts.alignment.lexicon import base
from scripts.common import audio
from scripts.common.cuts import phone_alignment, read_cuts, spoken_text
from scripts.common.files import read_jsonl
from tests.factories.settings import settings
from tests.factories.steps import step

pytestmark = pytest.mark.slow
CONFIG = {"sample_hours": 0.5, "gaussians": 1000, "iterations": 20}


def sphinx_dictionary(lexicon, path):
    """Our lexicon without stress in pocketsphinx's form: word(2) for a second pronunciation."""
    seen, lines = Counter(), []
    for line in lexicon.read_text().splitlines():
        word, *phones = line.split()
        seen[word] += 1
        again = f"({seen[word]})" if seen[word] > 1 else ""
        lines.append(f"{word.lower()}{again} {' '.join(map(base, phones))}\n")
    path.write_text("".join(lines))


def sphinx_phones(cut, root, dictionary):
    """(phone, start, end) in seconds, SIL left out, or None where pocketsphinx fails."""
    pocketsphinx = pytest.importorskip("pocketsphinx")
    decoder = pocketsphinx.Decoder(lm=None, dict=str(dictionary), loglevel="FATAL")
    raw = (audio.read(cut, root) * 32767).astype(np.int16).tobytes()
    try:
        decoder.set_align_text(spoken_text(cut).lower())
        for again in (False, True):  # words first, then phones in them
            if again:
                decoder.set_alignment()
            decoder.start_utt()
            decoder.process_raw(raw, full_utt=True)
            decoder.end_utt()
    except RuntimeError:
        return None
    found = [phone for word in decoder.get_alignment() for phone in word]
    return [(p.name, p.start / 100, (p.start + p.duration) / 100) for p in found if p.name not in ("SIL", "<sil>")]


def test_an4_against_pocketsphinx(an4, tmp_path):
    pytest.importorskip("pocketsphinx")
    train, test = an4 / "libriheavy_cuts_small.jsonl.gz", an4 / "libriheavy_cuts_test_clean.jsonl.gz"
    lexicon = tmp_path / "lexicon.txt"
    step("scripts.corpus.pronounce", "--cuts", train, test, "--out", lexicon)
    common = ("--audio-root", an4, "--lexicon", lexicon)
    step("scripts.alignment.train", "--cuts", train, *common, "--config",
         settings(Training, "alignment", **CONFIG), "--seed", 1, "--out", tmp_path / "model")  # fmt: skip
    step("scripts.alignment.align", "--cuts", test, *common, "--config",
         settings(Aligning, "alignment"), "--model", tmp_path / "model", "--split", "dev", "--out",
         tmp_path / "out.jsonl.gz", "--dropped", tmp_path / "d.csv", "--guessed", tmp_path / "g.csv")  # fmt: skip
    ours = {cut["id"]: phone_alignment(cut) for cut in read_jsonl(tmp_path / "out.jsonl.gz")}
    assert len(ours) >= 128
    sphinx_dictionary(lexicon, tmp_path / "sphinx.dict")

    errors: list[float] = []
    failed = alike = 0
    for cut in read_cuts(test):
        theirs = sphinx_phones(cut, an4, tmp_path / "sphinx.dict")
        if theirs is None:
            failed += 1
            continue
        mine = [p for p in ours.get(cut["id"], []) if p[0] != "SIL"]
        if [base(p[0]) for p in mine] == [p[0] for p in theirs]:
            alike += 1
            errors += [a[1] - b[1] for a, b in zip(mine, theirs, strict=True)]
    apart = np.abs(errors)
    print(f"{alike} of 130 said alike, {failed} failed in pocketsphinx; {len(apart)} phone starts,"
          f" {np.mean(apart <= 0.0201):.3f} within 20 ms, {np.mean(apart <= 0.0501):.3f} within 50 ms")  # fmt: skip
    assert alike >= 100
    assert np.mean(apart <= 0.0201) >= 0.70
    assert np.mean(apart <= 0.0501) >= 0.87
    assert abs(np.median(errors)) <= 0.011, "the two clocks differ"
