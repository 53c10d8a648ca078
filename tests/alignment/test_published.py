"""Items of a published test set, transcribed in IPA, are aligned with the phones of their gold.csv."""

import json

import numpy as np
import soundfile

from scripts.common.cuts import phone_alignment, pronunciations
from scripts.common.files import read_jsonl
from scripts.corpus.config import CutRules, Limits
from scripts.corpus.world.espeak import speak
from tests.corpus.published.testsets import LEXICAL, word_row, write_gold
from tests.factories.settings import settings
from tests.factories.steps import step

# word, its IPA and its phones; then a pseudo-word of the same length
PAIRS = [
    ("water", "ˈwɔtɚ", "W AO1 T ER0", "waiter", "ˈwaɪdɚ", "W AY1 D ER0"),
    ("garden", "ˈɡɑɹdən", "G AA1 R D AH0 N", "garben", "ˈɡɑɹbən", "G AA1 R B AH0 N"),
    ("little", "ˈlɪtəl", "L IH1 T AH0 L", "lottle", "ˈlʌtəl", "L AH1 T AH0 L"),
]


def test_cuts_are_aligned_with_the_phones_of_gold(align, tmp_path):
    folder = tmp_path / "slm21/lexical/dev"
    rows, spoken = [], {}
    for name, (word, ipa, phones, other, other_ipa, other_phones) in enumerate(PAIRS):
        for voice in ("en-us+m1", "en-us+f2"):
            for text, transcription, arpabet, correct in ((word, ipa, phones, 1), (other, other_ipa, other_phones, 0)):
                row = word_row(name, voice, correct, word=text, phones=transcription)
                rows.append(row)
                spoken[row["filename"]] = (text, arpabet, voice)
    write_gold(folder, LEXICAL, rows)
    for file, (text, arpabet, voice) in spoken.items():
        speech = speak([{"word": text, "phones": arpabet, "after": "."}], voice=voice, rate=170, pitch=50, seed=1)
        # Published recordings have no digital silence; with zeros this model would reject the cut.
        noise = np.random.default_rng(len(file)).standard_normal(len(speech.wave)) / 1000
        soundfile.write(folder / f"{file}.wav", speech.wave + noise, 16_000, subtype="PCM_16")
    config = {"format": "slm21-lexical", "split": "dev"}
    step("scripts.corpus.published.tasks", "--task", "swuggy", "--folder", tmp_path / "slm21", "--config",
         json.dumps(config), "--limits", settings(Limits, "corpus"), "--out", tmp_path / "items.jsonl.gz",
         "--dropped", tmp_path / "d.csv")  # fmt: skip
    step("scripts.corpus.speech.manifest_tasks", "--task", "swuggy", "--items", tmp_path / "items.jsonl.gz",
         "--audio-root", tmp_path / "slm21", "--out", tmp_path / "checked.jsonl.gz", "--dropped", tmp_path / "d2.csv",
         "--config", settings(CutRules, "corpus"))  # fmt: skip

    result = align(list(read_jsonl(tmp_path / "checked.jsonl.gz")), root=tmp_path / "slm21")
    assert result.dropped == {}
    assert len(result.kept) == 2 * len(PAIRS)
    for item in result.kept:
        for side in ("positive", "negative"):
            cut = item[side]
            text, arpabet, _ = spoken[cut["id"]]
            assert pronunciations(cut) == {text.upper(): arpabet}
            assert [phone for phone, *_ in phone_alignment(cut) if phone != "SIL"] == arpabet.split()
