"""The digest of a file from the list that its host keeps, such as ZeroSpeech's repo.json."""

import json
import re
import sys
from collections.abc import Iterator
from typing import Any

import requests

from scripts.download.registry import ALGORITHMS, Dataset


def published_digest(dataset: Dataset, timeout: float) -> str | None:
    """The digest from the first mirror whose list names the file; None, with a log line, if no list names it."""
    if dataset.checksum is None:
        return None
    reason = "the list does not name the file"
    for url in dataset.list_urls:
        try:
            response = requests.get(url, timeout=timeout)
            response.raise_for_status()
            if digest := find_digest(response.json(), dataset.file, dataset.checksum.algorithm):
                return digest
        except (requests.RequestException, json.JSONDecodeError) as error:
            reason = type(error).__name__
    lists = ", ".join(dataset.list_urls)
    print(f"download/{dataset.name}: no checksum from {lists} ({reason})", file=sys.stderr)
    return None


def find_digest(content: Any, file: str, algorithm: str) -> str | None:
    """The digest in the entry that names the file, under any key; None if there is none or several."""
    pattern = re.compile(rf"[0-9a-fA-F]{{{ALGORITHMS[algorithm]}}}")
    digests = set()
    for entry in _entries(content):
        texts = [value for value in entry.values() if isinstance(value, str)]
        if any(text == file or text.endswith(f"/{file}") for text in texts):
            digests |= {text.lower() for text in texts if pattern.fullmatch(text)}
    return digests.pop() if len(digests) == 1 else None


def _entries(content: Any) -> Iterator[dict[str, Any]]:
    if isinstance(content, dict):
        yield content
        content = list(content.values())
    if isinstance(content, list):
        for item in content:
            yield from _entries(item)
