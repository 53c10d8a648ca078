"""The database behind Slurm's accounting: MariaDB and slurmdbd, all state in one folder.

Needs Debian's packages `mariadb-server` and `slurmdbd`.
"""

import shutil
import socket
import subprocess
from pathlib import Path

PROGRAMS = ["mariadbd", "mariadb-install-db", "slurmdbd", "sacct", "sacctmgr"]
CONF = """
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmUser=root
PidFile={folder}/slurmdbd.pid
LogFile={folder}/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={database_port}
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm
"""
USER = """CREATE USER 'slurm'@'127.0.0.1' IDENTIFIED BY 'slurm';
GRANT ALL ON slurm.* TO 'slurm'@'127.0.0.1';
"""


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def prepare(folder: Path) -> tuple[list[str], str]:
    """Lay out an empty database and slurmdbd's configuration.

    Returns:
        The command that starts MariaDB, and the lines of slurm.conf that name slurmdbd.
    """
    port, database_port = free_port(), free_port()
    data = folder / "database"
    data.mkdir()
    shutil.chown(data, "mysql", "mysql")
    init = data / "init.sql"
    init.write_text(USER)
    subprocess.run(
        ["mariadb-install-db", "--no-defaults", f"--datadir={data}/files", "--user=mysql", "--skip-test-db"],
        check=True,
        capture_output=True,
    )
    conf = folder / "slurmdbd.conf"
    conf.write_text(CONF.format(folder=folder, port=port, database_port=database_port))
    conf.chmod(0o600)
    start = [
        *("mariadbd", "--no-defaults", "--user=mysql", f"--datadir={data}/files", f"--init-file={init}"),
        *("--bind-address=127.0.0.1", "--skip-name-resolve", f"--port={database_port}"),
        *(f"--socket={data}/socket", f"--pid-file={data}/pid"),
    ]
    storage = {
        "Type": "accounting_storage/slurmdbd",
        "Host": "localhost",
        "Port": port,
        "Pass": f"{folder}/munge.socket",
    }
    return start, "\n".join(f"AccountingStorage{key}={value}" for key, value in storage.items())
