"""Folders of finished experiments, without their content."""

import copy
import json
from pathlib import Path

from scripts.project.compared import finished_files
from scripts.project.defaults import default_config
from scripts.project.results_format import write_format

DEFAULT = default_config()


def finish(results: Path, name: str, **sections) -> Path:
    """A folder with every file of a finished experiment, empty."""
    config = copy.deepcopy(DEFAULT) | {"name": name} | sections
    for file in map(Path, finished_files(name, config, str(results))):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    (results / name / "config.json").write_text(json.dumps(config))
    write_format(results / name)
    return results / name
