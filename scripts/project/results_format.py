"""The version of what stands in a results folder: a folder of another version is refused instead of half used."""

from pathlib import Path

from scripts.common.files import atomic_path
from scripts.common.stages import STAGES

# Raised when names, columns or forms of files change so that jobs of this version cannot go on from older files.
FORMAT = 3
FILE = "format"


def check_format(folder: Path) -> None:
    """ValueError if an experiment's folder holds results of another version of this workflow."""
    if not any((folder / name).exists() for name in ("config.json", *STAGES)):
        return
    version = format_of(folder)
    if version != str(FORMAT):
        raise ValueError(
            f"{folder} holds results of format {version}, and this version of the workflow writes format {FORMAT}:"
            f" choose another name, or delete the folder (make clean NAME={folder.name})"
        )


def format_of(folder: Path) -> str:
    """The version that an experiment's folder notes; the first versions noted none."""
    file = folder / FILE
    return file.read_text(encoding="utf-8").strip() if file.is_file() else "1 or older"


def write_format(folder: Path) -> None:
    """Note the version in an experiment's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_path(folder / FILE) as aside:
        aside.write_text(f"{FORMAT}\n", encoding="utf-8")
