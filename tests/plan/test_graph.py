"""The pictures of the rules: what is drawn, where, and twice the same."""

import pytest

from scripts.plan.graph import count_jobs, draw_graphs, read_rules, rule_graph, stage_graph
from scripts.plan.graph_layout import arrange, columns, reduced

DOT = """digraph {
\t0[label = "report", color = "0.44 0.6 0.85", style="rounded"];
\t1[label = "lm_train", color = "0.1 0.6 0.85", style="rounded"];
\t2[label = "units_extract", color = "0.1 0.6 0.85", style="rounded"];
\t3[label = "units_kmeans", color = "0.1 0.6 0.85", style="rounded"];
\t4[label = "corpus_speak", color = "0.1 0.6 0.85", style="rounded"];
\t1 -> 0
\t2 -> 1
\t3 -> 2
\t4 -> 3
\t4 -> 2
}
"""
EDGES = {
    ("lm_train", "report"),
    ("units_extract", "lm_train"),
    ("units_kmeans", "units_extract"),
    ("corpus_speak", "units_kmeans"),
    ("corpus_speak", "units_extract"),
}


def test_rules_are_read_from_dot():
    assert read_rules(DOT) == EDGES
    with pytest.raises(ValueError, match="--rulegraph dot"):
        read_rules("Error: unknown option")


def test_an_edge_that_a_longer_way_implies_is_left_out():
    assert reduced([("a", "b"), ("b", "c"), ("a", "c")]) == {("a", "b"), ("b", "c")}
    with pytest.raises(ValueError, match=r"circle: .*a -> b -> a"):
        reduced([("a", "b"), ("b", "a")])


def test_a_stage_shows_its_rules_and_its_neighbours_as_one_box_each():
    assert stage_graph(EDGES) == {("corpus", "units"), ("units", "lm"), ("lm", "report")}
    assert rule_graph("units", EDGES) == {
        ("corpus", "units_kmeans"),
        ("units_kmeans", "units_extract"),
        ("units_extract", "→ lm"),
    }


def test_boxes_stand_behind_what_they_need():
    edges = [("a", "b"), ("b", "c"), ("a", "d")]
    assert columns("abcd", edges) == {"a": 0, "b": 1, "c": 2, "d": 1}
    assert columns("abcd", edges, last=iter("d"))["d"] == 3


def test_no_two_boxes_or_ways_share_a_place():
    edges = [("a", "b"), ("b", "c"), ("c", "d"), ("a", "d"), ("x", "d"), ("x", "y"), ("b", "y")]
    layout = arrange("abcdxy", edges)
    places = list(layout.boxes.values()) + [place for way in layout.edges.values() for place in way[1:-1]]
    assert len(places) == len(set(places))
    assert layout.edges["a", "d"][0] == layout.boxes["a"]
    assert len(layout.edges["a", "d"]) == 4
    assert layout == arrange("yxdcba", edges[::-1])
    assert list(layout.boxes) == sorted(layout.boxes)  # the order in which they are drawn


def test_pictures_are_drawn_twice_the_same(tmp_path):
    for folder in ("one", "two"):
        draw_graphs(EDGES, {"units_extract": 515, "units_kmeans": 1}, tmp_path / folder, "svg")
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == ["stages.svg", "units.svg"]
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert "extract  × 515" in (tmp_path / "one" / "units.svg").read_text()


def test_tables_and_figures_of_the_report_share_a_box_each():
    dot = """
\t0[label = "evaluation_summary"];
\t1[label = "report_table_results"];
\t2[label = "report_table_factors"];
\t3[label = "report_figure_factors"];
\t0 -> 1
\t0 -> 2
\t2 -> 3
"""
    assert read_rules(dot) == {("evaluation_summary", "report_tables"), ("report_tables", "report_figures")}
    assert count_jobs({"report_table_results": 1, "report_table_factors": 1, "lm_train": 6}) == {
        "report_tables": 2,
        "lm_train": 6,
    }
