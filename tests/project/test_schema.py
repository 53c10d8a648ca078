"""The files that are generated from the definitions of the configuration's keys, and config.yaml beside them."""

import yaml
from jsonschema import Draft202012Validator

from scripts.project import schema
from scripts.project.check import check
from scripts.project.config import Configuration
from scripts.project.defaults import default_config
from scripts.project.reference import ENTRY, NOTHING, default, keys

CONFIG = default_config()


def test_the_committed_files_are_what_the_definitions_make():
    assert schema.SCHEMA.read_text() == schema.schema_text(), "run `make schema`"
    assert schema.PAGE.read_text() == schema.page_text(), "run `make schema`"
    assert schema.DEFAULTS.read_text() == schema.defaults_text(), "run `make schema`"


def test_the_schema_is_one_and_accepts_config_yaml():
    rules = yaml.safe_load(schema.SCHEMA.read_text())
    Draft202012Validator.check_schema(rules)
    assert [*Draft202012Validator(rules).iter_errors(CONFIG)] == []


def test_config_yaml_has_every_key_and_no_other():
    check(CONFIG)  # an unknown key is refused
    defined = [key for key in keys(Configuration) if ENTRY not in key.path and "[]" not in key.path]
    missing = [key.path for key in defined if default(CONFIG, key.path) is NOTHING]
    assert [path for path in missing if default(CONFIG, path.rpartition(".")[0]) is not None] == []
    assert not any(key.optional for key in defined)  # a default is a value in config.yaml and nowhere else


def test_every_key_says_what_it_means():
    assert [key.path for key in keys(Configuration) if len(key.note) < 4] == []


def test_a_user_finds_a_keys_bounds_and_default_on_the_page():
    page = schema.PAGE.read_text()
    assert "| `lm.model.context` | `1536` | integer ≥ 8, ≤ 16,777,216 | longest sequence in tokens" in page
    assert "| `share.with` | `null` | string `^" in page
    assert "| `factors[].from` |" in page


COMMENTED = """\
# about the file
name: mini  # an old meaning
seeds: []
lm:
  # why this size
  model: {hidden_size: 128}
                                  # the rest of an old meaning
  data_shares: []
corpus:
  world:
    tasks:
      swuggy: {pairs: 2}  # of this task
"""


def test_comments_of_keys_are_their_meanings_and_others_stay():
    made = schema.commented(COMMENTED, Configuration).splitlines()
    assert made[:2] == [
        "# about the file",
        "name: mini                        # the experiment's folder: results/<name>/",
    ]
    assert made[4] == "  # why this size"
    assert made[-1] == "      swuggy: {pairs: 2}  # of this task"
    assert "old meaning" not in "\n".join(made)
    shares = next(place for place, line in enumerate(made) if "data_shares" in line)
    assert made[shares + 1].startswith(" " * 34 + "# ")  # a long meaning goes on below
    assert yaml.safe_load("\n".join(made)) == yaml.safe_load(COMMENTED)
    assert all(len(line) <= 120 for line in made)
    again = schema.commented("\n".join(made), Configuration)
    assert again.splitlines() == made
