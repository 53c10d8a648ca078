"""Sections of the configuration as text."""

from scripts.common.config import as_json


def test_as_json_is_sorted_and_selects():
    assert as_json({"b": 1, "a": [2]}) == '{"a": [2], "b": 1}'
    assert as_json({"b": 1, "a": 2}, "b") == '{"b": 1}'
