"""The time that the rest of a run will take."""

from pathlib import Path

import pytest

from scripts.plan.amounts import Amounts
from scripts.plan.costs import held_seconds
from scripts.project.defaults import default_config
from scripts.project.time_left import TRUST, Expected, Job, expected_times, seconds_left


def benchmark(path: Path, seconds: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"s\tcpu_time\n{seconds}\t1\n")
    return path


def test_a_job_is_expected_to_take_its_last_time_or_its_rules_or_the_plans(tmp_path: Path):
    folder = tmp_path / "benchmarks"
    own = benchmark(folder / "lm/train/text-raw.tsv", "100")
    benchmark(folder / "lm/train/phone-raw.tsv", "300")
    config = default_config()
    jobs = [
        Job(1, "lm_train", 1, own),
        Job(2, "lm_train", 2, folder / "lm/train/text-bpe.tsv"),
        Job(3, "units_extract", 1, None),
        Job(4, "units_extract", 1, None),
        Job(5, "report", 1, None),
    ]
    expected = expected_times(jobs, config, tmp_path)
    assert expected[1] == Expected(100.0, 1)
    assert expected[2] == Expected(200.0, 2)
    assert expected[3].seconds == expected[4].seconds == held_seconds("units_extract", 2, Amounts(config)) / 2
    assert 0 < expected[5].seconds < 5


def test_damaged_benchmarks_do_not_stop_a_run(tmp_path: Path):
    own = benchmark(tmp_path / "benchmarks/lm/train/text-raw.tsv", "soon")
    expected = expected_times([Job(1, "lm_train", 1, own)], default_config(), tmp_path)
    assert expected[1].seconds > 1


@pytest.mark.parametrize(
    ("expected", "done", "running", "left"),
    [
        ({1: (60, 1), 2: (60, 1)}, {}, {}, 60),  # side by side on two cores
        ({1: (60, 2), 2: (60, 2)}, {}, {}, 120),  # each needs both
        ({1: (10, 1), 2: (90, 1)}, {}, {}, 90),  # the longest
        ({1: (60, 8)}, {}, {1: 20}, 40),  # more threads than cores; a third is done
        ({1: (60, 1), 2: (60, 1)}, {1: 60}, {}, 60),
        ({1: (TRUST, 1), 2: (60, 1)}, {1: 3 * TRUST}, {}, 120),  # thrice as slow as expected, half believed
        ({1: (TRUST, 1), 2: (60, 1)}, {}, {1: 3 * TRUST}, 120),  # the same while it still runs
        ({1: (60, 1)}, {1: 60}, {}, 0),
    ],
)
def test_seconds_left_on_two_cores(
    expected: dict[int, tuple[float, int]], done: dict[int, float], running: dict[int, float], left: float
):
    jobs = {number: Expected(*each) for number, each in expected.items()}
    assert seconds_left(jobs, done, running, 2) == pytest.approx(left)
