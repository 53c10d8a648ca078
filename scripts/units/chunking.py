"""How a long utterance is split into overlapping chunks for the encoder.

An utterance of at most `chunk` frames goes through the encoder whole. A longer one is split into chunks of exactly
`chunk` frames on the 20 ms grid, each beginning `chunk - 2 * overlap` frames after the previous one; the last chunk is
moved back so that it ends with the utterance. The first and last `overlap` frames of each chunk are discarded, except
at the utterance's own ends. So every kept frame has at least `overlap` frames of context on either side, as far as
the utterance reaches.
"""

from dataclasses import dataclass

from scripts.common.frames import SAMPLE_RATE, WINDOW, frame_count

HOP = 320  # samples between frames
RECEPTIVE_FIELD = round(WINDOW * SAMPLE_RATE)  # samples that one frame sees


@dataclass(frozen=True)
class Chunk:
    """Frames `first` to `first + count` go through the encoder; frames `keep[0]` to `keep[1]` of them are kept.

    Both count from the utterance's first frame.
    """

    first: int
    count: int
    keep: tuple[int, int]

    def samples(self, length: int) -> slice:
        """The chunk's samples in an utterance of `length` samples; all of them if the chunk is the whole utterance."""
        if self.first == 0 and self.count == frame_count(length):
            return slice(0, length)
        return slice(self.first * HOP, (self.first + self.count - 1) * HOP + RECEPTIVE_FIELD)


def split_into_chunks(frames: int, chunk: int, overlap: int) -> list[Chunk]:
    """The chunks of an utterance of `frames` frames; together they keep every frame once, in order.

    Raises:
        ValueError: chunks would not advance.
    """
    if chunk <= 2 * overlap:
        raise ValueError(
            f"units.chunk_seconds makes {chunk} frames; it must be more than twice units.overlap_seconds"
            f" ({overlap} frames)"
        )
    if frames <= chunk:
        return [Chunk(0, frames, (0, frames))]
    chunks: list[Chunk] = []
    kept = 0
    while kept < frames:
        first = min(max(0, kept - overlap), frames - chunk)
        end = first + chunk
        keep_end = frames if end == frames else end - overlap
        chunks.append(Chunk(first, chunk, (kept, keep_end)))
        kept = keep_end
    return chunks
