"""Downloads as rules: no network access before a job runs, one job per dataset, hosts on loopback."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.download import server as faults
from tests.download.conftest import zip_of
from tests.download.server import Server
from tests.factories.workflow import Workflow

LEXICON = b"A  AH0\nB  B IY1\n"
LEXICON_PATH = "/11/librispeech-lexicon.txt"
TSC = {
    f"tSC/{i}_{i}a_{side}.wav": random.Random(i).randbytes(5000) for i in range(3) for side in ("correct", "incorrect")
}
TSC_PATH = "/download?id=17prYkldYb3w3Pyg3Pm77-VnE6nkD5jzG&export=download&confirm=t"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    served = Server({LEXICON_PATH: LEXICON, TSC_PATH: zip_of(TSC)})
    http = served.start()
    yield served
    http.shutdown()
    http.server_close()


def overlay(workflow: Workflow, server: Server, **keys: object) -> tuple[str, str]:
    section = {
        "datasets": ["librispeech-lexicon", "tsc"],
        "hosts": {host: [server.base] for host in ("openslr", "google-drive")},
        "spare_gb": 0,
        "attempts": 2,
        "longest_wait": 0.1,
        **keys,
    }
    return "--configfile", workflow.overlay(f"download: {section}")


def test_datasets_are_fetched_by_name_once_and_mended(workflow: Workflow, server: Server):
    config = overlay(workflow, server)
    jobs = {"download", "download_dataset", "download_dataset/librispeech-lexicon", "download_dataset/tsc"}
    assert workflow.would_run(*config, "--", "download") == jobs
    assert workflow.would_run(*config, "--", "corpus")
    assert server.requests == []  # building the DAG asks nobody

    workflow.snakemake(*config, "--", "download_librispeech-lexicon")
    assert (workflow.folder / "data/librispeech-lexicon/librispeech-lexicon.txt").read_bytes() == LEXICON
    assert [path for path, _ in server.requests] == [LEXICON_PATH]

    workflow.snakemake(*config, "--", "download")
    voice = workflow.folder / "data/tsc/tSC/1_1a_correct.wav"
    assert {str(p.relative_to(workflow.folder / "data/tsc")) for p in voice.parent.iterdir()} == set(TSC)
    assert [path for path, _ in server.requests] == [LEXICON_PATH, TSC_PATH]
    assert workflow.would_run(*config, "--", "download") <= {"download"}

    # Another key reruns the job, and the job finds that all is there.
    workflow.snakemake(*overlay(workflow, server, attempts=3), "--", "download")
    assert len(server.requests) == 2

    voice.write_bytes(voice.read_bytes()[::-1])
    workflow.snakemake(*config, "--", "download_check")
    assert voice.read_bytes() == TSC["tSC/1_1a_correct.wav"]
    assert len(server.requests) == 3
    assert server.requests[-1][1].startswith("bytes=")


def test_a_file_that_needs_a_browser_is_asked_for_by_its_place(workflow: Workflow, server: Server):
    server.always(TSC_PATH, faults.web_page)
    config = overlay(workflow, server)
    done = workflow.snakemake(*config, "--", "download_tsc", check=False)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "the server sends a web page instead of the file" in said
    assert (
        "https://drive.google.com/file/d/17prYkldYb3w3Pyg3Pm77-VnE6nkD5jzG/view, save it as data/incoming/tSC.zip"
        in said
    )
    assert "Traceback" not in said
    place = workflow.folder / "data/incoming/tSC.zip"
    place.parent.mkdir()
    place.write_bytes(zip_of(TSC))
    workflow.snakemake(*config, "--", "download_tsc")
    assert (workflow.folder / "data/tsc/tSC/2_2a_incorrect.wav").exists()
    assert not place.exists()


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"datasets": ["tcs"]}, "no dataset is called 'tcs'; known: libriheavy-small"),
        ({"hosts": {"drive": ["http://x"]}}, "download.hosts.drive is not a host"),
    ],
)
def test_an_unknown_dataset_or_host_is_refused(workflow: Workflow, server: Server, keys: dict[str, object], says: str):
    done = workflow.snakemake("--dry-run", *overlay(workflow, server, **keys), check=False)
    assert done.returncode != 0
    assert says in done.stdout + done.stderr


def test_nothing_is_left_beside_the_folder(
    workflow: Workflow, server: Server, tmp_path_factory: pytest.TempPathFactory
):
    elsewhere = tmp_path_factory.mktemp("disk")
    workflow.snakemake(*overlay(workflow, server, folder=str(elsewhere)), "--", "download_tsc")
    assert (elsewhere / "tsc/tSC/1_1a_correct.wav").exists()
    assert not Path(workflow.folder, "data").exists()
