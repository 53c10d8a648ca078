"""Chunks cover an utterance and keep every frame once, with context around it."""

import pytest

from scripts.units.chunking import split_into_chunks


@pytest.mark.parametrize("length", [5, 100, 101, 140, 180, 260, 999])
def test_chunks_keep_every_frame_once_with_context(length: int) -> None:
    chunks = split_into_chunks(length, 100, 10)
    assert [frame for chunk in chunks for frame in range(*chunk.keep)] == list(range(length))
    for chunk in chunks:
        end = chunk.first + chunk.count
        assert 0 <= chunk.first <= chunk.keep[0] < chunk.keep[1] <= end <= length
        assert chunk.count == min(100, length)
        assert chunk.keep[0] - chunk.first >= 10 or chunk.first == 0
        assert end - chunk.keep[1] >= 10 or end == length
    with pytest.raises(ValueError, match=r"more than twice units.overlap_seconds"):
        split_into_chunks(length, 20, 10)


def test_samples_of_a_chunk() -> None:
    (whole,) = split_into_chunks(5, 100, 10)
    assert whole.samples(400 + 4 * 320 + 100) == slice(0, 400 + 4 * 320 + 100)
    chunk = split_into_chunks(150, 100, 10)[1]
    assert chunk.samples(1_000_000) == slice(chunk.first * 320, (chunk.first + 99) * 320 + 400)
