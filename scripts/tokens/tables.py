"""The tables of train that a modality's symbols depend on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.tokens.modality import PHONE_DURATIONS, SPEAKERS, UNIT_PHONES, Modality
from scripts.tokens.phone_durations import PhoneDurations
from scripts.tokens.speakers import Speakers
from scripts.tokens.unit_phones import UnitPhones


@dataclass(frozen=True)
class Tables:
    """Tables of train, as far as the modality needs them."""

    durations: PhoneDurations | None = None
    units: UnitPhones | None = None
    speakers: Speakers | None = None


def load_tables(paths: Sequence[str | Path], modality: Modality) -> Tables:
    """Read <table>.json files; ValueError naming the table that the modality needs and that is not among them."""
    files = {Path(path).stem: path for path in paths}
    for name in modality.tables:
        if name not in files:
            raise ValueError(f"{modality.name}: needs {name}.json; give it with --tables")
    stress = modality.stress == "keep"
    return Tables(
        PhoneDurations.read(files[PHONE_DURATIONS], stress=stress) if PHONE_DURATIONS in modality.tables else None,
        UnitPhones.read(files[UNIT_PHONES], stress=stress) if UNIT_PHONES in modality.tables else None,
        Speakers.read(files[SPEAKERS]) if SPEAKERS in modality.tables else None,
    )
