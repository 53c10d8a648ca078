"""A batch is assigned at once as row by row, and features that are not finite are refused."""

import numpy as np
import pytest
import torch

from scripts.units.assignment import Assigner, NotFiniteError


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_batch_at_once(dtype: torch.dtype) -> None:
    random = np.random.default_rng(0)
    features = torch.from_numpy(random.standard_normal((3, 40, 8)).astype(np.float32)).to(dtype)
    kept = [slice(0, 40), slice(5, 30), slice(0, 1)]
    features[1, 30:] = torch.nan  # padding
    assign = Assigner(random.standard_normal((9, 8)).astype(np.float32))
    rows, batch = assign.start(features, kept)(), assign.start_batch(features, kept)()
    assert [len(row) for row in rows] == [40, 25, 1]
    assert all(row.dtype == np.uint16 for row in batch)
    assert all(np.array_equal(a, b) for a, b in zip(rows, batch, strict=True))
    features[2, 0, 3] = torch.inf
    with pytest.raises(NotFiniteError):
        assign.start(features, kept)
    with pytest.raises(NotFiniteError):
        assign.start_batch(features, kept)()
