import numpy as np
import pytest
import torch

from scripts.lm.batching.batches import (
    IGNORED,
    balanced_rows,
    build_row,
    dummy_batch,
    micro_batches,
    pack,
    pad_to_bucket,
)
from tests.lm.conftest import ragged


def test_packing_computes_no_padding_and_predicts_the_next_token():
    packed = pack([np.array([1, 5, 6, 2]), np.array([1, 7, 2])])
    assert packed.inputs.tolist() == [1, 5, 6, 1, 7]
    assert packed.targets.tolist() == [5, 6, 2, 7, 2]
    assert packed.positions.tolist() == [0, 1, 2, 0, 1]
    assert packed.sizes == [3, 2]


def test_padding_stays_under_5_percent_on_ragged_lengths():
    lengths = np.random.default_rng(0).integers(3, 700, 50)
    tokens = ragged(lengths)
    computed = sum(p.inputs.numel() for p in micro_batches(tokens, np.arange(50), 2000))
    useful = sum(lengths) - 50
    assert useful / computed > 0.95


def test_micro_batches_hold_every_utterance_once_within_the_limit():
    tokens = ragged([3, 30, 700, 20, 90])
    groups = micro_batches(tokens, np.array([4, 2, 0, 1]), 128)
    assert [group.sizes for group in groups] == [[2, 29, 89, 8], [699, 5]]
    assert torch.equal(groups[1].inputs[:699], torch.from_numpy(tokens[2][:-1].astype(np.int64)))


def test_rows_have_few_lengths_and_nothing_is_learnt_from_what_fills_them():
    rows = [pad_to_bucket(pack([np.ones(length + 1, np.int64)])) for length in range(256, 4096)]
    assert len({len(row.inputs) for row in rows}) <= 16 * 4 + 1
    for length, row in zip(range(256, 4096), rows, strict=True):
        assert len(row.inputs) == len(row.positions) == sum(row.sizes) < length * 17 / 16
        assert (row.targets == IGNORED).sum() == len(row.inputs) - length


def test_the_shortest_row_is_padded_too():
    assert len(pad_to_bucket(pack([np.array([1, 2])])).inputs) == 16


def test_a_row_of_nothing_is_learnt_nothing_from():
    row = dummy_batch()
    assert len(row.inputs) == len(row.positions) == 16
    assert (row.targets == IGNORED).all()
    assert row.sizes == [16]
    assert row.cu_seqlens.tolist() == [0, 16]


def test_cu_seqlens_are_where_sequences_begin_and_where_the_row_ends():
    row = pad_to_bucket(pack([np.ones(10, int), np.ones(5, int), np.ones(8, int)]))
    assert row.sizes == [9, 4, 7, 12]
    assert row.cu_seqlens.dtype == torch.int32
    assert row.cu_seqlens.tolist() == [0, 9, 13, 20, 32]


@pytest.mark.parametrize("buckets", [16, 64])
def test_a_row_grows_by_less_than_a_bucket(buckets):
    for length in range(16 * buckets, 5000, 37):
        padded = len(pad_to_bucket(pack([np.ones(length + 1, int)]), buckets).inputs)
        assert length <= padded < length * (1 + 1 / buckets)
    assert len(pad_to_bucket(pack([np.ones(8193, int)]), buckets).inputs) == 8192


@pytest.mark.parametrize(("num_ranks", "row_tokens"), [(1, 4096), (4, 8192), (4, 16384), (3, 2000)])
def test_rows_are_as_many_and_as_full_on_every_rank(num_ranks, row_tokens):
    lengths = np.random.default_rng(0).integers(50, 1500, 128)
    ranks = balanced_rows(lengths, num_ranks, row_tokens)
    assert len({len(rows) for rows in ranks}) == 1
    assert sorted(np.concatenate([row for rows in ranks for row in rows])) == list(range(128))
    tokens = np.array([[lengths[row].sum() for row in rows] for rows in ranks])
    assert tokens.max() <= row_tokens
    assert tokens.max() - tokens.min() < 0.1 * tokens.mean()
    assert np.ptp(tokens.sum(1)) < 0.02 * tokens.sum(1).mean()
    assert tokens.shape[1] <= 1 + 1.1 * lengths.sum() / (num_ranks * row_tokens)
    assert all(np.all(np.diff(lengths[row]) >= 0) for rows in ranks for row in rows)


def test_an_utterance_longer_than_a_row_has_one_of_its_own_and_a_rank_without_any_an_empty_one():
    rows = balanced_rows(np.array([700, 5, 5, 90]), 2, 128)
    assert [[row.tolist() for row in rank] for rank in rows] == [[[0]], [[1, 2, 3]]]
    rows = balanced_rows(np.array([7]), 3, 128)
    assert [[row.tolist() for row in rank] for rank in rows] == [[[0]], [[]], [[]]]
    assert build_row(ragged([7]), rows[2][0]).targets.eq(IGNORED).all()
