"""Fixtures of several stages' tests, and how much processor time each test takes."""

import csv
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.factories.aligner import speak_unseen, speak_world, train_aligner
from tests.factories.shared import make_once, session_folder
from tests.factories.workflow import ROOT, SMOKE, Workflow, copy_repository, copy_run, listing


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--smoke-run", metavar="FOLDER", help="checkout whose finished smoke experiment is taken, not run anew"
    )
    parser.addoption(
        "--times", metavar="CSV", help="append every test's seconds, on the clock and of processors, by phase"
    )


@pytest.hookimpl(optionalhook=True)  # pytest-xdist may be absent
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """For `--dist loadgroup`: tests/slurm on one worker, since a machine holds one Slurm; every other test by itself.

    pytest-xdist's own groups are not kept under pytest 9.2: they no longer reach the node id.
    """
    if config.getoption("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class SlurmOnOneWorker(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "slurm" if nodeid.startswith("tests/slurm/") else nodeid

    return SlurmOnOneWorker(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """A line of --times: the test, seconds on the clock, and processor seconds of this process and its children."""
    clock, before = time.perf_counter(), os.times()
    result = yield
    if path := item.config.getoption("--times"):
        used = sum(os.times()[:4]) - sum(before[:4])
        with open(path, "a", newline="") as file:
            csv.writer(file).writerow([item.nodeid, f"{time.perf_counter() - clock:.2f}", f"{used:.2f}"])
    return result


@pytest.fixture(scope="session")
def an4() -> Path:
    """48 minutes of real speech in LibriHeavy's shape: $SHARED/an4, or shared/an4 beside the repository."""
    folder = Path(os.environ.get("SHARED", ROOT.parent / "shared")) / "an4"
    if not folder.exists():
        pytest.skip(f"no real speech: {folder} does not exist (set SHARED to the folder that holds an4)")
    return folder


@pytest.fixture(scope="session")
def mini_librispeech() -> Path:
    """Two hours of real readers in LibriSpeech's layout: $SHARED/mini-librispeech, or beside the repository."""
    folder = Path(os.environ.get("SHARED", ROOT.parent / "shared")) / "mini-librispeech/LibriSpeech"
    if not folder.exists():
        pytest.skip(f"no real speech: {folder} does not exist (set SHARED to the folder that holds mini-librispeech)")
    return folder


@pytest.fixture(autouse=True)
def in_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps run from the repository's root, as the workflow runs them."""
    monkeypatch.chdir(ROOT)


@pytest.fixture
def workflow(tmp_path: Path) -> Workflow:
    """A copy of the repository, without results, for this test alone."""
    return Workflow(copy_repository(tmp_path))


@pytest.fixture(scope="session")
def smoke(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workflow]:
    """The smoke experiment up to its report, run once for all tests and workers; not to be changed (see smoke_copy)."""
    finished = request.config.getoption("--smoke-run")

    def make(folder: Path) -> None:
        copy = Workflow(copy_repository(folder))
        if finished:
            copy_run(Path(finished), folder)
        else:
            copy.snakemake(*SMOKE, "--", "report")

    run = Workflow(make_once(session_folder(tmp_path_factory) / "smoke", make))
    before = listing(run.results)
    yield run
    after = listing(run.results)
    changed = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    assert not changed, f"a test changed the smoke run that all share: {changed[:10]}"


@pytest.fixture
def smoke_copy(smoke: Workflow, tmp_path: Path) -> Workflow:
    """A copy of the smoke run for this test alone."""
    return Workflow(copy_run(smoke.folder, copy_repository(tmp_path)))


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with audio/, train.jsonl.gz, dev.jsonl.gz, dev.truth.jsonl.gz, lexicon.txt; made once for all workers."""
    return make_once(session_folder(tmp_path_factory) / "world", speak_world)


@pytest.fixture(scope="session")
def unseen(world: Path) -> Path:
    """Cuts and truth of the dev script spoken by four voices that no model of these tests was trained on."""
    make_once(world.with_name("unseen"), lambda _: speak_unseen(world))
    return world / "unseen"


@pytest.fixture(scope="session")
def trained(world: Path) -> Path:
    """Folder of a model trained on the world; made once for all workers."""
    return make_once(world.with_name("model"), lambda folder: train_aligner(world, folder))


@pytest.fixture
def run_step(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Call a step's main with these command-line arguments."""

    def call(main: Callable[[], None], *arguments: object) -> None:
        monkeypatch.setattr("sys.argv", ["step", *map(str, arguments)])
        main()

    return call
