"""Stages shared with another experiment: which they are, and the error if the configurations differ in them."""

import copy
import json
from pathlib import Path

import pytest

from scripts.project.defaults import default_config
from scripts.project.results_format import write_format
from scripts.project.share import check_shared, shared_stages

DEFAULT = default_config()


def configs(through: str) -> tuple[dict, dict]:
    """This experiment's configuration, sharing with `mini`, and that one's."""
    theirs = copy.deepcopy(DEFAULT)
    ours = copy.deepcopy(DEFAULT) | {"name": "other", "share": {"with": "mini", "through": through}}
    return ours, theirs


def written(results: Path, config: dict) -> Path:
    (results / config["name"]).mkdir(parents=True)
    (results / config["name"] / "config.json").write_text(json.dumps(config))
    write_format(results / config["name"])
    return results


def test_sharing_goes_up_to_a_stage():
    assert shared_stages(DEFAULT) == {}
    assert shared_stages(configs("corpus")[0]) == {"corpus": "mini"}
    assert list(shared_stages(configs("tokens")[0])) == ["corpus", "alignment", "units", "tokens"]


def test_what_comes_after_the_shared_stages_may_differ(tmp_path: Path):
    ours, theirs = configs("units")
    ours["lm"]["training"]["learning_rate"] = 1.0
    ours["modalities"]["phone-bpe"]["vocab_size"] = 9
    ours["cluster"]["gpus"]["units"] = 1
    ours["seeds"] = [5]
    check_shared(ours, written(tmp_path, theirs))
    check_shared(DEFAULT, tmp_path / "nothing")


@pytest.mark.parametrize(
    ("through", "key", "says"),
    [
        ("corpus", "seed", "config: seed is 7 here and 1 in"),
        ("units", "units.encoder.steps", "units.encoder.steps is 7 here and 1000 in"),
        ("tokens", "modalities.phone-bpe.vocab_size", "modalities.phone-bpe.vocab_size is 7 here and 600 in"),
        ("alignment", "corpus.world.tasks.more", "corpus.world.tasks.more is set here and not set in"),
        ("alignment", "units.external", "the stage alignment cannot be shared (share.through: alignment)"),
    ],
)
def test_a_key_that_decides_a_shared_stage_is_named_with_both_values(tmp_path: Path, through: str, key: str, says: str):
    ours, theirs = configs(through)
    *parents, last = key.split(".")
    place = ours
    for parent in parents:
        place = place[parent]
    place[last] = 7
    with pytest.raises(ValueError, match="cannot be shared") as error:
        check_shared(ours, written(tmp_path, theirs))
    assert says in str(error.value)


def test_tasks_in_another_order_are_refused(tmp_path: Path):
    ours, theirs = configs("corpus")
    tasks = ours["corpus"]["world"]["tasks"]
    ours["corpus"]["world"]["tasks"] = {name: tasks[name] for name in reversed(tasks)}
    with pytest.raises(ValueError, match="the tasks stand in another order"):
        check_shared(ours, written(tmp_path, theirs))


def test_the_other_experiment_must_have_been_run_and_own_what_it_shares(tmp_path: Path):
    ours, theirs = configs("corpus")
    with pytest.raises(ValueError, match="run that experiment first"):
        check_shared(ours, tmp_path)
    with pytest.raises(ValueError, match="this experiment's own name"):
        check_shared(ours | {"name": "mini"}, tmp_path)
    theirs["share"]["with"] = "first"
    with pytest.raises(ValueError, match="which shares with 'first' itself; name that one"):
        check_shared(ours, written(tmp_path, theirs))
