"""Kaldi reads the workflow's decision trees, looks states up correctly, and aligns with them."""

import kaldi_hmm_gmm as khg
import numpy as np
import pytest

from scripts.alignment.config import Aligning, Training
from scripts.alignment.model import STATES, AcousticModel, load, save
from scripts.alignment.tree import (
    LEFT,
    MIN_LEAF_FRAMES,
    Statistics,
    context_dependency,
    grow_trees,
    leaf_gaussians,
    questions,
    statistics,
)
from scripts.common.config import parse
from scripts.common.cuts import phone_alignment
from scripts.common.files import read_jsonl
from tests.alignment.test_accuracy import differences
from tests.factories.aligner import CONFIG
from tests.factories.settings import settings
from tests.factories.steps import step

PHONES = ["SIL", "AA1", "AA2", "K", "M", "N", "S", "T"]
SHARED = [[0], [1, 2], [3], [4], [5], [6], [7]]


def spoken(rng, frames=4000):
    """Random triphone states; features of AA after a nasal differ from other AA."""
    keys = np.stack([rng.integers(0, 8, frames), rng.integers(0, 8, frames), rng.integers(0, 8, frames),
                     rng.integers(0, 3, frames)], axis=1)  # fmt: skip
    sound = rng.standard_normal((frames, 2)) + keys[:, 1:2]
    nasal = np.isin(keys[:, 1], [1, 2]) & np.isin(keys[:, LEFT], [4, 5])
    sound[nasal] += 6
    return keys, sound.astype(np.float32)


@pytest.fixture
def grown():
    keys, sound = spoken(np.random.default_rng(1))
    return grow_trees(
        statistics([(keys[:2000], sound[:2000]), (keys[2000:], sound[2000:])]), PHONES, SHARED, STATES, 30
    )


def test_statistics_add_up():
    keys, sound = spoken(np.random.default_rng(2))
    stats = statistics([(keys, sound)])
    assert stats.sums[:, 0].sum() == len(keys)
    at = (keys == stats.keys[7]).all(axis=1)
    np.testing.assert_allclose(stats.sums[7, 1:3], sound[at].sum(axis=0), rtol=1e-5)
    np.testing.assert_allclose(stats.sums[7, 3:], (sound[at].astype(float) ** 2).sum(axis=0), rtol=1e-5)


def test_the_first_question_is_the_one_that_separates_the_data(grown):
    trees, leaf_sums = grown
    assert len(leaf_sums) <= 30
    for state in range(STATES):
        tree = trees[1][state]
        assert tree["key"] == LEFT
        assert set(tree["yes"]) in ({4, 5}, {0, 1, 2, 3, 6, 7})
    assert all(isinstance(tree, int) for tree in trees[0]), "silence is not split"
    assert leaf_sums[:, 0].min() >= MIN_LEAF_FRAMES


def test_every_question_separates_phones():
    answers = questions(PHONES)
    assert answers.shape[1] == len(PHONES)
    assert not answers.all(axis=1).any()
    assert answers.any(axis=1).all()


def leaf(tree, left, right):
    while not isinstance(tree, int):
        tree = tree["then"] if {0: left, 2: right}[tree["key"]] in tree["yes"] else tree["else"]
    return tree


def test_kaldi_finds_the_same_leaf_for_every_triphone(grown):
    trees, leaf_sums = grown
    dependency = context_dependency(trees, SHARED)
    assert (dependency.context_width, dependency.central_position, dependency.num_pdfs) == (3, 1, len(leaf_sums))
    group_of = {phone: g for g, group in enumerate(SHARED) for phone in group}
    for left in range(16):  # inner ids; 0 is beyond the utterance
        for centre in range(1, 16):
            for right in range(16):
                for state in range(STATES):
                    tree = trees[group_of[centre // 2]][state]
                    pdf = dependency.compute([left, centre, right], state)
                    pdf = pdf[1] if isinstance(pdf, tuple) else pdf
                    assert pdf == leaf(tree, left // 2, right // 2)


def test_a_leaf_without_frames_has_the_gaussian_of_all_frames():
    sums = np.array([[10.0, 20.0, 50.0], [0.0, 0.0, 0.0]])
    (_, inverse, means), (_, other, means_) = leaf_gaussians(sums)
    assert inverse == pytest.approx(1.0)
    assert means / inverse == pytest.approx(2.0)
    assert (other, means_) == (inverse, means)


def test_statistics_do_not_depend_on_the_utterances_borders(monkeypatch):
    random = np.random.default_rng(1)
    keys, sound = random.integers(0, 4, (900, 4)), random.standard_normal((900, 3)).astype(np.float32)
    whole = statistics([(keys, sound)])
    monkeypatch.setattr("scripts.alignment.tree.BLOCK", 100)
    parts = statistics((keys[t : t + 30], sound[t : t + 30]) for t in range(0, 900, 30))
    np.testing.assert_array_equal(parts.keys, whole.keys)
    np.testing.assert_allclose(parts.sums, whole.sums, rtol=1e-9, atol=1e-9)
    assert parts.sums[:, 0].sum() == 900


def test_statistics_of_one_leaf_need_no_split():
    stats = Statistics(np.array([[0, 1, 0, 0]]), np.array([[100.0, 1.0, 1.0]]))
    trees, leaf_sums = grow_trees(stats, PHONES, SHARED, STATES, 1000)
    assert len(leaf_sums) == len(SHARED) * STATES
    assert trees[1][0] == 3


def test_triphones_are_as_accurate_as_monophones(world, tmp_path):
    changes = CONFIG | {"triphone": {"leaves": 400, "gaussians": 1200}}
    common = ("--audio-root", world / "audio", "--lexicon", world / "lexicon.txt")
    step("scripts.alignment.train", "--cuts", world / "train.jsonl.gz", *common, "--config",
         settings(Training, "alignment", **changes), "--seed", 7, "--out",
         tmp_path / "model")  # fmt: skip
    step("scripts.alignment.align", "--cuts", world / "dev.jsonl.gz", *common, "--config",
         settings(Aligning, "alignment"), "--model", tmp_path / "model", "--split",
         "dev", "--out", tmp_path / "out.jsonl.gz", "--dropped", tmp_path / "d.csv", "--guessed",
         tmp_path / "g.csv")  # fmt: skip
    kept = list(read_jsonl(tmp_path / "out.jsonl.gz"))
    truth = {line["id"]: line["phones"] for line in read_jsonl(world / "dev.truth.jsonl.gz")}
    assert len(kept) == len(truth)
    assert all(phone_alignment(cut) for cut in kept)
    errors = np.abs(differences(kept, truth))
    print(f"triphones: {np.mean(errors <= 0.02):.3f} within 20 ms, {np.mean(errors <= 0.05):.3f} within 50 ms")
    assert np.mean(errors <= 0.02) >= 0.85
    assert np.mean(errors <= 0.05) >= 0.97

    model = load(tmp_path / "model")
    assert isinstance(model, AcousticModel)
    assert isinstance(model.context, khg.ContextDependency)
    assert 130 < model.num_states <= 400
    (tmp_path / "again").mkdir()
    save(model, tmp_path / "again")
    for name in ("model.npz", "model.json"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "model" / name).read_bytes()


def test_half_a_triphone_setting_is_refused():
    text = settings(Training, "alignment", triphone={"leaves": 500})
    with pytest.raises(ValueError, match=r"alignment\.triphone\.gaussians is missing"):
        parse(Training, text, "alignment")
