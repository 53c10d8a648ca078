"""The length that the header of a sound file states, read from the header's own bytes.

libsndfile corrects the length of a WAV, AIFF, CAF, AU, W64 or NIST SPHERE file to what the file holds and says so in a
log of limited length, so a copy that broke off looks like a whole shorter file. So does an Ogg, whose length stands in
its last page. FLAC and MP3 with a Xing header keep their stated length: decoding then stops early. A program that
writes into a pipe cannot state a length and writes a placeholder.

Sources: Microsoft's RIFF and RFC 2361 (WAV), EBU Tech 3306 (RF64), Sony's Wave64, Apple's AIFF-C and Core Audio Format,
Sun's AU, NIST's SPHERE, RFC 3533 (Ogg), Xing's VBR header.
"""

import math
import os
import struct

# Sizes that stand for "unknown": ffmpeg writes the largest number, SoX 0x7FFFF000, arecord 2 GiB, some less the header.
PLACEHOLDERS = ((0x7FFFEF00, 0x80000000), (0xFFFFEF00, 0xFFFFFFFF))
MAX_CHUNKS = 10_000
W64_DATA = bytes.fromhex("64617461f3acd3118cd100c04f8edb8a")
OGG_PAGE = 27 + 255 + 255 * 255  # bytes of the largest page
OGG_LAST = 4  # flag of the last page of a stream
MP3_TAGS = (b"Xing", b"Info", b"VBRI")
MP3_FRAME = 200  # bytes from a frame's start within which its tag stands


def missing_share(handle: int) -> float:
    """Share of the promised samples' bytes that are not in the file, from 0 to 1; 0 where nothing is promised.

    Args:
        handle: descriptor of the open file; its position is not moved.
    """
    start = os.pread(handle, 16, 0)
    size = os.fstat(handle).st_size
    found = None
    if start[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64"):
        found = _riff(handle, size, ">" if start[:4] == b"RIFX" else "<")
    elif start[:4] == b"FORM" and start[8:12] in (b"AIFF", b"AIFC"):
        found = _chunk(handle, size, ">", b"SSND")
    elif start[:4] in (b".snd", b"dns."):
        found = struct.unpack(">2I" if start[:4] == b".snd" else "<2I", start[4:12].ljust(8, b"\0"))
    elif start[:4] == b"riff":
        found = _wave64(handle, size)
    elif start[:4] == b"caff":
        found = _core_audio(handle, size)
    elif start[:7] == b"NIST_1A":
        found = _sphere(handle)
    if found is None:
        return 0.0
    position, promised = found
    if promised == 0 or any(low <= promised <= high for low, high in PLACEHOLDERS):
        return 0.0
    return max(0.0, 1 - (size - position) / promised)


def _chunk(handle: int, size: int, order: str, name: bytes) -> tuple[int, int] | None:
    """(position, stated bytes) of a chunk of RIFF or AIFF."""
    position = 12
    for _ in range(MAX_CHUNKS):
        head = os.pread(handle, 8, position)
        if len(head) < 8 or position >= size:
            return None
        length = struct.unpack(f"{order}I", head[4:])[0]
        if head[:4] == name:
            return position + 8, length
        position += 8 + length + length % 2
    return None


def _riff(handle: int, size: int, order: str) -> tuple[int, int] | None:
    found = _chunk(handle, size, order, b"data")
    if found and found[1] == 0xFFFFFFFF and (ds64 := _chunk(handle, size, order, b"ds64")):
        body = os.pread(handle, 16, ds64[0])  # sizes of file and data, 64 bits each
        return found[0], struct.unpack(f"{order}Q", body[8:].ljust(8, b"\0"))[0]
    return found


def _wave64(handle: int, size: int) -> tuple[int, int] | None:
    position = 40
    for _ in range(MAX_CHUNKS):
        head = os.pread(handle, 24, position)
        if len(head) < 24 or position >= size:
            return None
        length = struct.unpack("<Q", head[16:])[0]  # with these 24 bytes
        if head[:16] == W64_DATA:
            return position + 24, max(0, length - 24)
        position += max(24, -(-length // 8) * 8)
    return None


def _core_audio(handle: int, size: int) -> tuple[int, int] | None:
    position = 8
    for _ in range(MAX_CHUNKS):
        head = os.pread(handle, 12, position)
        if len(head) < 12 or position >= size:
            return None
        length = struct.unpack(">q", head[4:])[0]  # -1 from a pipe
        if head[:4] == b"data":
            return position + 12, max(0, length)
        position += 12 + max(0, length)
    return None


def _sphere(handle: int) -> tuple[int, int] | None:
    """(position, bytes) of uncompressed samples, from lines `name -type value` of the header."""
    head = os.pread(handle, 16, 0)
    try:
        position = int(head[8:])
        fields = {words[0]: words[2] for line in os.pread(handle, position, 0).split(b"\n")
                  if len(words := line.split()) == 3}  # fmt: skip
        sizes = [int(fields[name]) for name in (b"sample_count", b"channel_count", b"sample_n_bytes")]
    except (ValueError, KeyError):
        return None
    if b"," in fields.get(b"sample_coding", b""):  # e.g. pcm,embedded-shorten-v2.00
        return None
    return position, math.prod(sizes)


def lacks_last_page(handle: int) -> bool:
    """Whether this is an Ogg file whose last page is incomplete, or not marked as the last of its stream."""
    if os.pread(handle, 4, 0) != b"OggS":
        return False
    tail = os.pread(handle, OGG_PAGE, max(0, os.fstat(handle).st_size - OGG_PAGE))
    page = tail[tail.rfind(b"OggS\0") :] if b"OggS\0" in tail else b""
    if len(page) < 27:
        return True
    segments = page[26]
    length = 27 + segments + sum(page[27 : 27 + segments])
    return len(page) < length or not page[5] & OGG_LAST


def mp3_start(handle: int) -> int:
    """Position of the first frame of an MP3, behind an ID3v2 tag."""
    start = os.pread(handle, 10, 0)
    if start[:3] == b"ID3" and len(start) == 10:
        return 10 + sum((byte & 127) << shift for byte, shift in zip(start[6:], (21, 14, 7, 0), strict=True))
    return 0


def states_mp3_length(handle: int) -> bool:
    """Whether the first frame of an MP3 has a header with the length; without one libsndfile estimates it."""
    frame = os.pread(handle, MP3_FRAME, mp3_start(handle))
    return any(tag in frame for tag in MP3_TAGS)
