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

FOR_EVER = 10**9  # seconds; urllib3 would cut a longer word of the server's to 6 hours


class Temporary(Exception):  # noqa: N818 - a state of the server, not an error of the program
    """The same request may succeed later; `wait` is the server's own word on when, in seconds."""

    def __init__(self, reason: str, wait: float | None = None):
        super().__init__(reason)
        self.wait = wait


class Refused(Exception):  # noqa: N818
    """This URL will not give the file, however often it is asked."""


class Changed(Exception):  # noqa: N818
    """What the server has now is not the file that was begun."""


@dataclass(frozen=True)
class Answer:
    """A body that can be used.

    Attributes:
        size: bytes of the whole file; None if the server does not say.
        skip: bytes of the body before the one that was asked for.
        validator: the server's name for this version of the file, None if it has none.
    """

    size: int | None
    skip: int
    validator: str | None


def judge(status: int, reason: str, headers: Mapping[str, str], offset: int) -> Answer:
    """Read an answer's status and headers.

    Raises:
        Temporary, Refused, Changed: in place of an answer with data.
    """
    said = f"{status} {reason}".strip()
    if status in (408, 425, 429) or status >= 500:
        raise Temporary(f"the server answers {said}", _retry_after(headers.get("Retry-After")))
    if status == 416 and offset:
        end = re.fullmatch(r"bytes \*/(\d+)", headers.get("Content-Range", ""))
        if end and int(end[1]) == offset:
            return Answer(offset, 0, None)
        raise Changed(f"the server has no byte {offset} ({said}, {headers.get('Content-Range', 'no Content-Range')})")
    if status not in (200, 206):
        raise Refused(f"the server answers {said}")
    if (encoding := headers.get("Content-Encoding", "identity")) != "identity":
        raise Refused(f"the server sends the file in another encoding ({encoding})")
    if headers.get("Content-Type", "").split(";")[0].strip().lower() in ("text/html", "application/xhtml+xml"):
        raise Refused("the server sends a web page instead of the file")
    validator = headers.get("ETag") or headers.get("Last-Modified")
    if status == 200:
        length = headers.get("Content-Length", "")
        return Answer(int(length) if length.isdigit() else None, offset, validator)
    found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", headers.get("Content-Range", ""))
    if not found or int(found[1]) != offset:
        raise Refused(f"asked for byte {offset}, the server sends {headers.get('Content-Range', 'an unnamed range')!r}")
    return Answer(None if found[3] == "*" else int(found[3]), 0, validator)


def strong(validator: str | None) -> str | None:
    """The validator if If-Range may carry it (RFC 9110, section 13.1.5), else None."""
    return validator if validator and not validator.startswith("W/") else None


def checksum_in(headers: Mapping[str, str], checksum: Checksum) -> str | None:
    """The digest that a host sends in the header `checksum.header`, None if it does not."""
    digest = headers.get(checksum.header or "", "").removeprefix("W/").strip('"').lower()
    return digest if re.fullmatch(r"[0-9a-f]+", digest) and len(digest) == ALGORITHMS[checksum.algorithm] else None


def _retry_after(value: str | None) -> float | None:
    """Seconds from a number of them or a date."""
    try:
        return None if value is None else Retry(retry_after_max=FOR_EVER).parse_retry_after(value)
    except InvalidHeader:
        return None
