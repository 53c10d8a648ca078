"""The flat word loop recognises words, in random order as well as in sentences."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from scripts.common import audio
from scripts.common.cuts import read_cuts, speaker, spoken_text
from scripts.common.files import write_jsonl
from scripts.common.frames import SAMPLE_RATE
from scripts.continuation import kaldi
from scripts.continuation.kaldi import KaldiRecogniser
from scripts.continuation.mel import griffin_lim, log_mel
from scripts.continuation.recogniser_errors import row
from scripts.corpus.config import Limits
from scripts.corpus.pronounce import arpabet
from tests.factories.aligner import VOICES
from tests.factories.settings import settings
from tests.factories.steps import step

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def recogniser(world: Path, trained: Path) -> KaldiRecogniser:
    return KaldiRecogniser(trained, world / "lexicon.txt")


def waves(cuts: list[dict], root: Path) -> list[np.ndarray]:
    return [audio.read(cut, root) for cut in cuts]


def error_rate(cuts: list[dict], texts: list[str]) -> float:
    rate = row("x", [(spoken_text(c), text) for c, text in zip(cuts, texts, strict=True)], {})["word_error_rate"]
    return float(str(rate))


@pytest.fixture(scope="module")
def held_out(world: Path) -> list[dict]:
    """Six utterances of one speaker that the model was not trained on."""
    return [cut for cut in read_cuts(world / "dev.jsonl.gz") if speaker(cut) == "speaker-0"][:6]


def test_held_out_speech_and_its_copy(recogniser: KaldiRecogniser, held_out: list[dict], world: Path):
    real = waves(held_out, world / "audio")
    assert error_rate(held_out, list(recogniser(real))) < 0.05
    copies = [griffin_lim(log_mel(wave), 16) for wave in real]
    assert error_rate(held_out, list(recogniser(copies))) < 0.15


def test_random_words_are_not_made_into_sentences(recogniser: KaldiRecogniser, world: Path, tmp_path: Path):
    """Words of the dev script in random order, by the synthesiser."""
    from scripts.common.files import read_jsonl

    lines = list(read_jsonl(world / "script/dev/0.jsonl.gz"))
    words = [{**word, "after": ""} for line in lines for word in line["words"]]
    rng = np.random.default_rng(0)
    script = [
        {**lines[0], "id": f"speaker-0/random_{i}", "speaker": "speaker-0", "chapter": "random",
         "words": [words[j] for j in rng.integers(0, len(words), 12)]}
        for i in range(6)
    ]  # fmt: skip
    write_jsonl(tmp_path / "script.jsonl.gz", script)
    step("scripts.corpus.world.speak", "--script", tmp_path / "script.jsonl.gz", "--audio", tmp_path / "audio/random",
         "--source", "random", "--cuts", tmp_path / "cuts.jsonl.gz", "--truth", tmp_path / "truth.jsonl.gz",
         "--dropped", tmp_path / "dropped.csv", "--config", json.dumps(VOICES),
         "--limits", settings(Limits, "corpus"), "--seed", 7)  # fmt: skip
    cuts = list(read_cuts(tmp_path / "cuts.jsonl.gz"))
    assert error_rate(cuts, list(recogniser(waves(cuts, tmp_path / "audio")))) < 0.15


def test_no_sound_and_noise_end_and_give_few_words(recogniser: KaldiRecogniser):
    noise = 0.1 * np.random.default_rng(0).standard_normal(3 * SAMPLE_RATE).astype(np.float32)
    texts = list(recogniser([np.zeros(100, np.float32), noise, np.zeros(SAMPLE_RATE, np.float32)]))
    assert texts[0] == ""
    assert len(texts) == 3


def test_a_lexicon_of_other_phones_is_refused(trained: Path, tmp_path: Path):
    phone = next(phone for phone in arpabet() if phone not in (trained / "phones.txt").read_text().split())
    (tmp_path / "lexicon.txt").write_text(f"WORD {phone}\n")
    with pytest.raises(
        ValueError, match=rf"lexicon.txt: the phone '{phone}' is not in .*; they do not belong together"
    ):
        KaldiRecogniser(trained, tmp_path / "lexicon.txt")


def test_triphones_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kaldi, "load", lambda folder: SimpleNamespace(trees=[[]]))
    with pytest.raises(ValueError, match="model: has triphones; the recogniser needs monophones"):
        KaldiRecogniser("model", "lexicon.txt")
