"""Where sound files lie: a file that several names lead to is read under one of them."""

import os
from functools import lru_cache
from pathlib import Path

from scripts.common.file_tree import identity
from scripts.corpus.drops import DropError
from scripts.corpus.speech.seen_ids import SeenIds

real_path = lru_cache(maxsize=16)(os.path.realpath)  # of the folders that the files at hand are in


class SoundPlaces:
    """The sound files that were read so far; memory: 12 to 24 bytes for each.

    Args:
        root: folder that the cuts' paths are relative to.
    """

    def __init__(self, root: Path):
        self._root = root.resolve()
        self._seen = SeenIds()

    def check(self, path: Path, source: str) -> str:
        """What `add` takes once the file is read; `source` is its path for messages.

        Raises:
            DropError: with reason `same-file`, if it was read under another name.
            AudioError: there is no such file.
            UnreachableError: the system cannot tell.
        """
        place = "{}:{}".format(*identity(path))
        if place in self._seen:
            raise DropError("same-file", f"{source} is a link to a file that is read under another name")
        return place

    def add(self, place: str) -> None:
        """Record that a file was read."""
        self._seen.add(place)

    def recording(self, path: Path, name: str) -> str:
        """A name for the place where a file lies: below the root without ending, `name` where it lies elsewhere."""
        real = Path(os.path.realpath(path)) if path.is_symlink() else Path(real_path(path.parent), path.name)
        inside = real.is_relative_to(self._root)
        return real.relative_to(self._root).with_suffix("").as_posix() if inside else name
