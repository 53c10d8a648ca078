"""Download one dataset of the registry unless it is complete; with --check, verify every byte and repair damage.

A partial download is resumed, a complete dataset is not requested again, and a damaged file of an archive is downloaded
alone, by its byte range in the archive. A file in download.folder/incoming/ is used before any server.
"""

import argparse
import errno
import gzip
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.files import write_json
from scripts.download.checksum_list import published_digest
from scripts.download.config import Download, RetryPolicy
from scripts.download.file import Source, algorithm, digest_of, fetch_file, mismatch
from scripts.download.local import LocalFile
from scripts.download.members import Member, damaged_members, is_intact, read_members, remove_members, repair_member
from scripts.download.paths import part_path
from scripts.download.registry import Dataset, Downloads, find
from scripts.download.remote import RemoteFile, Version
from scripts.download.responses import FileChangedError
from scripts.download.space import check_space
from scripts.download.state import DownloadState
from scripts.download.tar import fetch_tar
from scripts.download.tar_gz import extract_tar_gz
from scripts.download.zip import extract_zip

WHOLE = ("zip", "tar.gz")  # archives that are verified before they are extracted
# What the two libraries raise at a broken archive; NotImplementedError: a compression that zipfile does not know.
BROKEN_ARCHIVE = (
    *(zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile),
    *(EOFError, zlib.error, NotImplementedError),
)


@dataclass(frozen=True)
class Job:
    """The download of one dataset.

    Attributes:
        dataset: the registry's entry.
        folder: the download folder.
        state: what earlier runs left.
        others: the other datasets of download.datasets, which need space too.
        retry_policy: when to retry and when to give up.
        spare_gb: gigabytes to leave free on the disk.
    """

    dataset: Dataset
    folder: Path
    state: DownloadState
    others: Sequence[Dataset]
    retry_policy: RetryPolicy
    spare_gb: float

    @property
    def target(self) -> Path:
        """The path of the complete dataset."""
        return self.dataset.target(self.folder)

    @property
    def incoming(self) -> Path:
        """The path at which the user may provide the file."""
        return self.folder / "incoming" / self.dataset.file

    def source(self) -> Source:
        """The file that the user provided, else the mirrors."""
        if self.incoming.exists():
            print(f"download/{self.dataset.name}: from {self.incoming}")
            return LocalFile(self.incoming, self.dataset.checksum)
        return self.remote()

    def archive(self, source: Source) -> Path:
        """The path of an archive while it is extracted: a download, or the file that the user provided."""
        return source.path if isinstance(source, LocalFile) else self.state.folder / self.dataset.file

    def remove_leftovers(self) -> None:
        """Remove the archive that a run leaves if it is killed after it wrote its record."""
        (self.state.folder / self.dataset.file).unlink(missing_ok=True)
        if self.incoming.exists() and not self.incoming.stat().st_size:  # truncated to nothing by its extraction
            self.incoming.unlink()

    @contextmanager
    def manual_download_hint(self) -> Iterator[None]:
        """Add to a network error how to provide the file by hand."""
        try:
            yield
        except OSError as error:
            if error.errno is not None:  # an error of the disk, not of the network
                raise
            raise OSError(
                f"{error}\nIf you can download the file in another way, e.g. with a browser from {self.dataset.page},"
                f" save it as {self.incoming} (about {self.dataset.about_bytes / 1e9:,.3f} GB) and run the same command"
                " again."
            ) from None

    def remote(self) -> RemoteFile:
        """The mirrors."""
        source = RemoteFile(
            f"download/{self.dataset.name}",
            self.dataset.urls,
            self.dataset.bytes,
            self.dataset.checksum,
            self.retry_policy,
            self.state.saved_version(),
        )
        if self.dataset.list_urls:
            source.digest = published_digest(self.dataset, self.retry_policy.timeout)
        return source

    def require_space(self, needed: float | None) -> None:
        """Raise OSError if `needed` bytes, and those that the other datasets still need, do not fit on the disk."""
        if needed is None:
            needed = self.dataset.about_bytes * max(1, self.dataset.unpacked)
        others = {other.name: remaining_bytes(other, self.folder) for other in self.others}
        listed = "".join(f", {name} {size / 1e9:,.3f} GB" for name, size in others.items() if size)
        what = f"download/{self.dataset.name} {needed / 1e9:,.3f} GB{listed}"
        check_space(self.folder, max(needed, 0) + sum(others.values()), self.spare_gb, what)

    def require_unpacked_space(self, needed: float | None) -> None:
        """`require_space` for an archive of `needed` bytes that will be extracted."""
        self.require_space(None if needed is None else needed * max(1, self.dataset.unpacked))

    def require_space_for_both(self, needed: float | None) -> None:
        """`require_space` for a tar.gz of `needed` bytes, which stays until its content stands beside it."""
        self.require_space(None if needed is None else needed * (1 + self.dataset.unpacked))


