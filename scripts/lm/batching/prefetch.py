"""Compute the items of an iterator ahead, in a background thread."""

import queue
from collections.abc import Iterable, Iterator
from threading import Event, Thread
from typing import Generic, TypeVar

Item = TypeVar("Item")
POLL_SECONDS = 0.1  # how often the thread checks whether the context has ended


class Prefetcher(Generic[Item]):
    """A context that gives an iterator over `items`, of which a thread keeps up to `depth` ready.

    An exception of `items` is raised in the consumer, after the items before it. The thread ends with the context.
    """

    def __init__(self, items: Iterable[Item], depth: int = 2):
        self._queue: queue.Queue[tuple[str, Item | BaseException | None]] = queue.Queue(depth)
        self._closed = Event()
        self._thread = Thread(target=self._run, args=(items,), name="prefetch", daemon=True)
        self._thread.start()

    def __enter__(self) -> Iterator[Item]:
        return iter(self)

    def __exit__(self, *error: object) -> None:
        """End the thread, drop the items that it has prepared, and wait until it has ended."""
        self._closed.set()
        self._thread.join()

    def __iter__(self) -> Iterator[Item]:
        while True:
            kind, value = self._queue.get()
            if kind == "error":
                raise value  # type: ignore[misc]
            if kind == "end":
                return
            yield value  # type: ignore[misc]

    def _run(self, items: Iterable[Item]) -> None:
        try:
            for item in items:
                if not self._put("item", item):
                    return
            self._put("end", None)
        except BaseException as error:  # the main thread raises it
            self._put("error", error)

    def _put(self, kind: str, value: Item | BaseException | None) -> bool:
        """Put an item into the queue; False if the context ended before there was room."""
        while not self._closed.is_set():
            try:
                self._queue.put((kind, value), timeout=POLL_SECONDS)
                return True
            except queue.Full:
                continue
        return False
