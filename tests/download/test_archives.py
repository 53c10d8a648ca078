"""Archives are extracted completely, deleted, resumed after a kill, and refused if a member would escape."""

import gzip
import io
import multiprocessing
import os
import random
import shutil
import signal
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from scripts.download.fetch import Job, ensure_complete
from scripts.download.members import read_members
from tests.download import server as faults
from tests.download.conftest import Make, read_files, tar_gz_of, tar_of, zip_of
from tests.download.server import Server

MAKE = {"tar": tar_of, "zip": zip_of, "tar.gz": tar_gz_of}
ARCHIVES = tuple(MAKE)
READ_FROM_THE_MIDDLE = ("tar", "zip")


def done(job: Job) -> Path:
    return job.folder / ".state" / "thing.done"


@pytest.mark.parametrize("kind", ARCHIVES)
def test_every_file_is_extracted_and_the_archive_is_deleted(job: Make, contents: dict[str, bytes], kind: str):
    task = job(MAKE[kind](contents), kind)
    record = ensure_complete(task, done(task), content=False)
    assert read_files(task.target) == contents
    assert record["files"] == len(contents)
    state = sum(len(content) for content in read_files(task.folder / ".state").values())
    assert state < 0.02 * sum(map(len, contents.values()))


@pytest.mark.parametrize("kind", ARCHIVES)
@pytest.mark.parametrize("share", [0.0, 0.0004, 0.3, 0.44, 0.5, 0.9, 0.9999])
def test_a_failed_run_is_resumed(job: Make, server: Server, contents: dict[str, bytes], kind: str, share: float):
    archive = MAKE[kind](contents)
    task = job(archive, kind)
    server.fail("/x", faults.drop(int(share * len(archive))), *[faults.status(404)] * 2)
    with pytest.raises(OSError, match="404"):
        ensure_complete(task, done(task), content=False)
    assert not done(task).exists()
    server.faults.clear()
    server.requests.clear()
    sent = server.sent
    ensure_complete(task, done(task), content=False)
    assert read_files(task.target) == contents
    # At most the member that was cut is sent twice.
    assert server.sent - sent <= (1 - share) * len(archive) + 1 + 701_000 * (kind == "tar")


@pytest.mark.parametrize("kind", ARCHIVES)
def test_a_killed_run_is_resumed(job: Make, server: Server, contents: dict[str, bytes], kind: str):
    archive = MAKE[kind](contents)
    task = job(archive, kind)
    context = multiprocessing.get_context("fork")
    kills = 0
    for attempt in range(40):
        child = context.Process(target=ensure_complete, args=(task, done(task), False))
        child.start()
        time.sleep(0.01 + 0.004 * attempt)
        if child.is_alive():
            kills += 1
            os.kill(child.pid, signal.SIGKILL)
        child.join()
        if child.exitcode == 0:
            break
    else:
        ensure_complete(task, done(task), content=False)
    assert kills
    assert read_files(task.target) == contents
    assert task.state.complete_record(task.dataset)["files"] == len(contents)


@pytest.mark.parametrize("damage", ["flip", "shorten", "delete"])
def test_damage_in_an_interrupted_tar_is_detected(job: Make, server: Server, contents: dict[str, bytes], damage: str):
    archive = tar_of(contents)
    task = job(archive, "tar")
    server.fail("/x", faults.drop(1_500_000), *[faults.status(404)] * 2)
    with pytest.raises(OSError, match="404"):
        ensure_complete(task, done(task), content=False)
    harm(task.target / "small/100/big.flac", damage)
    server.faults.clear()
    ensure_complete(task, done(task), content=False)
    assert read_files(task.target) == contents


def test_a_truncated_zip_is_resumed(job: Make, contents: dict[str, bytes]):
    task = job(zip_of(contents), "zip")
    blocked = task.target / "small/100/a.json"  # a folder where a file is to go: extraction stops there
    blocked.mkdir(parents=True)
    (blocked / "x").touch()
    with pytest.raises(OSError, match=r"a\.json"):
        ensure_complete(task, done(task), content=False)
    left = task.state.folder / "x.zip"
    assert 0 < left.stat().st_size < 0.6 * len(zip_of(contents))
    (blocked / "x").unlink()
    blocked.rmdir()
    assert ensure_complete(task, done(task), content=False)["files"] == len(contents)
    assert read_files(task.target) == contents
    assert not left.exists()


def test_a_full_disk_is_one_clear_error_and_complete_files_are_kept(job: Make, contents: dict[str, bytes]):
    task = job(tar_of(contents), "tar")
    full = task.target / "small/12/.big.flac.part"
    full.parent.mkdir(parents=True)
    full.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device"):
        ensure_complete(task, done(task), content=False)
    assert (task.target / "small/100/big.flac").read_bytes() == contents["small/100/big.flac"]
    full.unlink()
    ensure_complete(task, done(task), content=False)
    assert read_files(task.target) == contents


