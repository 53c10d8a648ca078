"""The profiles: resources of jobs, read as Snakemake reads them, and profiles that cannot be read."""

from pathlib import Path

import pytest
import yaml

from scripts.plan.profile import Profile, Request

PROFILES = [Path("workflow/profiles") / name / "config.yaml" for name in ("slurm", "slurm-paper")]
RESOURCES = ("default-resources", "set-resources")


def test_a_rule_asks_for_its_own_or_the_default(tmp_path: Path):
    path = tmp_path / "config.yaml"
    path.write_text(
        "default-resources: {mem_mb: 2000 * attempt, runtime: 60 * attempt}\n"
        "set-resources: {lm_train: {runtime: 240, cpus_per_task: 16}, units_kmeans: {mem_mb: 9}}\n"
    )
    profile = Profile(path)
    assert profile.request("report_summary") == Request(60, True, None, 2000)
    assert profile.request("lm_train") == Request(240, False, 16, 2000)
    assert profile.request("units_kmeans") == Request(60, True, None, 9)


@pytest.mark.parametrize("path", PROFILES)
def test_the_projects_profiles_can_be_read(path: Path):
    profile = Profile(path)
    for rule in ("corpus_lexicon", *profile.by_rule):
        assert profile.request(rule).minutes
    assert not profile.request("lm_train").grows


def test_the_papers_profile_differs_in_resources_alone():
    mini, paper = (yaml.safe_load(path.read_text()) for path in PROFILES)
    assert {key: mini[key] for key in mini if key not in RESOURCES} == {
        key: paper[key] for key in paper if key not in RESOURCES
    }
    signals = {content["set-resources"]["lm_train"]["slurm_extra"] for content in (mini, paper)}
    assert len(signals) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("set-resources: {lm_train: {runtime: 2d}}", "runtime of lm_train is '2d'; the plan reads a number"),
        ("- jobs", "no profile; a mapping of Snakemake's options is expected"),
    ],
)
def test_a_profile_that_cannot_be_read_is_refused(text: str, message: str, tmp_path: Path):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        Profile(path).request("lm_train")
    with pytest.raises(ValueError, match=r"plan\.profile is .*, which cannot be read"):
        Profile(tmp_path / "nothing.yaml")
