import numpy as np
import pytest

from scripts.common import record
from scripts.common.record import Record, sample


@pytest.fixture
def tokens(tmp_path):
    """Two utterances in one part: (ids, offsets, stream), and their file."""
    part = (np.array(["a", "b"]), np.array([0, 3, 7]), np.array([1, 5, 2, 1, 9, 4, 2], np.uint16))
    part[2].tofile(tmp_path / "t.bin")
    return part, tmp_path / "t.bin"


def test_what_is_noted(tokens):
    part, path = tokens
    noted = Record.of([part], path)
    assert (noted.highest, noted.first, noted.last) == (9, 1, 2)
    assert Record.read(noted.text()) == noted


def test_the_digest_is_of_ids_lengths_and_tokens(tokens):
    (ids, offsets, stream), path = tokens
    others = [
        (np.array(["a", "c"]), offsets, stream),
        (ids, np.array([0, 4, 7]), stream),
        (ids, offsets, np.where(stream == 9, 8, stream)),
    ]
    assert len({Record.of([part], path).digest for part in [(ids, offsets, stream), *others]}) == 4


def test_ends_that_differ_or_lack_are_minus_one(tokens):
    (ids, offsets, stream), path = tokens
    noted = Record.of([(ids, offsets, np.where(np.arange(7) == 6, 3, stream))], path)
    assert (noted.first, noted.last) == (1, -1)
    assert Record.of([(ids, np.array([0, 7, 7]), stream)], path).first == -1
    assert Record.of([], path).highest == -1


@pytest.mark.parametrize("at", [0, 40, 99])
def test_a_large_file_is_looked_at_from_end_to_end(tmp_path, monkeypatch, at):
    monkeypatch.setattr(record, "BLOCKS", 6)
    monkeypatch.setattr(record, "BLOCK_BYTES", 4)
    path = tmp_path / "t.bin"
    content = bytearray(range(100))
    path.write_bytes(content)
    before = sample(path)
    content[at] ^= 255
    path.write_bytes(content)
    assert sample(path) != before
    content[at] ^= 255
    content[10] ^= 255  # between two pieces
    path.write_bytes(content)
    assert sample(path) == before
