"""Write a stream of cuts into shards, all open at once.

ISA-L uses the instructions of the processor, so the compressed bytes may differ between kinds of processors. On one
processor they are the same every time; the content is the same on all.
"""

import resource
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import orjson
from isal import igzip

from scripts.common.cuts import Cut
from scripts.common.files import atomic_path

LEVEL = 2  # of ISA-L: 5% larger than zlib's level 9 in a tenth of its time
BUFFER = 2**16  # bytes of lines per shard that are compressed together
SPARE_FILES = 64  # open files that a process has besides its shards


class Shards:
    """Open shard files; a new recording is assigned to the shard with the fewest seconds so far.

    Memory: about 0.5 MB per shard.

    Raises:
        OSError: the system does not let this process have so many open files.
    """

    def __init__(self, paths: Sequence[Path], stack: ExitStack):
        _allow_files(len(paths))
        self.seconds = [0.0] * len(paths)
        self.counts = [0] * len(paths)
        self.shard_of: dict[str, int] = {}
        self._files = []
        self._buffers: list[list[bytes]] = [[] for _ in paths]
        self._sizes = [0] * len(paths)
        for path in paths:
            raw = stack.enter_context(stack.enter_context(atomic_path(path)).open("wb"))
            file = igzip.IGzipFile(fileobj=raw, mode="wb", compresslevel=LEVEL, mtime=0, filename="")
            self._files.append(stack.enter_context(file))

    def write(self, cut: Cut) -> None:
        """Append a cut to its recording's shard."""
        recording = cut["recording"]["id"]
        shard = self.shard_of.get(recording)
        if shard is None:
            shard = self.shard_of[recording] = self.seconds.index(min(self.seconds))
        self.seconds[shard] += cut["duration"]
        self.counts[shard] += 1
        line = orjson.dumps(cut, option=orjson.OPT_APPEND_NEWLINE)
        self._buffers[shard].append(line)
        self._sizes[shard] += len(line)
        if self._sizes[shard] >= BUFFER:
            self._flush(shard)

    def finish(self) -> None:
        """Write the buffered lines; call it before the stack closes the files."""
        for shard in range(len(self._files)):
            self._flush(shard)

    def _flush(self, shard: int) -> None:
        self._files[shard].write(b"".join(self._buffers[shard]))
        self._buffers[shard].clear()
        self._sizes[shard] = 0


def _allow_files(count: int) -> None:
    """Raise this process's limit of open files to hold `count` shards; OSError if the system does not allow it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    required = count + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < required:
        if hard != resource.RLIM_INFINITY and hard < required:
            raise OSError(f"corpus.shards: {count} shards need {required} open files; the system's limit is {hard}")
        resource.setrlimit(resource.RLIMIT_NOFILE, (required, hard))