def remaining_bytes(dataset: Dataset, folder: Path) -> float:
    """Approximate number of bytes that an incomplete dataset still needs on the disk."""
    state = DownloadState(folder, dataset.name)
    if state.complete_record(dataset):
        return 0
    on_disk = 0
    for part in (
        part_path(dataset.target(folder)),
        part_path(state.folder / dataset.file),
        state.folder / dataset.file,
    ):
        on_disk += part.stat().st_size if part.exists() else 0
    if dataset.kind != "file" and state.members.exists():
        on_disk += sum(member.size for member, _ in read_members(state.members))
    return max(0, (dataset.bytes or dataset.about_bytes) * max(1, dataset.unpacked) - on_disk)


def ensure_complete(job: Job, done: Path, content: bool) -> dict[str, Any]:
    """Download or repair the dataset until it is complete; return its record.

    Args:
        job: the dataset.
        done: marker, deleted while the dataset is not complete.
        content: whether to verify the content of a complete dataset, and not only its sizes.
    """
    record = job.state.complete_record(job.dataset)
    if record is not None:
        damaged = find_damage(job, record, content)
        if not damaged:
            job.remove_leftovers()
            return record
        done.unlink(missing_ok=True)
        counts = f"{len(damaged)} of {record['files']} files damaged or missing"
        print(f"download/{job.dataset.name}: {counts}, e.g. {damaged[0].name}")
        # Each file costs a connection: not worthwhile if most are damaged, or if the user provided the archive. A gzip
        # cannot be read from its middle.
        few = job.dataset.kind in ("tar", "zip") and 2 * len(damaged) <= record["files"] and not job.incoming.exists()
        if few and repair_members(job, record, damaged):
            return record
        print(f"download/{job.dataset.name}: downloading it again")
        discard(job)
    elif job.state.has_record():
        print(f"download/{job.dataset.name}: the registry now names another file")
        discard(job)
    done.unlink(missing_ok=True)
    fetch(job)
    return job.state.complete_record(job.dataset) or {}


def discard(job: Job) -> None:
    """Delete a dataset that was complete, and its state."""
    if job.dataset.kind == "file":
        job.target.unlink(missing_ok=True)
    else:
        remove_members(job.target, job.state.members)
    job.state.clear()


def fetch(job: Job) -> None:
    """Download the dataset to its target.

    Raises:
        OSError: the download failed; the message says why, and how the user can provide the file.
    """
    dataset, state = job.dataset, job.state
    source = job.source()
    with job.manual_download_hint(), closing(source):
        if dataset.kind == "tar":
            size, method, digest, files = fetch_tar(source, job.target, state, job.require_space, dataset.name)
        elif dataset.kind in WHOLE:
            size, method, digest, files = _fetch_whole(job, source)
        elif isinstance(source, LocalFile):
            size, method, digest, files = *_move_to_target(source, job.target), 1
        else:
            size, method, digest = fetch_file(source, job.target, state, job.require_space, dataset.name)
            files = 1
    state.mark_complete(dataset, size, method, digest, source.digest is not None, files)
    if dataset.kind in WHOLE or isinstance(source, LocalFile):
        job.archive(source).unlink(missing_ok=True)  # after the record: without a record everything is downloaded again
    if source.digest is None:
        print(f"download/{dataset.name}: no checksum is published; {method} as received: {digest}")


def find_damage(job: Job, record: dict[str, Any], content: bool) -> list[Member]:
    """Files of a complete dataset that are missing or changed since they were written."""
    dataset, state = job.dataset, job.state
    if dataset.kind != "file":
        return damaged_members(job.target, state.members, content, record["bytes"], dataset.name)
    file = Member(dataset.file, 0, record["bytes"], record["bytes"], 0)
    ((method, digest),) = record["checksum"].items()
    intact = is_intact(job.target, file, content=False) and (not content or digest_of(job.target, method) == digest)
    return [] if intact else [file]


