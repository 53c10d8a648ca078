"""Paths of an archive's members, which must stay below the folder it is extracted to, and of partial files."""

from pathlib import Path, PurePosixPath


def inside(folder: Path, member: str, archive: str) -> Path:
    """The path of a member; ValueError if its name leads out of the folder.

    Only the name is tested: links among the members are refused elsewhere, so a link on the way is one that the user
    made (to another disk, say) and is followed.
    """
    name = PurePosixPath(member)
    if name.is_absolute() or ".." in name.parts or "\\" in member or "\0" in member or not name.parts:
        raise ValueError(f"{archive}: its member {member!r} would leave the folder it is extracted to; refused")
    return folder / name


def part_path(path: Path) -> Path:
    """The path that a file is written to until it is complete."""
    return path.with_name(f".{path.name}.part")
