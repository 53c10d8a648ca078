import threading
import time

import pytest

from scripts.lm.batching.prefetch import Prefetcher


def prefetching():
    return [thread for thread in threading.enumerate() if thread.name == "prefetch"]


def test_items_come_in_their_order_from_another_thread():
    threads = []

    def items():
        for item in range(100):
            threads.append(threading.current_thread())
            yield item

    with Prefetcher(items()) as found:
        assert list(found) == list(range(100))
    assert set(threads) != {threading.current_thread()}
    assert not prefetching()


def test_no_more_than_its_depth_is_made_ahead():
    made = []

    def items():
        for item in range(100):
            made.append(item)
            yield item

    with Prefetcher(items(), depth=3) as found:
        assert next(found) == 0
        deadline = time.monotonic() + 10
        while len(made) < 5 and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.2)
        assert len(made) == 5  # one taken, three ready, one in the thread's hands
    assert not prefetching()


def test_an_error_is_raised_where_its_item_would_have_come():
    def items():
        yield 1
        raise ValueError("the file is damaged")

    with Prefetcher(items()) as found:
        assert next(found) == 1
        with pytest.raises(ValueError, match="the file is damaged"):
            next(found)
    assert not prefetching()


def test_leaving_early_ends_the_thread():
    def endless():
        while True:
            yield 1

    with pytest.raises(SystemExit), Prefetcher(endless()) as found:
        next(found)
        raise SystemExit(143)
    assert not prefetching()