def repair_members(job: Job, record: dict[str, Any], damaged: Sequence[Member]) -> bool:
    """Download an archive's damaged files by their byte ranges; False if the server has another archive now."""
    job.require_space(sum(member.size for member in damaged))
    remote = job.remote()
    remote.size = record["bytes"]
    remote.version = Version(remote.url, record["bytes"], None)  # the members' CRCs detect another archive
    with job.manual_download_hint(), closing(remote):
        try:
            ranges = _RangeReader(remote)
            return all(repair_member(job.target, member, job.dataset.kind, ranges.read) for member in damaged)
        except FileChangedError:
            return False


class _RangeReader:
    """Reads byte ranges of a remote file."""

    def __init__(self, remote: RemoteFile):
        self.remote = remote

    def read(self, start: int, length: int) -> Iterator[bytes]:
        self.remote.open(start)
        for block in self.remote.blocks():
            yield block[:length]
            length -= len(block)
            if length <= 0:
                break
        self.remote.close()


def _fetch_whole(job: Job, source: Source) -> tuple[int, str, str, int]:
    """Download and verify a zip or tar.gz, then extract it to the target."""
    state, dataset = job.state, job.dataset
    archive = job.archive(source)
    verified = state.verified(archive)
    if verified is None or not archive.exists():
        if isinstance(source, LocalFile):
            size, method, digest = _verify(source)
        else:
            space = job.require_unpacked_space if dataset.kind == "zip" else job.require_space_for_both
            size, method, digest = fetch_file(source, archive, state, space, dataset.name)
        state.save_verified(archive, size, method, digest)
    else:
        size, method, digest = verified
    try:
        if dataset.kind == "zip":
            # A symbolic link points to a file that others may use: do not truncate it.
            cut = not archive.is_symlink()
            files = extract_zip(archive, job.target, state, job.require_space, dataset.name, cut=cut)
        else:
            files = extract_tar_gz(archive, job.target, state, job.require_space, dataset.name)
    except BROKEN_ARCHIVE as error:
        remove_members(job.target, state.members)
        state.clear()
        if not isinstance(source, LocalFile):
            archive.unlink()
        raise OSError(
            f"{archive}: it is not a complete {dataset.kind} ({error}); run again to download it anew"
        ) from None
    return size, method, digest, files


def _move_to_target(source: LocalFile, target: Path) -> tuple[int, str, str]:
    """Verify a file that the user provided and move it to its target; its size, algorithm and digest."""
    verified = _verify(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(source.path, target)
    return verified


def _verify(source: LocalFile) -> tuple[int, str, str]:
    """Size, algorithm and digest of a local file; OSError if they are not as published."""
    method = algorithm(source.checksum)
    size, digest = source.path.stat().st_size, digest_of(source.path, method)
    if problem := mismatch(source, size, digest):
        source.reject(problem)
    return size, method, digest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True, help="name in resources/datasets.yaml")
    parser.add_argument("--done", type=Path, required=True, help="marker to write when the dataset is complete")
    parser.add_argument("--config", required=True, help="JSON: the section download")
    parser.add_argument(
        "--check", action="store_true", help="verify every byte of a complete dataset and repair damage"
    )
    args = parser.parse_args()

    config = parse(Download, args.config, "download")
    downloads = Downloads(config)
    dataset = find(downloads.datasets, args.dataset)
    chosen = downloads.chosen if dataset.name in downloads.chosen else []
    folder = downloads.folder
    state = DownloadState(folder, dataset.name)
    others = [downloads.datasets[name] for name in chosen if name != dataset.name]
    job = Job(dataset, folder, state, others, config, config.spare_gb)
    with state.locked():
        try:
            record = ensure_complete(job, args.done, content=args.check)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise OSError(
                    f"the disk of {folder} is full; complete files are kept: make room and run again"
                ) from None
            raise
        if not args.done.exists():
            write_json(args.done, record)
        print(f"download/{dataset.name}: complete at {job.target}")


if __name__ == "__main__":
    run(main)
