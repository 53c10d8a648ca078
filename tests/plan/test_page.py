"""The page shows the output of `make graphs`."""

from pathlib import Path


def test_the_page_holds_the_plan_of_the_paper():
    assert Path("docs/graphs/plan.txt").read_text().strip() in Path("docs/plan.md").read_text()


def test_every_picture_is_on_the_page():
    page = Path("docs/plan.md").read_text()
    assert all(f"(graphs/{path.name})" in page for path in Path("docs/graphs").glob("*.svg"))
