"""Settings of the documentation's site, which `make docs` builds with Sphinx, MyST (Markdown) and the theme furo.

The source folder is the repository, so that a page's relative links hold on the site as they do on a git host: a link
to another page leads to that page, a link to any other file (../config.yaml) to a copy of it.
"""

from pathlib import Path

from sphinx.application import Sphinx

project = "What each factor costs a speech language model"
author = "the contributors"
root_doc = "docs/index"
extensions = ["myst_parser"]
include_patterns = ["docs/*.md", "README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
exclude_patterns = [".*", "results", "data", "site", "scripts", "tests"]  # folders not to search for pages
nitpicky = True

myst_heading_anchors = 4
highlight_language = "text"  # of code blocks without a language: commands and their output

html_theme = "furo"
html_title = "Text to speech, factor by factor"
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False

# The navigation: titles of sections and their pages; a page is a name, or a title
# and a name.
NAVIGATION: dict[str, list[str]] = {
    "Tutorial": ["/docs/miniature"],
    "How to": [
        "Use your own data </docs/data>",
        "Use other test sets </docs/testsets>",
        "Vary one cause at a time </docs/dials>",
        "Run on a cluster </docs/cluster>",
        "Install the software </docs/environments>",
        "Rerun, resume, delete </docs/reruns>",
        "Compare experiments </docs/compare>",
        "Publish models and tokens </docs/publish>",
        "Use it from another workflow </docs/module>",
    ],
    "Reference": [
        "Configuration </docs/configuration>",
        "/docs/modalities",
        "The report </docs/report>",
        "/docs/glossary",
    ],
    "Explanation": [
        "/docs/alignment",
        "Units </docs/units>",
        "/docs/training",
        "/docs/evaluation",
        "/docs/continuation",
        "The plan </docs/plan>",
    ],
    "Benchmarks": ["The GPU path </docs/gpu>", "/docs/log"],
    "Project": ["README </README>", "/CONTRIBUTING", "/CHANGELOG"],
}


def add_navigation(app: Sphinx, page: str, source: list[str]) -> None:
    """Append the navigation to the first page's source, where a git host would show it as code."""
    if page == root_doc:
        for caption, pages in NAVIGATION.items():
            lines = ["```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```"]
            source[0] += "\n" + "\n".join(lines) + "\n"


def add_entrance(app: Sphinx, error: Exception | None) -> None:
    """Write site/index.html, which leads to the first page."""
    if error is None:
        entrance = (
            f'<!doctype html><meta http-equiv="refresh" content="0; url={root_doc}.html"><title>{html_title}</title>'
        )
        Path(app.outdir, "index.html").write_text(entrance, encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Connect the functions above."""
    app.connect("source-read", add_navigation)
    app.connect("build-finished", add_entrance)
