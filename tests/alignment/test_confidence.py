"""The likelihood bound over preselected Gaussians decides like that over all Gaussians."""

import numpy as np
import pytest

from scripts.alignment.confidence import LikelihoodBound, affine_terms, margin
from scripts.alignment.features import FeatureExtractor
from scripts.alignment.gaussian_selection import GaussianSelection, cluster
from scripts.alignment.model import load
from scripts.common.files import read_jsonl

CUTS = 10


@pytest.fixture(scope="module")
def gaussians(trained):
    return load(trained).gaussians()


@pytest.fixture(scope="module")
def utterances(world):
    """Features of some cuts, float32 [T, 39] each."""
    cuts = list(read_jsonl(world / "dev.jsonl.gz"))[:CUTS]
    extractor = FeatureExtractor(cuts, str(world / "audio"), 10.0)
    return [extractor(cut) for cut in cuts]


def test_a_small_model_evaluates_every_gaussian(gaussians, utterances):
    bound = LikelihoodBound(gaussians)
    assert bound.selection is None
    for features in utterances:
        direct = [
            np.log(weights) + 0.5 * np.sum(np.log(inverse / (2 * np.pi)) - (x - means / inverse) ** 2 * inverse, axis=1)
            for x in features[:20].astype(np.float64)
            for weights, inverse, means in [map(np.concatenate, zip(*gaussians, strict=True))]
        ]
        np.testing.assert_allclose(bound.frames(features)[:20], np.max(direct, axis=1), atol=0.01)
        assert bound(features) == bound(features, limit=np.inf) == float(bound.frames(features).mean())


def test_preselection_misses_little_and_never_exceeds_the_bound(gaussians, utterances):
    bound = LikelihoodBound(gaussians)
    near = GaussianSelection(bound.weights)
    evaluated = sum(table.shape[1] for table in near.members) / len(near.members) * near.nearest
    assert evaluated < 0.25 * bound.weights.shape[1]
    every = GaussianSelection(bound.weights, nearest=len(near.members))
    for features in utterances:
        exact, found = bound.frames(features), near.best(affine_terms(features))
        assert np.all(found <= exact + 1e-3)
        assert np.mean(exact - found) < margin(len(exact)) / 2
        np.testing.assert_allclose(every.best(affine_terms(features)), exact, atol=1e-3)


def test_decisions_are_those_of_all_gaussians_at_any_limit(gaussians, utterances):
    bound, near = LikelihoodBound(gaussians), LikelihoodBound(gaussians, most=0)
    exact = [bound(features) for features in utterances]
    early = 0
    for features, value in zip(utterances, exact, strict=True):
        for limit in np.linspace(value - 3, value + 3, 13):
            found = near(features, limit)
            assert (found < limit) == (value < limit), (found, value, limit)
            early += found != pytest.approx(value, abs=1e-4)
    assert early > 0.2 * 13 * len(utterances)  # most of the limits that are well above the bound


def test_clusters_hold_neighbours():
    random = np.random.default_rng(1)
    centres = 10 * random.standard_normal((5, 3))
    points = np.concatenate([centre + 0.1 * random.standard_normal((20, 3)) for centre in centres]).astype(np.float32)
    found = cluster(points, 5).reshape(5, 20)
    assert np.all(found == found[:, :1])
    assert len(set(found[:, 0])) == 5
