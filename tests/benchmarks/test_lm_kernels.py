"""The count of kernels without a GPU (`benchmarks.lm_kernels`) on a small model."""

from benchmarks.lm_kernels import count_all
from scripts.lm.config import ModelConfig

LAYERS, HEAD = 2, 3  # products of the output head: one forward, two backward


def test_products_are_as_many_as_the_model_has_and_compiling_leaves_fewer_of_the_rest():
    config = ModelConfig(hidden_size=256, intermediate_size=512, layers=LAYERS, heads=4, kv_heads=2, context=512)
    found = count_all(config, 64, [100, 92])
    theirs, ours, compiled = found.values()
    assert theirs.products == HEAD + LAYERS * 3 * 7  # seven matrices
    assert ours.products == compiled.products == HEAD + LAYERS * 3 * 4  # in four products
    assert theirs.attention == ours.attention == compiled.attention == LAYERS * 2
    assert 0 < compiled.others < ours.others / 2 < theirs.others
    assert 0 < compiled.traffic < ours.traffic / 2
    assert 0 < compiled.saved < ours.saved
