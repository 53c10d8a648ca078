"""Check free disk space before a download."""

import shutil
from pathlib import Path

GB = 1e9


OTHER_DISK = "set download.folder to another disk"


def check_space(folder: Path, needed: float, spare_gb: float, what: str, remedy: str = OTHER_DISK) -> None:
    """OSError, ending with the remedy, if `needed` bytes do not fit into the disk with `spare_gb` left over."""
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < needed + spare_gb * GB:
        raise OSError(
            f"{what}: {needed / GB:,.3f} GB are to come and {spare_gb:g} GB stay free (download.spare_gb), but the disk"
            f" of {folder} has {free / GB:,.3f} GB free; make room, or {remedy}"
        )