def harm(path: Path, how: str) -> None:
    content = path.read_bytes()
    if how == "delete":
        path.unlink()
    else:
        middle = len(content) // 2
        flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        path.write_bytes(flipped if how == "flip" else content[:-1])


@pytest.mark.parametrize("kind", READ_FROM_THE_MIDDLE)
@pytest.mark.parametrize("published", [True, False])
@pytest.mark.parametrize(("how", "content"), [("flip", True), ("shorten", False), ("delete", False)])
def test_a_damaged_member_is_downloaded_alone(
    job: Make, server: Server, contents: dict[str, bytes], kind: str, how: str, content: bool, published: bool
):
    task = job(MAKE[kind](contents), kind, published)
    ensure_complete(task, done(task), content=False)
    names = ["small/12/a.json", f"small/100/{'long' * 40}.flac"]
    for name in names:
        harm(task.target / name, how)
    server.requests.clear()
    ensure_complete(task, done(task), content=content)
    assert read_files(task.target) == contents
    starts = {member.name: member.start for member, _ in read_members(task.state.members)}
    assert sorted(server.requests) == sorted(("/x", f"bytes={starts[name]}-") for name in names)


@pytest.mark.parametrize("kind", ARCHIVES)
def test_a_changed_archive_is_downloaded_whole(job: Make, server: Server, contents: dict[str, bytes], kind: str):
    task = job(MAKE[kind](contents), kind, published=False)
    ensure_complete(task, done(task), content=False)
    newer = {name: content[::-1] for name, content in contents.items() if "long" not in name}
    server.files["/x"] = MAKE[kind](newer)
    harm(task.target / "small/12/big.flac", "delete")
    ensure_complete(task, done(task), content=False)
    assert read_files(task.target) == newer


def tar_with(**fields: object) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        entry = tarfile.TarInfo("fine")
        archive.addfile(entry)
        entry = tarfile.TarInfo("evil")
        for key, value in fields.items():
            setattr(entry, key, value)
        archive.addfile(entry)
    return out.getvalue()


def zip_with(name: str, mode: int = 0) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        entry = zipfile.ZipInfo(name)
        entry.filename = name
        entry.external_attr = mode << 16
        archive.writestr(entry, "../../target")
    return out.getvalue()


ESCAPES = {
    "parent": ("tar", tar_with(name="a/../../evil")),
    "absolute": ("tar", tar_with(name="/tmp/evil")),
    "symlink": ("tar", tar_with(type=tarfile.SYMTYPE, linkname="../../..")),
    "hard link": ("tar", tar_with(type=tarfile.LNKTYPE, linkname="fine")),
    "device": ("tar", tar_with(type=tarfile.CHRTYPE)),
    "pipe": ("tar", tar_with(type=tarfile.FIFOTYPE)),
    "backslash": ("tar", tar_with(name="..\\evil")),
    "parent in a zip": ("zip", zip_with("../evil")),
    "absolute in a zip": ("zip", zip_with("/tmp/evil")),
    "parent in a tar.gz": ("tar.gz", gzip.compress(tar_with(name="a/../../evil"))),
    "symlink in a tar.gz": ("tar.gz", gzip.compress(tar_with(type=tarfile.SYMTYPE, linkname="../../.."))),
    "symlink in a zip": ("zip", zip_with("evil", 0o120777)),
    "device in a zip": ("zip", zip_with("evil", 0o020666)),
}


@pytest.mark.parametrize("name", ESCAPES)
def test_a_member_that_would_escape_is_refused(job: Make, tmp_path: Path, name: str):
    kind, archive = ESCAPES[name]
    task = job(archive, kind)
    with pytest.raises(ValueError, match=r"thing: its member .* refused"):
        ensure_complete(task, done(task), content=False)
    assert not done(task).exists()
    assert not [path for path in tmp_path.rglob("*") if path.name == "evil" or path.is_symlink()]


@pytest.mark.parametrize("cut", [0, 1, 400, 512, 700, 1024, 1536, 50_000, 701_500, 1_000_000])
def test_a_truncated_tar_is_refused(job: Make, contents: dict[str, bytes], cut: int):
    archive = tar_of(contents)
    ends = archive.rstrip(b"\0")
    task = job(ends[: len(ends) - cut] if cut < 1000 else archive[:cut], "tar", published=False)
    if cut == 0:  # the last member's content may end where its padding would begin
        task = job(archive[:-10_240], "tar", published=False)
    with pytest.raises(OSError, match="it is not a complete tar"):
        ensure_complete(task, done(task), content=False)
    assert not done(task).exists()


@pytest.mark.parametrize("behind", [b"more", b"\0" * 4096 + b"more" + b"\0" * 508])
def test_data_after_a_tar_s_end_is_refused(job: Make, contents: dict[str, bytes], behind: bytes):
    task = job(tar_of(contents) + behind, "tar", published=False)
    with pytest.raises(OSError, match="it is not a complete tar"):
        ensure_complete(task, done(task), content=False)


