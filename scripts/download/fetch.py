"""Fetch one dataset of the registry, or find that it is complete; with --check, read every byte of it and mend it.

Whatever was there before is used: a part is continued, a complete dataset is not asked for again, a damaged file of an
archive is fetched alone from where it lies in the archive. A file in download.folder/incoming/ comes before every
server.
"""

import argparse
import errno
import shutil
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
from scripts.download.config import Download, Patience
from scripts.download.file import Source, algorithm, digest_of, fetch_file, mismatch
from scripts.download.local import Local
from scripts.download.members import Member, damaged, mend, read_members, remove_members, stands
from scripts.download.paths import aside
from scripts.download.registry import Dataset, Downloads, find
from scripts.download.remote import Remote, Version
from scripts.download.responses import Changed
from scripts.download.space import check_space
from scripts.download.state import State
from scripts.download.tar import fetch_tar
from scripts.download.zip import extract_zip


@dataclass(frozen=True)
class Job:
    """One dataset, where it goes, and the configuration's section `download`."""

    dataset: Dataset
    folder: Path
    state: State
    others: Sequence[Dataset]
    patience: Patience
    spare_gb: float

    @property
    def place(self) -> Path:
        """Where the dataset stands when it is complete."""
        return self.dataset.place(self.folder)

    @property
    def incoming(self) -> Path:
        """Where a person puts the file."""
        return self.folder / "incoming" / self.dataset.file

    def source(self) -> Source:
        """The file that a person put there, else the mirrors."""
        if self.incoming.exists():
            print(f"download/{self.dataset.name}: from {self.incoming}")
            return Local(self.incoming, self.dataset.checksum)
        return self.remote()

    def archive(self, source: Source) -> Path:
        """Where an archive lies while it is unpacked, or what a person put there."""
        return source.path if isinstance(source, Local) else self.state.folder / self.dataset.file

    def tidy(self) -> None:
        """Remove what a run left that was killed after its record: an archive whose content stands."""
        (self.state.folder / self.dataset.file).unlink(missing_ok=True)
        if self.incoming.exists() and not self.incoming.stat().st_size:  # cut to nothing as it was unpacked
            self.incoming.unlink()

    @contextmanager
    def advised(self) -> Iterator[None]:
        """A failure of the network also says what a person can do."""
        try:
            yield
        except OSError as error:
            if error.errno is not None:  # the disk's, not the network's
                raise
            raise OSError(
                f"{error}\nIf another way leads to the file, e.g. a browser at {self.dataset.page}, save it as"
                f" {self.incoming} (about {self.dataset.about_bytes / 1e9:,.3f} GB) and run the same command again."
            ) from None

    def remote(self) -> Remote:
        """The mirrors."""
        source = Remote(
            f"download/{self.dataset.name}",
            self.dataset.urls,
            self.dataset.bytes,
            self.dataset.checksum,
            self.patience,
            self.state.begun(),
        )
        if self.dataset.list_urls:
            source.digest = published_digest(self.dataset, self.patience.timeout)
        return source

    def room(self, needed: float | None) -> None:
        """Refuse if `needed` bytes, and what the other datasets asked for still need, do not fit."""
        if needed is None:
            needed = self.dataset.about_bytes * max(1, self.dataset.unpacked)
        waiting = {other.name: to_come(other, self.folder) for other in self.others}
        told = "".join(f", {name} {size / 1e9:,.3f} GB" for name, size in waiting.items() if size)
        what = f"download/{self.dataset.name} {needed / 1e9:,.3f} GB{told}"
        check_space(self.folder, max(needed, 0) + sum(waiting.values()), self.spare_gb, what)

    def room_unpacked(self, needed: float | None) -> None:
        """The same for an archive that will be extracted."""
        self.room(None if needed is None else needed * max(1, self.dataset.unpacked))


def to_come(dataset: Dataset, folder: Path) -> float:
    """About how many bytes an unfinished dataset still takes."""
    state = State(folder, dataset.name)
    if state.complete(dataset):
        return 0
    here = 0
    for part in (aside(dataset.place(folder)), aside(state.folder / dataset.file), state.folder / dataset.file):
        here += part.stat().st_size if part.exists() else 0
    if dataset.kind != "file" and state.members.exists():
        here += sum(member.size for member, _ in read_members(state.members))
    return max(0, (dataset.bytes or dataset.about_bytes) * max(1, dataset.unpacked) - here)


def bring(job: Job, done: Path, content: bool) -> dict[str, Any]:
    """Make the dataset complete, whatever it takes; return its record.

    Args:
        job: the dataset.
        done: marker that is taken away while anything is missing.
        content: whether to read every byte of what is there, and not only sizes.
    """
    record = job.state.complete(job.dataset)
    if record is not None:
        found = damage(job, record, content)
        if not found:
            job.tidy()
            return record
        done.unlink(missing_ok=True)
        bad = f"{len(found)} of {record['files']} files damaged or gone"
        print(f"download/{job.dataset.name}: {bad}, e.g. {found[0].name}")
        # One by one costs a connection each: not if most are gone, nor if a person has put the whole archive there.
        few = job.dataset.kind != "file" and 2 * len(found) <= record["files"] and not job.incoming.exists()
        if few and mended(job, record, found):
            return record
        print(f"download/{job.dataset.name}: fetching it again")
        discard(job)
    elif job.state.finished():
        print(f"download/{job.dataset.name}: the registry asks for another file now")
        discard(job)
    done.unlink(missing_ok=True)
    fetch(job)
    return job.state.complete(job.dataset) or {}


