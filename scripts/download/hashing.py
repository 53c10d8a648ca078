"""Digests computed in a thread of their own while blocks are read and written: hashlib releases the GIL."""

import hashlib
from queue import Queue
from threading import Thread
from types import TracebackType


class Hasher:
    """A digest of blocks given in order; `digest` waits for the last. At most 16 blocks wait at a time."""

    def __init__(self, algorithm: str):
        self.algorithm = algorithm
        self.hash = hashlib.new(algorithm, usedforsecurity=False)
        self.queue: Queue[bytes | memoryview | None] = Queue(maxsize=16)
        self.thread = Thread(target=self._work, daemon=True)
        self.thread.start()

    def update(self, block: bytes | memoryview) -> None:
        """Take a block, which must not change afterwards."""
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
