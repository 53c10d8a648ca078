"""What a job does with what is there already, with a person's help, and with a small disk."""

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path

import pytest

from scripts.download.checksum_list import digest_in
from scripts.download.fetch import Job, bring, to_come
from scripts.download.paths import aside
from scripts.download.registry import Checksum
from scripts.download.state import State
from tests.download import server as faults
from tests.download.conftest import Make, found, tar_of, zip_of
from tests.download.server import Server

CONTENT = bytes(range(256)) * 1000
KINDS = {"file": CONTENT, "tar": tar_of({"a": CONTENT}), "zip": zip_of({"a": CONTENT})}


def done(job: Job) -> Path:
    return job.folder / ".state" / "thing.done"


def files(job: Job) -> list[bytes]:
    place = job.place.parent if job.dataset.kind == "file" else job.place
    return list(found(place).values()) if place.exists() else []


@pytest.mark.parametrize("kind", KINDS)
def test_a_complete_dataset_is_not_asked_for_again(job: Make, server: Server, kind: str):
    task = job(KINDS[kind], kind)
    record = bring(task, done(task), content=False)
    server.requests.clear()
    assert bring(task, done(task), content=False) == record
    assert bring(task, done(task), content=True) == record
    assert server.requests == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_registry_asks_for_another_file_now(job: Make, server: Server, kind: str):
    task = job(KINDS[kind], kind)
    bring(task, done(task), content=False)
    newer = {"file": CONTENT[::-1], "tar": tar_of({"a": CONTENT[::-1]}), "zip": zip_of({"a": CONTENT[::-1]})}[kind]
    server.files["/x"] = newer
    checksum = Checksum("md5", hashlib.md5(newer).hexdigest())
    task = dataclasses.replace(task, dataset=dataclasses.replace(task.dataset, checksum=checksum))
    bring(task, done(task), content=False)
    assert files(task) == [CONTENT[::-1]]


@pytest.mark.parametrize(("how", "content"), [("shorter", False), ("gone", False), ("flipped", True)])
def test_a_damaged_file_is_found_and_fetched_again(job: Make, how: str, content: bool):
    task = job(CONTENT)
    bring(task, done(task), content=False)
    if how == "gone":
        task.place.unlink()
    else:
        task.place.write_bytes(CONTENT[:-1] if how == "shorter" else b"\1" + CONTENT[1:])
    bring(task, done(task), content=content)
    assert task.place.read_bytes() == CONTENT


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_placed_by_hand_is_used_and_used_up(job: Make, server: Server, kind: str):
    task = job(KINDS[kind], kind)
    task.incoming.parent.mkdir(parents=True)
    task.incoming.write_bytes(KINDS[kind])
    bring(task, done(task), content=False)
    assert files(task) == [CONTENT]
    assert server.requests == []
    assert not task.incoming.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_a_link_to_a_file_that_others_use_leaves_it_whole(job: Make, tmp_path: Path, kind: str):
    task = job(KINDS[kind], kind)
    shared = tmp_path / "shared.bin"
    shared.write_bytes(KINDS[kind])
    task.incoming.parent.mkdir(parents=True)
    task.incoming.symlink_to(shared)
    bring(task, done(task), content=False)
    assert files(task) == [CONTENT]
    assert shared.read_bytes() == KINDS[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_file_placed_by_hand_is_refused_and_left(job: Make, kind: str):
    task = job(KINDS[kind], kind)
    task.incoming.parent.mkdir(parents=True)
    task.incoming.write_bytes(b"<html>")
    with pytest.raises(OSError, match=r"incoming/x\.\w+: (its md5 is|it is no whole tar).*put a whole copy there"):
        bring(task, done(task), content=False)
    assert task.incoming.read_bytes() == b"<html>"
    assert not done(task).exists()


@pytest.mark.parametrize("kind", KINDS)
def test_a_disk_too_small_is_found_before_the_first_byte(job: Make, server: Server, kind: str):
    task = job(KINDS[kind], kind)
    task = dataclasses.replace(task, spare_gb=shutil.disk_usage("/tmp").free / 1e9)
    server.fail("/x", faults.hang(0, 0.3))  # the body has not begun when the answer is read
    with pytest.raises(OSError, match=r"thing 0\.000 GB: .* GB are to come .* GB free; make room"):
        bring(task, done(task), content=False)
    assert files(task) == []
    assert server.sent == 0


def test_what_other_datasets_still_need_is_counted(job: Make):
    task = job(CONTENT)
    other = dataclasses.replace(task.dataset, name="other", about_bytes=10**18, file="other.bin")
    with pytest.raises(OSError, match=r"thing 0\.000 GB, other 1,000,000,000\.000 GB"):
        bring(dataclasses.replace(task, others=(other,)), done(task), content=False)
    assert to_come(task.dataset, task.folder) == len(CONTENT)
    bring(task, done(task), content=False)
    assert to_come(task.dataset, task.folder) == 0


def test_a_part_without_its_version_is_not_trusted_without_a_checksum(job: Make, server: Server):
    task = job(CONTENT, published=False)
    part = aside(task.place)
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 1000)
    bring(task, done(task), content=False)
    assert task.place.read_bytes() == CONTENT
    assert server.requests[-1] == ("/x", None)


def test_a_part_longer_than_the_file_begins_again(job: Make):
    task = job(CONTENT)
    part = aside(task.place)
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT + b"x")
    bring(task, done(task), content=False)
    assert task.place.read_bytes() == CONTENT


def test_a_part_that_is_all_of_the_file_is_only_checked(job: Make, server: Server):
    task = job(CONTENT)
    part = aside(task.place)
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT)
    bring(task, done(task), content=False)
    assert server.requests == [("/x", f"bytes={len(CONTENT)}-")]
    assert server.sent == 0


def test_two_processes_do_not_write_one_dataset(job: Make, tmp_path: Path):
    state = State(tmp_path, "thing")
    with state.locked(), pytest.raises(OSError, match="another process is downloading thing"), state.locked():
        pass
    with state.locked():
        pass


def test_the_record_says_whether_anybody_published_the_checksum(job: Make):
    task = job(CONTENT, published=False)
    record = bring(task, done(task), content=False)
    assert record["checksum"] == {"sha256": hashlib.sha256(CONTENT).hexdigest()}
    assert record["checksum_is"] == "as received"


def test_a_list_of_checksums_is_read_whatever_its_keys_are(job: Make, server: Server):
    digest = hashlib.md5(CONTENT).hexdigest()
    entries = [
        {"name": "o", "zip_url": "https://h/o.bin", "md5sum": "0" * 32},
        {"zip_url": "https://h/x.bin", "m": digest},
    ]
    server.files["/list.json"] = json.dumps({"datasets": entries}).encode()
    assert digest_in({"datasets": entries}, "x.bin", "md5") == digest
    assert digest_in({"datasets": entries}, "y.bin", "md5") is None
    lists = {"checksum": Checksum("md5", list="list.json"), "list_urls": (f"{server.base}/list.json",)}
    task = job(CONTENT, **lists)
    assert bring(task, done(task), content=False)["checksum_is"] == "as published"
    server.files["/x"] = CONTENT[::-1]
    task.place.unlink()
    with pytest.raises(OSError, match=f"not {digest}"):
        bring(task, done(task), content=False)