def discard(job: Job) -> None:
    """Delete a dataset that was complete."""
    if job.dataset.kind == "file":
        job.place.unlink(missing_ok=True)
    else:
        remove_members(job.place, job.state.members)
    job.state.forget()


def fetch(job: Job) -> None:
    """Bring the dataset to its place.

    Raises:
        OSError: it cannot be had; the message says why and what a person can do.
    """
    dataset, state = job.dataset, job.state
    source = job.source()
    with job.advised(), closing(source):
        if dataset.kind == "tar":
            size, method, digest, files = fetch_tar(source, job.place, state, job.room, dataset.name)
        elif dataset.kind == "zip":
            size, method, digest, files = _fetch_zip(job, source)
        elif isinstance(source, Local):
            size, method, digest, files = *_adopt(source, job.place), 1
        else:
            size, method, digest = fetch_file(source, job.place, state, job.room, dataset.name)
            files = 1
    state.finish(dataset, size, method, digest, source.digest is not None, files)
    if dataset.kind == "zip" or isinstance(source, Local):
        job.archive(source).unlink(missing_ok=True)  # not before the record: without it everything is fetched again
    if source.digest is None:
        print(f"download/{dataset.name}: no checksum is published; {method} as received: {digest}")


def damage(job: Job, record: dict[str, Any], content: bool) -> list[Member]:
    """Files of a complete dataset that are not as they were written."""
    dataset, state = job.dataset, job.state
    if dataset.kind != "file":
        return damaged(job.place, state.members, content, record["bytes"], dataset.name)
    whole = Member(dataset.file, 0, record["bytes"], record["bytes"], 0)
    ((method, digest),) = record["checksum"].items()
    right = stands(job.place, whole, content=False) and (not content or digest_of(job.place, method) == digest)
    return [] if right else [whole]


def mended(job: Job, record: dict[str, Any], found: Sequence[Member]) -> bool:
    """Fetch an archive's damaged files from where they lie in it; False if the server has another archive now."""
    job.room(sum(member.size for member in found))
    remote = job.remote()
    remote.size = record["bytes"]
    remote.version = Version(remote.url, record["bytes"], None)  # each file's CRC shows whether it is of that archive
    with job.advised(), closing(remote):
        try:
            return all(mend(job.place, member, job.dataset.kind, _Ranges(remote).read) for member in found)
        except Changed:
            return False


class _Ranges:
    """Pieces of the file on the server."""

    def __init__(self, remote: Remote):
        self.remote = remote

    def read(self, start: int, length: int) -> Iterator[bytes]:
        self.remote.open(start)
        for block in self.remote.blocks():
            yield block[:length]
            length -= len(block)
            if length <= 0:
                break
        self.remote.close()


def _fetch_zip(job: Job, source: Source) -> tuple[int, str, str, int]:
    """The archive, verified, then its content in its place."""
    state, dataset = job.state, job.dataset
    archive = job.archive(source)
    verified = state.verified(archive)
    if verified is None or not archive.exists():
        if isinstance(source, Local):
            size, method, digest = _whole(source)
        else:
            size, method, digest = fetch_file(source, archive, state, job.room_unpacked, dataset.name)
        state.verify(archive, size, method, digest)
    else:
        size, method, digest = verified
    try:
        # A link leads to a copy that others use.
        files = extract_zip(archive, job.place, state, job.room, dataset.name, cut=not archive.is_symlink())
    except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError) as error:  # the last: a compression unknown
        remove_members(job.place, state.members)
        state.forget()
        if not isinstance(source, Local):
            archive.unlink()
        raise OSError(f"{archive}: it is no whole zip ({error}); run again to fetch it anew") from None
    return size, method, digest, files


def _adopt(source: Local, place: Path) -> tuple[int, str, str]:
    """Move a file that a person brought to its place, if it is right."""
    found = _whole(source)
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(source.path, place)
    return found


def _whole(source: Local) -> tuple[int, str, str]:
    method = algorithm(source.checksum)
    size, digest = source.path.stat().st_size, digest_of(source.path, method)
    if problem := mismatch(source, size, digest):
        source.leave(problem)
    return size, method, digest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True, help="name in resources/datasets.yaml")
    parser.add_argument("--done", type=Path, required=True, help="marker to write when the dataset is complete")
    parser.add_argument("--config", required=True, help="JSON: the section download")
    parser.add_argument("--check", action="store_true", help="read a complete dataset and mend what is damaged")
    args = parser.parse_args()

    config = parse(Download, args.config, "download")
    downloads = Downloads(config)
    dataset = find(downloads.datasets, args.dataset)
    together = downloads.chosen if dataset.name in downloads.chosen else []
    folder = downloads.folder
    state = State(folder, dataset.name)
    others = [downloads.datasets[name] for name in together if name != dataset.name]
    job = Job(dataset, folder, state, others, config, config.spare_gb)
    with state.locked():
        try:
            record = bring(job, args.done, content=args.check)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise OSError(f"the disk of {folder} is full; what stands is kept: make room and run again") from None
            raise
        if not args.done.exists():
            write_json(args.done, record)
        print(f"download/{dataset.name}: complete at {job.place}")


if __name__ == "__main__":
    run(main)
