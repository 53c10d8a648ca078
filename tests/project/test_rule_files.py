"""The rule files are one namespace: a name that two of them set would change what the first one's functions read."""

import re
from collections import defaultdict

from tests.factories.workflow import ROOT

SET = re.compile(r"^ *([A-Z][A-Z_]+(?:, [A-Z_]+)*) = ", re.MULTILINE)


def test_no_two_rule_files_set_the_same_name():
    setters = defaultdict(set)
    for path in [ROOT / "workflow/Snakefile", *(ROOT / "workflow/rules").glob("*.smk")]:
        # Of the files of the corpus' sources one is included.
        group = "corpus" if path.name.startswith("corpus") else path.name
        for names in SET.findall(path.read_text()):
            for name in names.split(", "):
                setters[name].add(group)
    assert len(setters) > 30
    assert {name: found for name, found in setters.items() if len(found) > 1} == {}
