"""A Slurm of one node on this machine, for the tests: munge, controller and node daemon, all state in one folder.

Needs root and Debian's packages `slurm-wlm` and `munge`. The node says it has more cores than the machine, so that
groups of jobs fit; what runs there is small.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.slurm import accounting

PROGRAMS = ["munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", "scancel"]
SYSTEM_CONF = Path("/etc/slurm/slurm.conf")
PREFIX = "slurm-"  # of a cluster's folder; short, as a socket's path has at most 108 characters
CGROUPS = all(os.access(f"/sys/fs/cgroup/{name}", os.W_OK) for name in ("freezer", "memory"))
CONF = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmctldPort={port}
SlurmdPort={node_port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
{enforcement}
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
{storage}
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=10
MinJobAge=300
SchedulerParameters=batch_sched_delay=1,sched_interval=2
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=16 RealMemory=64000 Gres=gpu:4 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE OverSubscribe=NO State=UP
"""
# Four devices that every machine has play the GPUs: Slurm hands them out and sets CUDA_VISIBLE_DEVICES.
GRES_CONF = "".join(f"Name=gpu File=/dev/{name}\n" for name in ("null", "zero", "full", "random"))
# As real clusters do, where the kernel lets us: what a job started ends with it, and the kernel bounds its memory.
BY_CGROUPS = "ProctrackType=proctrack/cgroup\nTaskPlugin=task/cgroup"
BY_POLLING = "ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nJobAcctGatherParams=OverMemoryKill"
CGROUP_CONF = """
CgroupPlugin=cgroup/v1
CgroupMountpoint=/sys/fs/cgroup
ConstrainRAMSpace=yes
"""


