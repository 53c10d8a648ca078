"""The lm stage's model, to be compared with another computation of it."""

from typing import Any

import pytest
from transformers import LlamaForCausalLM

from tests.factories.models import spread_llama


@pytest.fixture(params=[1, 2], ids=["grouped-query", "multi-head"])
def model(section: dict[str, Any], request: pytest.FixtureRequest) -> LlamaForCausalLM:
    section["model"] |= {"kv_heads": request.param, "context": 512}
    return spread_llama(section)
