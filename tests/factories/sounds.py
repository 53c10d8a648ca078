"""Sound files like those of truncated copies, pipes and other encoders."""

import struct
from pathlib import Path

import numpy as np
import soundfile

RATE = 16_000
UNREADABLE = Path("/proc/self/mem")  # opens, and every read from its start fails with EIO
MP3_BITRATES = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320]  # kbit/s, MPEG 1 layer III
MP3_RATES = [44_100, 48_000, 32_000]


def noise(seconds: float, rate: int = RATE, channels: int = 1) -> np.ndarray:
    """Seeded noise, float64 [N] or [N, channels]."""
    shape = (round(seconds * rate), channels)[: 1 if channels == 1 else 2]
    return np.random.default_rng(1).uniform(-0.3, 0.3, shape)


def break_off(path: Path, share: float) -> None:
    """Keep the first part of a file's bytes, as a copy that was interrupted."""
    content = path.read_bytes()
    path.write_bytes(content[: round(share * len(content))])


def streamed_wav(path: Path, wave: np.ndarray, size: int = 0xFFFFFFFF, rate: int = RATE) -> None:
    """A WAV from a pipe: `size` replaces its length."""
    soundfile.write(path, wave, rate, format="WAV", subtype="PCM_16")
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, 4, min(0xFFFFFFFF, size + 36))
    struct.pack_into("<I", content, content.index(b"data") + 4, size)
    path.write_bytes(content)


def streamed_flac(path: Path, wave: np.ndarray, rate: int = RATE) -> None:
    """A FLAC from a pipe: zero samples in its STREAMINFO, which means unknown."""
    soundfile.write(path, wave, rate, format="FLAC", subtype="PCM_16")
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    path.write_bytes(content)


def headerless_mp3(path: Path, wave: np.ndarray, rate: int = 44_100) -> None:
    """A constant bit rate MP3 whose first frame, LAME's header, is cut away."""
    with soundfile.SoundFile(path, "w", rate, 1, format="MP3", compression_level=0.5, bitrate_mode="CONSTANT") as file:
        file.write(wave)
    content = path.read_bytes()
    bits = content[2]
    first = 144_000 * MP3_BITRATES[bits >> 4] // MP3_RATES[(bits >> 2) & 3] + ((bits >> 1) & 1)
    assert b"Info" in content[:first]
    assert content[first] == 0xFF
    path.write_bytes(content[first:])
