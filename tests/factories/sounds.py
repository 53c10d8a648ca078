"""Sound files like those of truncated copies, pipes and other encoders."""

import struct
from pathlib import Path

import numpy as np
import soundfile

RATE = 16_000
UNREADABLE = Path("/proc/self/mem")  # opens, and every read from its start fails with EIO
MP3_BITRATES = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320]  # kbit/s, MPEG 1 layer III
MP3_RATES = [44_100, 48_000, 32_000]
LOW_BITRATES = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]  # MPEG 2
LOW_RATES = [22_050, 24_000, 16_000]


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


def headerless_mp3(
    path: Path, wave: np.ndarray, rate: int = 44_100, mode: str = "CONSTANT", level: float = 0.5
) -> None:
    """An MP3 whose first frame, LAME's header, is cut away; `mode` is how its bit rate varies."""
    with soundfile.SoundFile(path, "w", rate, 1, format="MP3", compression_level=level, bitrate_mode=mode) as file:
        file.write(wave)
    content = path.read_bytes()
    bits, high = content[2], content[1] & 0x08
    kbit_rates, rates, bytes_per_kbit = (
        (MP3_BITRATES, MP3_RATES, 144_000) if high else (LOW_BITRATES, LOW_RATES, 72_000)
    )
    first = bytes_per_kbit * kbit_rates[bits >> 4] // rates[(bits >> 2) & 3] + ((bits >> 1) & 1)
    assert any(tag in content[:first] for tag in (b"Info", b"Xing"))
    assert content[first] == 0xFF
    path.write_bytes(content[first:])
