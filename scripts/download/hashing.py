"""Compute a digest in a thread while blocks are read and written: hashlib releases the GIL."""

import hashlib
from queue import Queue
from threading import Thread
from types import TracebackType


class Hasher:
    """A digest of blocks in order; `digest` waits for the last one. The queue holds at most 16 blocks."""

    def __init__(self, algorithm: str):
        self.algorithm = algorithm
        self.hash = hashlib.new(algorithm, usedforsecurity=False)
        self.queue: Queue[bytes | memoryview | None] = Queue(maxsize=16)
        self.thread = Thread(target=self._work, daemon=True)
        self.thread.start()

    def update(self, block: bytes | memoryview) -> None:
        """Append a block, which must not be modified afterwards."""
        self.queue.put(block)

    def digest(self) -> str:
        """The digest of all blocks, in hexadecimal digits; ends the thread."""
        self._end()
        return self.hash.hexdigest()

    def __enter__(self) -> "Hasher":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _work(self) -> None:
        while (block := self.queue.get()) is not None:
            self.hash.update(block)

    def _end(self) -> None:
        if self.thread.is_alive():
            self.queue.put(None)
            self.thread.join()
