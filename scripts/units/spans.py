"""How a long utterance is cut into chunks whose units, put together, are those of the whole.

An utterance of at most `chunk` frames goes through the encoder whole. A longer one is cut into chunks of exactly
`chunk` frames on the 20 ms grid, each beginning `chunk - 2 * overlap` frames after the last one; the final one is
moved back so that it ends with the utterance. Of each chunk the first and last `overlap` frames are thrown away,
except where the utterance itself begins or ends: so every frame that is kept has heard at least `overlap` frames, on
either side, of whatever speech there is.
"""

from dataclasses import dataclass

import numpy as np

from scripts.common.frames import SAMPLE_RATE, WINDOW, frame_count

HOP = 320  # samples between frames
FIELD = round(WINDOW * SAMPLE_RATE)  # samples that one frame sees


@dataclass(frozen=True)
class Span:
    """Frames `first` to `first + count` go through the encoder; of them `keep[0]` to `keep[1]` are kept.

    `keep` counts from the utterance's first frame, as `first` does.
    """

    first: int
    count: int
    keep: tuple[int, int]

    def samples(self, wave: np.ndarray) -> np.ndarray:
        """The span's waveform; the utterance's, to its last sample, if the span is all of it."""
        if self.first == 0 and self.count == frame_count(len(wave)):
            return wave
        return wave[self.first * HOP : (self.first + self.count - 1) * HOP + FIELD]


def spans(frames: int, chunk: int, overlap: int) -> list[Span]:
    """The spans of an utterance of `frames` frames; together they keep every frame once, in order.

    Raises:
        ValueError: chunks would not advance.
    """
    if chunk <= 2 * overlap:
        raise ValueError(
            f"units.chunk_seconds makes {chunk} frames; it must be more than twice units.overlap_seconds"
            f" ({overlap} frames)"
        )
    if frames <= chunk:
        return [Span(0, frames, (0, frames))]
    found: list[Span] = []
    kept = 0
    while kept < frames:
        first = min(max(0, kept - overlap), frames - chunk)
        end = first + chunk
        until = frames if end == frames else end - overlap
        found.append(Span(first, chunk, (kept, until)))
        kept = until
    return found
