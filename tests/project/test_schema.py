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
