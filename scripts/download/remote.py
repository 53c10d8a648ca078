"""Read a file from its mirrors as one stream of bytes, across interrupted connections.

requests handles proxies, certificates, credentials and redirects. This module resumes at the byte where a connection
broke, detects servers that are too slow, and refuses to join two versions of a file.
"""

import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import requests
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import RequestException, SSLError, Timeout
from urllib3.exceptions import HTTPError

from scripts.download.config import Patience
from scripts.download.registry import Checksum
from scripts.download.responses import Answer, Changed, Refused, Temporary, checksum_in, judge, strong

BLOCK = 1 << 20  # bytes asked of a socket at once


@dataclass(frozen=True)
class Version:
    """Which version of the file was begun: as much as the server said of it."""

    url: str
    size: int | None
    validator: str | None


class Remote:
    """A file on its mirrors.

    Args:
        name: what messages call it.
        urls: mirrors, the best first.
        size: bytes if they are known beforehand: a server with another file is refused.
        checksum: how its content is known, if it is.
        patience: when to give up.
        begun: the version that an earlier run read a part of.
        sleep: waits; tests pass their own.
    """

    def __init__(
        self,
        name: str,
        urls: Sequence[str],
        size: int | None,
        checksum: Checksum | None,
        patience: Patience,
        begun: Version | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ):
        self.name, self.size, self.checksum, self.patience, self.sleep = name, size, checksum, patience, sleep
        self.fixed_size = size is not None
        self.waiting = list(urls)
        self.version: Version | None = begun
        if begun and begun.url in self.waiting:  # go on where the part came from
            self.waiting.remove(begun.url)
            self.waiting.insert(0, begun.url)
        self.digest = checksum.digest if checksum else None
        self.failures = 0
        self.pieced = False  # the bytes read so far came over more than one connection
        self.reasons: list[str] = []
        self.session = requests.Session()
        self.response: requests.Response | None = None
        self.offset = self.skip = 0

    @property
    def url(self) -> str:
        """The mirror in use."""
        return self.waiting[0]

    def open(self, offset: int) -> None:
        """Ask for the file from `offset` on; `size` and `digest` are known afterwards if the server tells.

        Raises:
            Changed: no mirror has the version that was begun; begin again from 0.
            OSError: no mirror gives the file; the message has every mirror's reason.
        """
        self.close()
        while True:
            try:
                self._ask(offset)
            except Temporary as reason:
                self._wait(str(reason), reason.wait)
            except Refused as reason:
                self.leave(str(reason))
            else:
                return

    def blocks(self) -> Iterator[bytes]:
        """The bytes from the opened offset to the end of the file, over as many connections as it takes."""
        while True:
            try:
                for block in self._body():
                    self.offset += len(block)
                    yield block
            except Temporary as reason:
                self.pieced = True
                self._wait(f"{reason} after {self.offset:,} bytes", reason.wait)
                self.open(self.offset)
            else:
                self.close()
                return

    def leave(self, reason: str) -> None:
        """Give up the mirror in use.

        Raises:
            OSError: it was the last.
        """
        self.close()
        self.reasons.append(f"{self.url}: {reason}")
        self._say(f"{reason}; leaving {self.url}")
        self.waiting.pop(0)
        self.failures, self.version = 0, None
        if not self.waiting:
            raise OSError(f"{self.name} cannot be fetched:\n  " + "\n  ".join(self.reasons))

    def forget(self) -> None:
        """Begin anew: whatever version the server has now will do."""
        self.close()
        self.version, self.pieced = None, False
        self.digest = self.checksum.digest if self.checksum else None
        if not self.fixed_size:
            self.size = None

    def close(self) -> None:
        """End the connection."""
        if self.response is not None:
            self.response.close()
            self.response = None

    def _ask(self, offset: int) -> None:
        known = self.version.validator if self.version and self.version.url == self.url else None
        headers = {"Accept-Encoding": "identity"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
            if validator := strong(known):
                headers["If-Range"] = validator
        try:
            response = self.session.get(self.url, headers=headers, stream=True, timeout=self.patience.timeout)
        except SSLError as error:
            raise Refused(f"no trust in its certificate ({_short(error)})") from None
        except Timeout:
            raise Temporary(f"no answer within {self.patience.timeout:g} s") from None
        except NoConnection as error:
            raise Temporary(f"no connection ({_short(error)})") from None
        except RequestException as error:  # an impossible URL, too many redirects
            raise Refused(_short(error)) from None
        try:
            answer = judge(response.status_code, response.reason or "", response.headers, offset)
            self._compare(answer, known)
        except (Temporary, Refused, Changed):
            response.close()
            raise
        if self.checksum and self.checksum.header and self.digest is None:
            answers = [*response.history, response]
            self.digest = next((d for a in answers if (d := checksum_in(a.headers, self.checksum))), None)
        if offset and self.digest is None and not (self.version and self.version.url == self.url):
            response.close()
            raise Changed("another mirror, and no checksum to show that its file is the same")
        if answer.skip:
            self._say(f"the server ignores ranges: reading its first {offset:,} bytes again")
        self.size = self.size if answer.size is None else answer.size
        self.version = Version(self.url, self.size, answer.validator or known)
        self.response, self.offset, self.skip = response, offset, answer.skip

    def _compare(self, answer: Answer, known: str | None) -> None:
        """Refuse another file than the one that was announced or begun."""
        if known and answer.validator and answer.validator.removeprefix("W/") != known.removeprefix("W/"):
            raise Changed(f"the file on the server is another one now ({answer.validator}, was {known})")
        if self.size is not None and answer.size is not None and answer.size != self.size:
            same = self.version and self.version.url == self.url and not self.fixed_size
            problem = f"the server's file has {answer.size:,} bytes, not {self.size:,}"
            raise Changed(problem) if same else Refused(problem)

    def _body(self) -> Iterator[bytes]:
        """One connection's bytes; Temporary if it breaks, stalls or trickles before the file's end."""
        if self.response is None:
            raise AssertionError("open() comes first")
        left = None if self.size is None else self.size - self.offset
        began, window = time.monotonic(), 0
        while left is None or left > 0:
            try:
                block = self.response.raw.read1(BLOCK, decode_content=False)
            except (HTTPError, OSError) as error:
                raise Temporary(f"the connection broke ({_short(error)})") from None
            if not block:
                if left:
                    raise Temporary("the connection ended early")
                break
            window += len(block)
            if (seconds := time.monotonic() - began) >= self.patience.timeout:
                if window / seconds < self.patience.slowest:
                    raise Temporary(f"only {window / seconds:,.0f} bytes per second")
                self.failures = 0
                began, window = time.monotonic(), 0
            if self.skip:
                passed = min(self.skip, len(block))
                self.skip -= passed
                block = block[passed:]
            if left is not None:
                block = block[:left]
                left -= len(block)
            if block:
                yield block
            if window >= self.patience.slowest * self.patience.timeout:
                self.failures = 0  # a connection that works

    def _wait(self, reason: str, wait: float | None) -> None:
        """Sleep before the next attempt, or give up the mirror after the last."""
        self.close()
        self.failures += 1
        if self.failures >= self.patience.attempts:
            self.leave(f"{reason} ({self.failures} failures in a row)")
            return
        if wait is not None and wait > self.patience.longest_wait:
            self.leave(f"{reason} and to come back in {wait:,.0f} s, more than download.longest_wait")
            return
        if wait is None:  # doubling, a little apart from everybody else's
            wait = min(self.patience.longest_wait, 2.0 ** (self.failures - 1)) * random.uniform(0.75, 1.0)
        self._say(f"{reason}; attempt {self.failures + 1} of {self.patience.attempts} in {wait:.0f} s")
        self.sleep(wait)

    def _say(self, what: str) -> None:
        print(f"{self.name}: {what}", file=sys.stderr, flush=True)


def _short(error: BaseException) -> str:
    """The innermost reason: requests wraps its errors three deep."""
    while True:
        inner = getattr(error, "reason", None) or next((a for a in error.args if isinstance(a, Exception)), None)
        if not isinstance(inner, BaseException):
            return str(error).split(": ", 1)[-1] or type(error).__name__
        error = inner
