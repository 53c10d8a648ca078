"""The digest of a file from the list that its host keeps, such as ZeroSpeech's repo.json."""

import json
import re
import sys
from collections.abc import Iterator
from typing import Any

import requests

from scripts.download.registry import ALGORITHMS, Dataset


def published_digest(dataset: Dataset, timeout: float) -> str | None:
    """Ask the mirrors for their list; None, and a line that says so, if none has the file's digest."""
    if dataset.checksum is None:
        return None
    reason = "it does not name the file"
    for url in dataset.list_urls:
        try:
            answer = requests.get(url, timeout=timeout)
            answer.raise_for_status()
            if digest := digest_in(answer.json(), dataset.file, dataset.checksum.algorithm):
                return digest
        except (requests.RequestException, json.JSONDecodeError) as error:
            reason = type(error).__name__
    told = ", ".join(dataset.list_urls)
    print(f"download/{dataset.name}: no checksum from {told} ({reason})", file=sys.stderr)
    return None


def digest_in(content: Any, file: str, algorithm: str) -> str | None:
    """The digest in the entry that names the file, whatever its keys are called; None if there is none or several."""
    digits = re.compile(rf"[0-9a-fA-F]{{{ALGORITHMS[algorithm]}}}")
    found = set()
    for entry in _entries(content):
        texts = [value for value in entry.values() if isinstance(value, str)]
        if any(text == file or text.endswith(f"/{file}") for text in texts):
            found |= {text.lower() for text in texts if digits.fullmatch(text)}
    return found.pop() if len(found) == 1 else None


def _entries(content: Any) -> Iterator[dict[str, Any]]:
    if isinstance(content, dict):
        yield content
        content = list(content.values())
    if isinstance(content, list):
        for item in content:
            yield from _entries(item)
