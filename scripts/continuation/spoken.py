"""Which modalities can be continued and judged, and why others cannot."""

from scripts.tokens.config import UNIT_RATE
from scripts.tokens.modality import Modality


def why_left_out(modality: Modality, *, units_made_here: bool) -> str | None:
    """The reason why continuations of a modality are not made; None if they are.

    The voices know phones with stress and units by number, at UNIT_RATE frames per second; how long symbols without
    frames last is predicted for phones alone.
    """
    if modality.source == "text":
        return "its continuations have no spaces, so no words to judge" if modality.spaces == "drop" else None
    if modality.source == "tokens":
        return "its prompts cannot be encoded by what is not here"
    if modality.source == "units" and not units_made_here:
        return "the units of its prompts cannot be encoded by what is not here"
    if modality.stress == "drop":
        return "the voice knows phones with stress only"
    if modality.word_boundaries == "keep":
        return "the voice knows no boundaries between words"
    if modality.variants:
        return "the voice knows one symbol per phone"
    if modality.repeats == "count":
        return "the voices read frames, not lengths of runs"
    if not has_clock(modality):
        return None if modality.alphabet == "phones" else "no voice predicts how long units without repeats last"
    if modality.frame_rate != UNIT_RATE:
        return f"the voice has {UNIT_RATE} frames per second"
    return None


def has_clock(modality: Modality) -> bool:
    """Whether every symbol is a frame, so that a voice need not predict how long it lasts."""
    return modality.framed and modality.repeats == "keep"