def test_a_zip_with_a_damaged_member_is_refused_without_a_checksum(job: Make):
    archive = bytearray(zip_of({"a": bytes(1000)}))
    archive[500] ^= 1
    task = job(bytes(archive), "zip", published=False)
    with pytest.raises(OSError, match=r"it is not a complete zip .*CRC"):
        ensure_complete(task, done(task), content=False)
    assert not (task.state.folder / "x.zip").exists()


def test_a_zip_with_a_damaged_deflated_member_is_refused_too(job: Make):
    clean = zip_of({"stored": b"", "deflated": random.Random(2).randbytes(900).hex().encode()})
    begin = clean.index(b"deflated") + len(b"deflated")
    reasons = set()
    for at in range(begin, begin + 60):  # some break the code, some the CRC
        task = job(b"", "zip", published=False)
        (task.state.folder / "x.zip").parent.mkdir(parents=True, exist_ok=True)
        archive = bytearray(clean)
        archive[at] ^= 255
        task.incoming.parent.mkdir(parents=True, exist_ok=True)
        task.incoming.write_bytes(bytes(archive))
        with pytest.raises(OSError, match="it is not a complete zip") as error:
            ensure_complete(task, done(task), content=False)
        reasons.add("inflate" if "decompressing" in str(error.value) else "CRC")
    assert reasons == {"inflate", "CRC"}


def test_a_damaged_member_of_a_tar_gz_brings_the_archive_again(job: Make, contents: dict[str, bytes], server: Server):
    task = job(tar_gz_of(contents), "tar.gz")
    ensure_complete(task, done(task), content=False)
    harm(task.target / "small/12/big.flac", "flip")
    server.requests.clear()
    ensure_complete(task, done(task), content=False)
    assert not server.requests  # sizes are right
    ensure_complete(task, done(task), content=True)
    assert read_files(task.target) == contents
    assert server.requests == [("/x", None)]


def test_a_broken_off_extraction_of_a_tar_gz_goes_on(job: Make, contents: dict[str, bytes], server: Server):
    task = job(tar_gz_of(contents), "tar.gz")
    blocked = task.target / "small/12/a.json"  # a folder where a file is to go: extraction stops there
    blocked.mkdir(parents=True)
    with pytest.raises(OSError, match=r"a\.json"):
        ensure_complete(task, done(task), content=False)
    first = (task.target / "small/100/big.flac").stat().st_ino
    blocked.rmdir()
    assert ensure_complete(task, done(task), content=False)["files"] == len(contents)
    assert (task.target / "small/100/big.flac").stat().st_ino == first  # not written again
    assert read_files(task.target) == contents
    assert server.requests == [("/x", None)]
    assert not (task.state.folder / "x.tar.gz").exists()


@pytest.mark.parametrize("share", [0.0001, 0.5, 0.999])
def test_a_damaged_tar_gz_is_refused_without_a_checksum(job: Make, contents: dict[str, bytes], share: float):
    archive = bytearray(tar_gz_of(contents))
    archive[10 + int(share * (len(archive) - 14))] ^= 255
    task = job(bytes(archive), "tar.gz", published=False)
    task.incoming.parent.mkdir(parents=True, exist_ok=True)
    task.incoming.write_bytes(bytes(archive))
    with pytest.raises(OSError, match=r"x\.tar\.gz.*is not (a complete tar\.gz|an intact)"):
        ensure_complete(task, done(task), content=False)
    assert not done(task).exists()


@pytest.mark.parametrize("kind", ARCHIVES)
def test_a_deleted_dataset_is_downloaded_over_one_connection(
    job: Make, server: Server, contents: dict[str, bytes], kind: str
):
    task = job(MAKE[kind](contents), kind)
    ensure_complete(task, done(task), content=False)
    shutil.rmtree(task.target)
    server.requests.clear()
    ensure_complete(task, done(task), content=False)
    assert read_files(task.target) == contents
    assert server.requests == [("/x", None)]


@pytest.mark.parametrize("kind", READ_FROM_THE_MIDDLE)
def test_a_damaged_file_is_repaired_from_an_archive_placed_by_hand(
    job: Make, server: Server, contents: dict[str, bytes], kind: str
):
    task = job(MAKE[kind](contents), kind)
    ensure_complete(task, done(task), content=False)
    harm(task.target / "small/12/a.json", "delete")
    server.always("/x", faults.status(404))
    with pytest.raises(OSError, match=r"save it as .*incoming/x\.\w+"):
        ensure_complete(task, done(task), content=False)
    assert (task.target / "small/100/big.flac").exists()
    task.incoming.parent.mkdir(parents=True, exist_ok=True)
    task.incoming.write_bytes(MAKE[kind](contents))
    ensure_complete(task, done(task), content=False)
    assert read_files(task.target) == contents
    assert not task.incoming.exists()
