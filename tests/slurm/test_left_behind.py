"""Killed tests leave no daemon, and a slurm.conf that the next tests replace; they replace no other."""

import subprocess
import sys
from pathlib import Path

from tests.slurm.cluster import PREFIX, left_behind, until

DAEMON = """
import sys, time
from pathlib import Path
from tests.slurm.cluster import Cluster
cluster = Cluster(Path(sys.argv[1]))
cluster._daemon("sleep", "600")
print(cluster.daemons["sleep"].pid, flush=True)
time.sleep(600)
"""


def state(process: Path) -> str:
    """The letter of a process' state in /proc, or nothing where there is no such process."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def test_the_daemons_of_a_killed_process_end(tmp_path: Path):
    tests = subprocess.Popen([sys.executable, "-c", DAEMON, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert tests.stdout is not None
    daemon = Path("/proc", tests.stdout.readline().strip())
    # Until setpriv has become the daemon, the kernel does not know that it shall end with its parent.
    until(lambda: (daemon / "comm").read_text().strip() == "sleep", "the daemon")
    tests.kill()
    tests.communicate()
    until(lambda: state(daemon) in ("", "Z"), "the end of the daemon", 20)


def linked(folder: Path, name: str) -> Path:
    """A link `slurm.conf` to a configuration in a folder of that name."""
    (folder / name).mkdir()
    (folder / name / "slurm.conf").write_text("")
    conf = folder / "slurm.conf"
    conf.symlink_to(folder / name / "slurm.conf")
    return conf


def test_a_cluster_of_tests_without_controller_was_left_behind(tmp_path: Path):
    conf = linked(tmp_path, f"{PREFIX}abc")
    assert left_behind(conf)
    (tmp_path / f"{PREFIX}abc" / "slurmctld.pid").write_text("1\n")  # another program's by now
    assert left_behind(conf)


def test_a_link_to_a_folder_that_is_gone_was_left_behind(tmp_path: Path):
    conf = tmp_path / "slurm.conf"
    conf.symlink_to(tmp_path / f"{PREFIX}gone" / "slurm.conf")
    assert left_behind(conf)


def test_a_site_s_configuration_stays(tmp_path: Path):
    assert not left_behind(linked(tmp_path, "site"))
    plain = tmp_path / "plain.conf"
    plain.write_text("")
    assert not left_behind(plain)
    assert not left_behind(tmp_path / "absent.conf")
