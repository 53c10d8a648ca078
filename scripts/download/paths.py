"""Paths of an archive's members, which must stay below the folder it is extracted to, and of partial files."""

from pathlib import Path, PurePosixPath


def inside(folder: Path, member: str, archive: str) -> Path:
    """The path of a member; ValueError if its name leads out of the folder.

    The test is on the name alone: no member can be a link, so only links that the user made (to another disk, say) lie
    on the way, and those are meant.
    """
    name = PurePosixPath(member)
    if name.is_absolute() or ".." in name.parts or "\\" in member or "\0" in member or not name.parts:
        raise ValueError(f"{archive}: its member {member!r} would leave the folder it is extracted to; refused")
    return folder / name


def aside(path: Path) -> Path:
    """Where a file is written until it is whole."""
    return path.with_name(f".{path.name}.part")
