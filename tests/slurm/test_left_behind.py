"""Which slurm.conf the tests may replace: that of their own killed runs, and no other."""

from pathlib import Path

from tests.slurm.cluster import PREFIX, left_behind


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
