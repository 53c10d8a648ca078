"""Shares of train: nested, the same utterances in every modality, readable like the whole."""

import sys
from pathlib import Path

import numpy as np
import pytest

from scripts.common.ragged import Ragged, load_bin
from scripts.lm import take_share
from scripts.lm.batching.splits import load_split
from scripts.lm.data_shares import first_share, share_models
from scripts.tokens import store


def token_file(path: Path, ids: list[str], length: int) -> Path:
    rng = np.random.default_rng(len(ids) + length)
    sequences = [np.array([1, *rng.integers(3, 20, length), 2]) for _ in ids]
    columns = {name: np.arange(len(ids)) for name in store.COLUMNS}
    store.save(path, Ragged.join(ids, sequences), columns)
    return path


@pytest.fixture
def ids() -> list[str]:
    return [f"utterance-{number}" for number in range(40)]


def test_a_share_holds_the_same_utterances_in_every_modality_and_is_part_of_a_larger_one(tmp_path: Path, ids) -> None:
    letters = token_file(tmp_path / "letters.bin", ids, 9)
    frames = token_file(tmp_path / "frames.bin", ids[::-1], 30)  # stored in another order
    kept = {}
    for source in (letters, frames):
        for share in (0.25, 0.5):
            out = tmp_path / f"{source.stem}-{share}.bin"
            assert take_share.take_share(source, share, out) == round(share * 40)
            kept[source.stem, share] = set(load_bin(out).ids.tolist())
    assert kept["letters", 0.25] == kept["frames", 0.25]
    assert kept["letters", 0.5] == kept["frames", 0.5]
    assert kept["letters", 0.25] < kept["letters", 0.5] < set(ids)


def test_the_tokens_and_counts_are_those_of_the_whole(tmp_path: Path, ids, monkeypatch) -> None:
    whole = load_bin(token_file(tmp_path / "train.bin", ids, 9))
    flags = ["--train", tmp_path / "train.bin", "--share", 0.5, "--out", tmp_path / "half/train.bin"]
    monkeypatch.setattr(sys, "argv", ["take_share", *map(str, flags)])
    take_share.main()
    half = load_split(tmp_path / "half/train.bin", vocab_size=20, context=32, bos=1, eos=2)
    by_id = whole.by_id()
    assert all((tokens == by_id[name]).all() for name, tokens in half.by_id().items())
    totals = store.totals(tmp_path / "half/train.bin")
    places = [ids.index(name) for name in half.ids.tolist()]
    assert totals["utterances"] == 20
    assert totals["words"] == sum(places)
    assert places == sorted(places)


def test_a_share_of_nothing_is_refused() -> None:
    tokens = Ragged.join(["a", "b"], [np.array([1, 2])] * 2)
    with pytest.raises(ValueError, match=r"a share of 0\.1 of 2 utterances holds none; lm\.data_shares is too small"):
        first_share(tokens, 0.1)


def test_every_modality_has_a_model_of_every_share() -> None:
    config = {"modalities": {"text-bpe": {}, "phone-raw": {}}, "lm": {"data_shares": [0.25, 0.125]}}
    assert share_models(config) == {
        "text-bpe-data25": ("text-bpe", 0.25),
        "phone-raw-data25": ("phone-raw", 0.25),
        "text-bpe-data12.5": ("text-bpe", 0.125),
        "phone-raw-data12.5": ("phone-raw", 0.125),
    }
