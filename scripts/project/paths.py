"""Paths in the configuration that a command line or Snakemake would take for something else.

Rules quote what the user names, so spaces, apostrophes, brackets and other scripts need no care. Two things no quoting
mends: a leading dash, which steps would read as a flag, and braces, which Snakemake reads as wildcards.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scripts.common.config import shown

LONGEST = 4095  # bytes of a path that Linux opens
# Keys with a path, or values that may be one; * is any key of a mapping.
PATHS = (
    "download.folder",
    "corpus.prompts",
    "corpus.manifest.train",
    "corpus.manifest.dev",
    "corpus.*.audio_root",
    "corpus.*.lexicon",
    "corpus.folder.train",
    "corpus.folder.dev",
    "corpus.folder.table.train",
    "corpus.folder.table.dev",
    "corpus.*.tasks.*",
    "corpus.*.tasks.*.folder",
    "corpus.*.tasks.*.transcripts",
    "corpus.libriheavy.manifests",
    "alignment.external",
    "units.external",
    "units.encoder.source",
    "modalities.*.external",
    "modalities.*.init",
    "evaluation.text_tasks.*",
    "evaluation.external_systems.*.*",
    "continuation.recogniser",
    "continuation.judge.source",
    "continuation.speech.vocoder",
)
# Keys with a folder of audio_root: never the first part of a path, so that a leading dash does no harm.
WITHIN_AUDIO_ROOT = ("corpus.folder.train", "corpus.folder.dev")


def problems(config: Mapping[str, Any]) -> Iterator[str]:
    """Paths that Snakemake cannot take, a line each."""
    for where, section, key in _places(config):
        if not _is_unicode(section[key]):
            yield f"{where} is {section[key]!a}; it has half a character, which no path can hold"
            continue
        if wrong := set(section[key]) & set("{}\n\0"):
            yield (
                f"{where} is {shown(section[key])}; Snakemake cannot take {min(wrong)!r} in a path: rename the file or"
                " folder, or make a link to it of another name"
            )
        if len(section[key].encode()) > LONGEST or any(len(part.encode()) > 255 for part in section[key].split("/")):
            yield f"{where} is {shown(section[key])}; no path has a part of more than 255 bytes, or {LONGEST} in all"


def _is_unicode(text: str) -> bool:
    """Whether a text can be written as UTF-8: half of a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_results(folder: str) -> None:
    """ValueError if the folder of all experiments has a character that needs quotes, which rules do not set."""
    if not re.fullmatch(r"[A-Za-z0-9_./+-]+", folder) or folder.startswith("-"):
        raise ValueError(
            f"results are to be written to {folder!r} (a module's prefix, or Snakemake's pathvars.results); this path"
            " may have letters, digits and _ . / + - alone, and not begin with a dash"
        )


def hide_dashes(config: Mapping[str, Any]) -> None:
    """Make paths that begin with a dash absolute, in place."""
    for where, section, key in _places(config):
        if section[key].startswith("-") and where not in WITHIN_AUDIO_ROOT:
            section[key] = str(Path(section[key]).absolute())


def _places(config: Mapping[str, Any]) -> Iterator[tuple[str, Any, str]]:
    """(key's path, the section that holds it, its last part) of each text under PATHS."""
    for pattern in PATHS:
        found: list[tuple[str, Any, str]] = [("", {"": config}, "")]
        for part in pattern.split("."):
            found = [
                (f"{where}.{key}" if where else key, section[last], key)
                for where, section, last in found
                if isinstance(section[last], dict)
                for key in (section[last] if part == "*" else [part])
                if key in section[last]
            ]
        yield from (place for place in found if isinstance(place[1][place[2]], str))
