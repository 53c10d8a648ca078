import numpy as np
import pytest

from scripts.common import packed_record
from scripts.common.packed_record import PackedRecord, sample_digest


@pytest.fixture
def tokens(tmp_path):
    """Two utterances in one part: (ids, offsets, stream), and their file."""
    part = (np.array(["a", "b"]), np.array([0, 3, 7]), np.array([1, 5, 2, 1, 9, 4, 2], np.uint16))
    part[2].tofile(tmp_path / "t.bin")
    return part, tmp_path / "t.bin"


def test_the_highest_first_and_last_token(tokens):
    part, path = tokens
    record = PackedRecord.compute([part], path)
    assert (record.highest, record.first, record.last) == (9, 1, 2)
    assert PackedRecord.from_json(record.to_json()) == record


def test_the_digest_is_of_ids_lengths_and_tokens(tokens):
    (ids, offsets, stream), path = tokens
    others = [
        (np.array(["a", "c"]), offsets, stream),
        (ids, np.array([0, 4, 7]), stream),
        (ids, offsets, np.where(stream == 9, 8, stream)),
    ]
    assert len({PackedRecord.compute([part], path).digest for part in [(ids, offsets, stream), *others]}) == 4


def test_first_and_last_tokens_that_differ_are_minus_one(tokens):
    (ids, offsets, stream), path = tokens
    record = PackedRecord.compute([(ids, offsets, np.where(np.arange(7) == 6, 3, stream))], path)
    assert (record.first, record.last) == (1, -1)
    assert PackedRecord.compute([(ids, np.array([0, 7, 7]), stream)], path).first == -1
    assert PackedRecord.compute([], path).highest == -1


@pytest.mark.parametrize("at", [0, 40, 99])
def test_a_large_file_is_sampled_from_end_to_end(tmp_path, monkeypatch, at):
    monkeypatch.setattr(packed_record, "BLOCKS", 6)
    monkeypatch.setattr(packed_record, "BLOCK_BYTES", 4)
    path = tmp_path / "t.bin"
    content = bytearray(range(100))
    path.write_bytes(content)
    before = sample_digest(path)
    content[at] ^= 255
    path.write_bytes(content)
    assert sample_digest(path) != before
    content[at] ^= 255
    content[10] ^= 255  # between two pieces
    path.write_bytes(content)
    assert sample_digest(path) == before
