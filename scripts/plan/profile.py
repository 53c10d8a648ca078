"""What a Snakemake profile lets a rule's jobs ask of a scheduler: time, CPU cores and memory."""

import re
from pathlib import Path
from typing import Any, NamedTuple

from scripts.common.files import read_yaml

EXPRESSION = re.compile(r"(\d+)( \* attempt)?")


class Request(NamedTuple):
    """What one job of a rule asks for at its first attempt.

    Attributes:
        minutes: time limit; None: the scheduler's default.
        grows: whether the limit is multiplied by the number of the attempt.
        cpus: cores, beside the rule's own threads; None: as many as its threads.
        megabytes: memory; None: the scheduler's default.
    """

    minutes: int | None
    grows: bool
    cpus: int | None
    megabytes: int | None


class Profile:
    """A profile's `default-resources` and `set-resources`.

    Raises:
        ValueError: the file is no profile, or a resource is neither `240` nor `240 * attempt`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            content = read_yaml(path)
        except OSError as error:
            raise ValueError(f"config: plan.profile is {path}, which cannot be read ({error.strerror})") from None
        if not isinstance(content, dict):
            raise ValueError(f"{path}: no profile; a mapping of Snakemake's options is expected")
        self.default: dict[str, Any] = content.get("default-resources", {})
        self.by_rule: dict[str, dict[str, Any]] = content.get("set-resources", {})

    def request(self, rule: str) -> Request:
        """What a rule's job asks for."""
        resources = {**self.default, **self.by_rule.get(rule, {})}
        minutes, grows = self._amount(rule, "runtime", resources.get("runtime"))
        cpus, _ = self._amount(rule, "cpus_per_task", resources.get("cpus_per_task"))
        megabytes, _ = self._amount(rule, "mem_mb", resources.get("mem_mb"))
        return Request(minutes, grows, cpus, megabytes)

    def _amount(self, rule: str, name: str, value: Any) -> tuple[int | None, bool]:
        if value is None:
            return None, False
        match = EXPRESSION.fullmatch(str(value))
        if match is None:
            raise ValueError(
                f"{self.path}: {name} of {rule} is {value!r}; the plan reads a number, or a number ` * attempt`"
            )
        return int(match[1]), match[2] is not None