def missing(with_accounting: bool = False) -> str | None:
    """Why no Slurm, or none with accounting, can be started here; or None."""
    if os.geteuid() != 0:
        return "a Slurm of our own needs root"
    programs = PROGRAMS + (accounting.PROGRAMS if with_accounting else [])
    absent = [name for name in programs if shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin") is None]
    if absent:
        packages = "slurm-wlm munge" + (" slurmdbd mariadb-server" if with_accounting else "")
        return f"not installed: {', '.join(absent)} (apt install {packages})"
    if SYSTEM_CONF.exists() and not left_behind(SYSTEM_CONF):
        return f"{SYSTEM_CONF} exists: this machine has a Slurm of its own"
    return None


def left_behind(conf: Path) -> bool:
    """Whether `conf` leads to a Slurm of tests that were killed: its folder exists, its controller does not run."""
    if not conf.is_symlink() or not conf.readlink().parent.name.startswith(PREFIX):
        return False
    try:
        controller = (conf.readlink().parent / "slurmctld.pid").read_text().strip()
        return Path("/proc", controller, "comm").read_text().strip() != "slurmctld"
    except FileNotFoundError:
        return True


@dataclass
class Cluster:
    """The daemons, started by `start` and ended by `stop`.

    Attributes:
        folder: state, logs, key and socket; must be new and reachable by the user munge.
        daemons: processes by name.
        accounting: whether there is a database of jobs (slurmdbd).
    """

    folder: Path
    accounting: bool = False
    daemons: dict[str, subprocess.Popen] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What a client of this Slurm needs in its environment."""
        return {**os.environ, "SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": os.environ["PATH"] + ":/usr/sbin"}

    @property
    def node(self) -> str:
        """Name of the only node."""
        return socket.gethostname().split(".")[0]

    def start(self) -> None:
        """Start munge, the controller and the node; return when the node is idle."""
        for name in ("state", "spool", "munge"):
            (self.folder / name).mkdir()
        key = self.folder / "munge/munge.key"
        key.write_bytes(os.urandom(1024))
        for path in (self.folder, key.parent, key):
            shutil.chown(path, "munge", "munge")
        key.chmod(0o400)
        key.parent.chmod(0o700)
        self.folder.chmod(0o755)
        storage = "AccountingStorageType=accounting_storage/none"
        if self.accounting:
            database, storage = accounting.prepare(self.folder)
            self._daemon(*database)
        (self.folder / "slurm.conf").write_text(
            CONF.format(
                folder=self.folder,
                host=self.node,
                port=accounting.free_port(),
                node_port=accounting.free_port(),
                enforcement=BY_CGROUPS if CGROUPS else BY_POLLING,
                storage=storage,
            )
        )
        (self.folder / "gres.conf").write_text(GRES_CONF)
        (self.folder / "cgroup.conf").write_text(CGROUP_CONF)
        # Snakemake's executor takes SLURM_CONF out of its jobs' environment: the file must be where Slurm looks for it.
        if not SYSTEM_CONF.exists() or left_behind(SYSTEM_CONF):
            SYSTEM_CONF.unlink(missing_ok=True)
            SYSTEM_CONF.symlink_to(self.folder / "slurm.conf")
        munge = self.folder / "munge"
        self._daemon(
            *("munged", "--foreground", "--force", f"--socket={self.folder}/munge.socket", f"--key-file={key}"),
            *(f"--pid-file={munge}/pid", f"--log-file={munge}/log", f"--seed-file={munge}/seed"),
            user="munge",
        )
        until(lambda: (self.folder / "munge.socket").exists(), "munge's socket")
        if self.accounting:
            self._daemon("slurmdbd", "-D")
            until(lambda: "test" in self.ask("sacctmgr", "-i", "add", "cluster", "test", check=False), "slurmdbd", 120)
        self.start_controller()
        self.start_node()

    def start_controller(self) -> None:
        """Start slurmctld, with the jobs it knew before."""
        self._daemon("slurmctld", "-D")
        until(lambda: "UP" in self.ask("scontrol", "ping", check=False), "the controller")

    def start_node(self) -> None:
        """Start slurmd."""
        self._daemon("slurmd", "-D", "-N", self.node)
        until(lambda: self.ask("sinfo", "-h", "-o", "%T").strip() in ("idle", "mixed", "allocated"), "the node")

    def restart_node(self) -> None:
        """Start slurmd as after the loss of the node: it does not know what it was doing.

        A slurmd that does know refuses a requeued job for two minutes.
        """
        self.kill("slurmd")
        shutil.rmtree(self.folder / "spool")
        (self.folder / "spool").mkdir()
        self.start_node()

    def kill(self, name: str) -> None:
        """Kill a daemon at once, as a crash does."""
        self.daemons[name].send_signal(signal.SIGKILL)
        self.daemons[name].wait()

    def ask(self, *command: str, check: bool = True) -> str:
        """Output of one of Slurm's commands."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=check)
        return done.stdout

    def has_steps_of(self, job: str) -> bool:
        """Whether the node still runs, or clears away, any step of a job."""
        return subprocess.run(["pgrep", "-f", rf"slurmstepd: \[{job}\."], stdout=subprocess.DEVNULL).returncode == 0

    def stop(self) -> None:
        """End all jobs and daemons."""
        if "slurmctld" in self.daemons and self.daemons["slurmctld"].poll() is None:
            self.ask("scancel", "--user", "root", check=False)
        for daemon in reversed(self.daemons.values()):
            daemon.terminate()
        for daemon in self.daemons.values():
            try:
                daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                daemon.kill()
        if SYSTEM_CONF.is_symlink() and SYSTEM_CONF.readlink() == self.folder / "slurm.conf":
            SYSTEM_CONF.unlink()

    def _daemon(self, name: str, *flags: str, user: str | None = None) -> None:
        """Start a daemon that the kernel kills when this process ends, however it ends: the next tests find none."""
        privileges = ["--pdeathsig=KILL"]
        if user:
            privileges += [f"--reuid={user}", f"--regid={user}", "--clear-groups"]
        self.daemons[name] = subprocess.Popen(
            ["setpriv", *privileges, name, *flags],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def until(true: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Wait until `true()`.

    Raises:
        TimeoutError: it did not become true.
    """
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come within {seconds:.0f} s")
        time.sleep(0.1)
