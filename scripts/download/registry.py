"""Read and validate the registry of datasets, resources/datasets.yaml."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from scripts.common.config import read
from scripts.common.files import read_yaml
from scripts.common.places import ROOT
from scripts.download.config import Download

REGISTRY = ROOT / "resources/datasets.yaml"
ALGORITHMS = {"md5": 32, "sha1": 40, "sha256": 64}  # digest lengths in hexadecimal digits


@dataclass(frozen=True)
class Entry:
    """A dataset as the registry describes it."""

    host: str
    """a key of the registry's `hosts`"""
    path: str
    """of the file below the host's base URL"""
    file: str
    """the file's name on the disk"""
    kind: Literal["file", "tar", "tar.gz", "zip"]
    """a plain file, or an archive whose content is kept"""
    to: str
    """folder below download.folder"""
    bytes: int | None
    """exact size; null: not published"""
    about_bytes: int
    """size as published or estimated"""
    unpacked: float
    """size of the content, times the file's"""
    checksum: dict[str, str] | None
    """algorithm and digest, or where the host publishes it; null: not published"""
    page: str
    """where a person finds the dataset"""
    about: str
    """what it is"""
    licence: str
    """its licence"""
    citation: str
    """the publication to cite"""


@dataclass(frozen=True)
class Checksum:
    """The published checksum of a file: a digest, or the HTTP header or list in which the host publishes it."""

    algorithm: str
    digest: str | None = None
    header: str | None = None
    list: str | None = None


@dataclass(frozen=True)
class Dataset:
    """One file on a host and its place below the download folder; the fields are those of the registry."""

    name: str
    urls: tuple[str, ...]
    list_urls: tuple[str, ...]
    path: str
    file: str
    kind: str
    to: str
    bytes: int | None
    about_bytes: int
    unpacked: float
    checksum: Checksum | None
    page: str

    def target(self, folder: Path) -> Path:
        """The path of the complete dataset: the file itself, or the folder of an archive's content."""
        return folder / self.to / self.file if self.kind == "file" else folder / self.to


def read_registry(hosts: Mapping[str, Sequence[str]] | None = None, path: Path = REGISTRY) -> dict[str, Dataset]:
    """All datasets by name, their URLs complete.

    Args:
        hosts: base URLs that replace the registry's, by host.
        path: the registry.

    Raises:
        ValueError: naming the file, the entry and the key that is wrong.
    """
    content = read_yaml(path)
    bases = {**content["hosts"], **{host: list(urls) for host, urls in (hosts or {}).items()}}
    if unknown := set(bases) - set(content["hosts"]):
        known = ", ".join(content["hosts"])
        raise ValueError(f"download.hosts.{min(unknown)} is not a host of {path}; known: {known}")
    return {name: _dataset(name, entry, bases, f"{path}: {name}") for name, entry in content["datasets"].items()}


class Downloads:
    """The registry as one configuration uses it.

    Args:
        config: the section `download`.

    Attributes:
        datasets: all datasets of the registry, by name.
        chosen: the names in download.datasets.

    Raises:
        ValueError: the configuration names a dataset or a host that does not exist.
    """

    def __init__(self, config: Download):
        self.folder = Path(config.folder)
        self.datasets = read_registry(config.hosts)
        self.chosen: list[str] = [find(self.datasets, name).name for name in config.datasets]

    @classmethod
    def from_section(cls, section: Mapping[str, Any]) -> "Downloads":
        """The registry as the section `download` of a checked configuration uses it."""
        return cls(read(Download, section)[0])

    def marker(self, name: str) -> str:
        """The marker of a complete dataset; `name` may be a wildcard."""
        return str(self.folder / ".state" / f"{name}.done")

    def target(self, name: str) -> str:
        """The path of a complete dataset: its file, or the folder of its archive's content."""
        return str(find(self.datasets, name).target(self.folder))


def find(datasets: Mapping[str, Dataset], name: str) -> Dataset:
    """The dataset of this name; ValueError lists the known names."""
    if name not in datasets:
        raise ValueError(f"download: no dataset is called {name!r}; known: {', '.join(datasets)}")
    return datasets[name]


def _dataset(name: str, entry: Mapping[str, Any], bases: Mapping[str, Sequence[str]], where: str) -> Dataset:
    described, problems = read(Entry, entry, where)
    if problems:
        raise ValueError("\n".join(problems))
    if described.host not in bases:
        raise ValueError(f"{where}.host is {described.host!r}; known: {', '.join(bases)}")
    for key in ("file", "to"):
        parts = PurePosixPath(getattr(described, key))
        if parts.is_absolute() or ".." in parts.parts or (key == "file" and len(parts.parts) != 1):
            raise ValueError(f"{where}.{key} is {getattr(described, key)!r}; it must stay inside download.folder")
    checksum = _checksum(described.checksum, where)
    roots = [base.rstrip("/") for base in bases[described.host]]
    return Dataset(
        name=name,
        urls=tuple(f"{root}/{described.path}" for root in roots),
        list_urls=tuple(f"{root}/{checksum.list}" for root in roots) if checksum and checksum.list else (),
        checksum=checksum,
        path=described.path,
        file=described.file,
        kind=described.kind,
        to=described.to,
        bytes=described.bytes,
        about_bytes=described.about_bytes,
        unpacked=described.unpacked,
        page=described.page,
    )


def _checksum(entry: Mapping[str, str] | None, where: str) -> Checksum | None:
    if entry is None:
        return None
    if "algorithm" in entry:
        checksum = Checksum(**entry)
    else:
        ((algorithm, digest),) = entry.items()
        checksum = Checksum(algorithm, digest.lower())
    if checksum.algorithm not in ALGORITHMS:
        raise ValueError(f"{where}.checksum: {checksum.algorithm} is not one of {', '.join(ALGORITHMS)}")
    if checksum.digest is not None and len(checksum.digest) != ALGORITHMS[checksum.algorithm]:
        length = ALGORITHMS[checksum.algorithm]
        raise ValueError(f"{where}.checksum: a {checksum.algorithm} has {length} digits, not {len(checksum.digest)}")
    return checksum
