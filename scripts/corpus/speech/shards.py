"""Dealing a stream of cuts into shards, all open at once.

ISA-L compresses with what the processor has, so that a file's bytes may differ from one kind of processor to another;
on one they are the same every time, and so is the content on all.
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
BUFFER = 2**16  # bytes of lines per shard that wait to be compressed together
SPARE_FILES = 64  # open files that a process has besides its shards


class Shards:
    """Open shard files and the deal: a recording goes to the shard with the fewest seconds when it is first met.

    Memory: about 0.5 MB per shard.

    Raises:
        OSError: the system does not let this process have so many open files.
    """

    def __init__(self, paths: Sequence[Path], stack: ExitStack):
        _allow_files(len(paths))
        self.seconds = [0.0] * len(paths)
        self.counts = [0] * len(paths)
        self.of: dict[str, int] = {}
        self._files = []
        self._waiting: list[list[bytes]] = [[] for _ in paths]
        self._sizes = [0] * len(paths)
        for path in paths:
            raw = stack.enter_context(stack.enter_context(atomic_path(path)).open("wb"))
            file = igzip.IGzipFile(fileobj=raw, mode="wb", compresslevel=LEVEL, mtime=0, filename="")
            self._files.append(stack.enter_context(file))

    def write(self, cut: Cut) -> None:
        """Append a cut to its recording's shard."""
        recording = cut["recording"]["id"]
        shard = self.of.get(recording)
        if shard is None:
            shard = self.of[recording] = self.seconds.index(min(self.seconds))
        self.seconds[shard] += cut["duration"]
        self.counts[shard] += 1
        line = orjson.dumps(cut, option=orjson.OPT_APPEND_NEWLINE)
        self._waiting[shard].append(line)
        self._sizes[shard] += len(line)
        if self._sizes[shard] >= BUFFER:
            self._flush(shard)

    def finish(self) -> None:
        """Write what waits; to be called before the stack that holds the files closes them."""
        for shard in range(len(self._files)):
            self._flush(shard)

    def _flush(self, shard: int) -> None:
        self._files[shard].write(b"".join(self._waiting[shard]))
        self._waiting[shard].clear()
        self._sizes[shard] = 0


def _allow_files(count: int) -> None:
    """Raise this process' own limit of open files as far as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        if hard != resource.RLIM_INFINITY and hard < wanted:
            raise OSError(f"corpus.shards: {count} shards need {wanted} open files; the system's limit is {hard}")
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
