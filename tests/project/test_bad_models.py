"""Whatever replaces a file of a model that the user names, the step that loads it says so in one line."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig, Wav2Vec2FeatureExtractor

from scripts.continuation import perplexity, vocoder
from scripts.tokens import hf_tokenizer
from scripts.tokens.modality import Modality
from scripts.tokens.tokenizer import train_text_tokenizer
from scripts.units import encoder
from tests.factories.models import tiny_hubert, tiny_llama
from tests.project.test_bad_input import KINDS, replaced

TEXTS = ["the dog barks", "a dog bites the man", "the man barks"] * 4


def make_judge(folder: Path) -> None:
    tokenizer = train_text_tokenizer(TEXTS, [], Modality("text", "bpe", name="judge", vocab_size=24), folder)
    hf_tokenizer.save(tokenizer, folder)
    tiny_llama(24).save_pretrained(folder)


def make_vocoder(folder: Path) -> None:
    SpeechT5HifiGan(SpeechT5HifiGanConfig(upsample_initial_channel=16)).save_pretrained(folder)


def make_encoder(folder: Path) -> None:
    tiny_hubert().save_pretrained(folder)
    Wav2Vec2FeatureExtractor().save_pretrained(folder)


MODELS: dict[str, tuple[Callable[[Path], None], Callable[[str], object], tuple[str, ...]]] = {
    "judge": (
        make_judge,
        lambda folder: perplexity.load(folder, "fp32"),
        ("config.json", "model.safetensors", "tokenizer.json"),
    ),
    "vocoder": (make_vocoder, lambda folder: vocoder.load(folder, None, 1), ("config.json", "model.safetensors")),
    "encoder": (
        make_encoder,
        lambda folder: (encoder.load_model(folder), encoder.wants_normalisation(folder)),
        ("config.json", "model.safetensors", "preprocessor_config.json"),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("name", "file"), [(name, file) for name, (_, _, files) in MODELS.items() for file in files])
def test_every_file_of_a_model(name: str, file: str, kind: str, tmp_path: Path):
    make, load, _ = MODELS[name]
    folder = tmp_path / name
    folder.mkdir()
    make(folder)
    load(str(folder))  # fine as it is
    with replaced(folder / file, KINDS[kind]), pytest.raises(ValueError, match=re.escape(str(folder))) as caught:
        load(str(folder))
    assert "\n" not in str(caught.value)
