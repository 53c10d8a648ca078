"""Name what stands in the place of a data file: a pointer of Git LFS, a web page, a file compressed in another way."""

from pathlib import Path

from scripts.common.steady_file import open_steadily

HEAD = 512  # bytes that are looked at
WEB_PAGES = (b"<!doctype", b"<!--", b"<html", b"<?xml", b"<head")
STAND_INS = (
    (
        b"version https://git-lfs.github.com/spec/",
        "a pointer of Git LFS, not the file itself; run `git lfs pull` in the repository that it is from",
    ),
    (b"/annex/objects/", "a pointer of git-annex, not the file itself; run `git annex get` in its repository"),
)
COMPRESSED = (
    (b"\x1f\x8b", "gzip"),
    (b"PK\x03\x04", "zip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
)


def check_kind(path: str | Path, *, compressed: bool = False) -> None:
    """Check by its first bytes that a file can be what its reader expects: text, or with `compressed` gzip.

    Raises:
        OSError: it cannot be opened or read (see steady_file.py).
        ValueError: naming the file, what it is and what to do.
    """
    with open_steadily(path) as file:
        head = file.read(HEAD)
    if problem := _problem(head, compressed):
        raise ValueError(f"{path}: {problem}")


def _problem(head: bytes, compressed: bool) -> str:
    """What a file that begins with these bytes is instead of what is expected; empty if it can be that."""
    for start, words in STAND_INS:
        if head.startswith(start):
            return f"is {words}"
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(WEB_PAGES):
        return "is a web page (HTML or XML), not the file itself; a server sent an error or a login: fetch it again"
    found = next((name for start, name in COMPRESSED if head.startswith(start)), None)
    if compressed:
        if found == "gzip":
            return ""
        if not head:
            return "is empty (0 bytes), not even a gzip file; a copy or download broke off: fetch or make it again"
        kind = f"compressed with {found}" if found else "not compressed with gzip"
        return f"is {kind}, though its name ends in .gz; compress it with gzip, or name it for what it is"
    if found:
        return f"is compressed with {found}; unpack it, or give the name of the file inside"
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "holds zero bytes, so it is binary data or UTF-16; expected UTF-8 text"
    return ""
