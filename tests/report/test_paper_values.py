"""The computation of factors, applied to the paper's Table 4, gives the paper's Table 3 except in four cells."""

import pytest

from scripts.report.paper_values import Paper, read_paper
from tests.report.fake import FACTORS, MODALITIES, TASKS

# (factor, baseline, modality, column): what the paper prints, what its own Table 4 gives.
INCONSISTENT = {
    ("A", "text-bpe", "phone-bpe", "continuation"): (7.8, 15.2),  # 59.1 - 51.3 = 7.8: the difference, not its share
    ("A", "text-bpe", "phone-bpe", "swuggy"): (0.0, -0.1),  # printed "-0.0"
    ("A", "text-raw", "phone-raw", "swuggy"): (0.0, 0.2),
    ("A", "text-bpe", "phone-bpe", "sblimp"): (0.0, 0.1),
}


@pytest.fixture(scope="module")
def paper() -> Paper:
    return read_paper("resources/paper.yaml")


def test_table_3_follows_from_table_4_but_for_the_cells_named(paper):
    differing = {}
    for (factor, baseline, modality), printed in paper.factors.items():
        for column in (*TASKS, "continuation"):
            recomputed = round(100 * (paper.results[modality][column] / paper.results[baseline][column] - 1), 1)
            if recomputed != printed[column]:
                differing[factor, baseline, modality, column] = (printed[column], recomputed)
    assert differing == INCONSISTENT


def test_the_first_continuation_cell_is_a_difference(paper):
    scores = paper.results
    assert round(scores["phone-bpe"]["continuation"] - scores["text-bpe"]["continuation"], 1) == 7.8


def test_every_table_of_the_paper_is_whole(paper):
    assert set(paper.modalities) == set(paper.results) == set(MODALITIES)
    assert set(paper.factors) == {factor.key for factor in FACTORS}
    assert all(set(row) == {*TASKS, "continuation", "continuation_sd"} for row in paper.results.values())


def test_tokens_per_second_and_tokens_give_the_same_hours(paper):
    for row in paper.modalities.values():
        assert row["tokens"] / row["tokens_per_second"] / 3600 == pytest.approx(43_000, rel=0.02)


def test_what_the_paper_lacks_is_none(paper):
    assert paper.accuracy("my-units", "swuggy") is None
    assert paper.change("D", "phone-raw", "my-units", "swuggy") is None
    assert paper.modality("my-units", "tokens") is None


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "paper.yaml"
    path.write_text("source: [")
    with pytest.raises(ValueError, match=r"paper\.yaml: not YAML"):
        read_paper(path)
    path.write_text("source: x")
    with pytest.raises(ValueError, match=r"paper\.yaml: no section modalities, results"):
        read_paper(path)
