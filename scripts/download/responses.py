"""Interpret a server's response to a range request: data, a reason to retry, or a reason to give up the URL.

The rules are those of RFC 9110: 206 and Content-Range (sections 14.4 and 15.3.7), 416 (15.5.17), Retry-After (10.2.3).
A server may ignore Range and answer 200 with the whole file; that is allowed, and costs reading it again.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from scripts.download.registry import ALGORITHMS, Checksum

MAX_RETRY_AFTER = 10**9  # seconds; urllib3's default would shorten a longer Retry-After to 6 hours


class TransientError(Exception):
    """The same request may succeed later; `wait` is the server's Retry-After in seconds, if it sent one."""

    def __init__(self, reason: str, wait: float | None = None):
        super().__init__(reason)
        self.wait = wait


class PermanentError(Exception):
    """Repeating the request to this URL will not give the file."""


class FileChangedError(Exception):
    """The server's file is not the version of which a part was downloaded."""


@dataclass(frozen=True)
class RangeResponse:
    """A response whose body holds the requested bytes.

    Attributes:
        size: bytes of the whole file; None if the server does not say.
        skip: bytes of the body before the requested offset.
        validator: ETag or Last-Modified of this version of the file, None if the server sends neither.
    """

    size: int | None
    skip: int
    validator: str | None


def parse_response(status: int, reason: str, headers: Mapping[str, str], offset: int) -> RangeResponse:
    """Interpret a response's status and headers.

    Raises:
        TransientError, PermanentError, FileChangedError: the response holds no data to use.
    """
    status_line = f"{status} {reason}".strip()
    if status in (408, 425, 429) or status >= 500:
        raise TransientError(f"the server answers {status_line}", _retry_after(headers.get("Retry-After")))
    if status == 416 and offset:
        total = re.fullmatch(r"bytes \*/(\d+)", headers.get("Content-Range", ""))
        if total and int(total[1]) == offset:
            return RangeResponse(offset, 0, None)
        raise FileChangedError(
            f"the server has no byte {offset} ({status_line}, {headers.get('Content-Range', 'no Content-Range')})"
        )
    if status not in (200, 206):
        raise PermanentError(f"the server answers {status_line}")
    if (encoding := headers.get("Content-Encoding", "identity")) != "identity":
        raise PermanentError(f"the server sends the file in another encoding ({encoding})")
    if headers.get("Content-Type", "").split(";")[0].strip().lower() in ("text/html", "application/xhtml+xml"):
        raise PermanentError("the server sends a web page instead of the file")
    validator = headers.get("ETag") or headers.get("Last-Modified")
    if status == 200:
        length = headers.get("Content-Length", "")
        return RangeResponse(int(length) if length.isdigit() else None, offset, validator)
    content_range = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", headers.get("Content-Range", ""))
    if not content_range or int(content_range[1]) != offset:
        raise PermanentError(
            f"asked for byte {offset}, the server sends {headers.get('Content-Range', 'an unnamed range')!r}"
        )
    return RangeResponse(None if content_range[3] == "*" else int(content_range[3]), 0, validator)


def strong_validator(validator: str | None) -> str | None:
    """The validator if If-Range may carry it (RFC 9110, section 13.1.5), else None."""
    return validator if validator and not validator.startswith("W/") else None


def digest_from_headers(headers: Mapping[str, str], checksum: Checksum) -> str | None:
    """The digest in the header `checksum.header`, None if it is absent or malformed."""
    digest = headers.get(checksum.header or "", "").removeprefix("W/").strip('"').lower()
    return digest if re.fullmatch(r"[0-9a-f]+", digest) and len(digest) == ALGORITHMS[checksum.algorithm] else None


def _retry_after(value: str | None) -> float | None:
    """Seconds to wait, from a Retry-After of seconds or a date."""
    try:
        return None if value is None else Retry(retry_after_max=MAX_RETRY_AFTER).parse_retry_after(value)
    except InvalidHeader:
        return None
