"""Read a file from its mirrors as one stream of bytes, across interrupted connections.

requests handles proxies, certificates, credentials and redirects. This module resumes at the byte where a connection
broke, detects connections that are too slow, and refuses to join two versions of a file.
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

from scripts.download.config import RetryPolicy
from scripts.download.registry import Checksum
from scripts.download.responses import (
    FileChangedError,
    PermanentError,
    RangeResponse,
    TransientError,
    digest_from_headers,
    parse_response,
    strong_validator,
)

BLOCK = 1 << 20  # bytes per read of a socket


@dataclass(frozen=True)
class Version:
    """The version of the file that a partial download belongs to, as far as the server describes it."""

    url: str
    size: int | None
    validator: str | None


class RemoteFile:
    """A file on its mirrors.

    Args:
        name: prefix of log messages.
        urls: mirrors in order of preference.
        size: bytes, if known beforehand: a mirror whose file has another size is refused.
        checksum: the published checksum, if there is one.
        retry_policy: when to retry and when to give up.
        partial: the version that an earlier run downloaded a part of.
        sleep: replaces time.sleep in tests.
    """

    def __init__(
        self,
        name: str,
        urls: Sequence[str],
        size: int | None,
        checksum: Checksum | None,
        retry_policy: RetryPolicy,
        partial: Version | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ):
        self.name, self.size, self.checksum, self.retry_policy, self.sleep = name, size, checksum, retry_policy, sleep
        self.size_is_fixed = size is not None
        self.mirrors = list(urls)
        self.version: Version | None = partial
        if partial and partial.url in self.mirrors:  # resume from the mirror that the part came from
            self.mirrors.remove(partial.url)
            self.mirrors.insert(0, partial.url)
        self.digest = checksum.digest if checksum else None
        self.failures = 0
        self.interrupted = False  # the bytes read so far came over more than one connection
        self.reasons: list[str] = []
        self.session = requests.Session()
        self.response: requests.Response | None = None
        self.offset = self.skip = 0

    @property
    def url(self) -> str:
        """The mirror in use."""
        return self.mirrors[0]

    def open(self, offset: int) -> None:
        """Request the file from `offset` on; sets `size` and `digest` if the server sends them.

        Raises:
            FileChangedError: no mirror has the version of the partial download; start again from 0.
            OSError: no mirror gives the file; the message lists every mirror's reason.
        """
        self.close()
        while True:
            try:
                self._request(offset)
            except TransientError as reason:
                self._back_off(str(reason), reason.wait)
            except PermanentError as reason:
                self.reject(str(reason))
            else:
                return

    def blocks(self) -> Iterator[bytes]:
        """The bytes from the opened offset to the end of the file, over one or several connections."""
        while True:
            try:
                for block in self._connection_blocks():
                    self.offset += len(block)
                    yield block
            except TransientError as reason:
                self.interrupted = True
                self._back_off(f"{reason} after {self.offset:,} bytes", reason.wait)
                self.open(self.offset)
            else:
                self.close()
                return

    def reject(self, reason: str) -> None:
        """Drop the mirror in use and continue with the next one.

        Raises:
            OSError: it was the last one.
        """
        self.close()
        self.reasons.append(f"{self.url}: {reason}")
        self._log(f"{reason}; giving up {self.url}")
        self.mirrors.pop(0)
        self.failures, self.version = 0, None
        if not self.mirrors:
            raise OSError(f"{self.name} cannot be fetched:\n  " + "\n  ".join(self.reasons))

    def reset(self) -> None:
        """Start again from 0 and accept the version that the server has now."""
        self.close()
        self.version, self.interrupted = None, False
        self.digest = self.checksum.digest if self.checksum else None
        if not self.size_is_fixed:
            self.size = None

    def close(self) -> None:
        """Close the connection."""
        if self.response is not None:
            self.response.close()
            self.response = None

    def _request(self, offset: int) -> None:
        known = self.version.validator if self.version and self.version.url == self.url else None
        headers = {"Accept-Encoding": "identity"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
            if validator := strong_validator(known):
                headers["If-Range"] = validator
        try:
            response = self.session.get(self.url, headers=headers, stream=True, timeout=self.retry_policy.timeout)
        except SSLError as error:
            raise PermanentError(f"its certificate is not trusted ({_innermost_message(error)})") from None
        except Timeout:
            raise TransientError(f"no answer within {self.retry_policy.timeout:g} s") from None
        except NoConnection as error:
            raise TransientError(f"no connection ({_innermost_message(error)})") from None
        except RequestException as error:  # an impossible URL, too many redirects
            raise PermanentError(_innermost_message(error)) from None
        try:
            parsed = parse_response(response.status_code, response.reason or "", response.headers, offset)
            self._check_version(parsed, known)
        except (TransientError, PermanentError, FileChangedError):
            response.close()
            raise
        if self.checksum and self.checksum.header and self.digest is None:
            hops = [*response.history, response]
            self.digest = next((d for hop in hops if (d := digest_from_headers(hop.headers, self.checksum))), None)
        if offset and self.digest is None and not (self.version and self.version.url == self.url):
            response.close()
            raise FileChangedError("another mirror, and no checksum to verify that its file is the same")
        if parsed.skip:
            self._log(f"the server ignores ranges: reading its first {offset:,} bytes again")
        self.size = self.size if parsed.size is None else parsed.size
        self.version = Version(self.url, self.size, parsed.validator or known)
        self.response, self.offset, self.skip = response, offset, parsed.skip

    def _check_version(self, parsed: RangeResponse, known: str | None) -> None:
        """Raise if the server's file is not the version of the partial download, or not of the expected size."""
        if known and parsed.validator and parsed.validator.removeprefix("W/") != known.removeprefix("W/"):
            raise FileChangedError(f"the file on the server has changed ({parsed.validator}, was {known})")
        if self.size is not None and parsed.size is not None and parsed.size != self.size:
            same = self.version and self.version.url == self.url and not self.size_is_fixed
            problem = f"the server's file has {parsed.size:,} bytes, not {self.size:,}"
            raise FileChangedError(problem) if same else PermanentError(problem)

    def _connection_blocks(self) -> Iterator[bytes]:
        """One connection's bytes; TransientError if it breaks, stalls or is too slow before the file's end."""
        if self.response is None:
            raise AssertionError("open() comes first")
        remaining = None if self.size is None else self.size - self.offset
        began, window = time.monotonic(), 0
        while remaining is None or remaining > 0:
            try:
                block = self.response.raw.read1(BLOCK, decode_content=False)
            except (HTTPError, OSError) as error:
                raise TransientError(f"the connection broke ({_innermost_message(error)})") from None
            if not block:
                if remaining:
                    raise TransientError("the connection ended early")
                break
            window += len(block)
            if (seconds := time.monotonic() - began) >= self.retry_policy.timeout:
                if window / seconds < self.retry_policy.slowest:
                    raise TransientError(f"only {window / seconds:,.0f} bytes per second")
                self.failures = 0
                began, window = time.monotonic(), 0
            if self.skip:
                skipped = min(self.skip, len(block))
                self.skip -= skipped
                block = block[skipped:]
            if remaining is not None:
                block = block[:remaining]
                remaining -= len(block)
            if block:
                yield block
            if window >= self.retry_policy.slowest * self.retry_policy.timeout:
                self.failures = 0  # a connection that works

    def _back_off(self, reason: str, wait: float | None) -> None:
        """Sleep before the next attempt; reject the mirror after the last one."""
        self.close()
        self.failures += 1
        if self.failures >= self.retry_policy.attempts:
            self.reject(f"{reason} ({self.failures} failures in a row)")
            return
        if wait is not None and wait > self.retry_policy.longest_wait:
            self.reject(f"{reason}, Retry-After is {wait:,.0f} s, more than download.longest_wait")
            return
        if wait is None:  # exponential, with jitter so that clients do not retry at the same time
            wait = min(self.retry_policy.longest_wait, 2.0 ** (self.failures - 1)) * random.uniform(0.75, 1.0)
        self._log(f"{reason}; attempt {self.failures + 1} of {self.retry_policy.attempts} in {wait:.0f} s")
        self.sleep(wait)

    def _log(self, message: str) -> None:
        print(f"{self.name}: {message}", file=sys.stderr, flush=True)


def _innermost_message(error: BaseException) -> str:
    """The message of the innermost cause: requests wraps urllib3's errors up to three times."""
    while True:
        inner = getattr(error, "reason", None) or next((a for a in error.args if isinstance(a, Exception)), None)
        if not isinstance(inner, BaseException):
            return str(error).split(": ", 1)[-1] or type(error).__name__
        error = inner
