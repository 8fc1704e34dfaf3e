"""Every fault in the table of ARCHITECTURE.md has its test, and nothing is decided by a clock that can be set."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
WALL_CLOCK = {"app/my_runs/csv_file.py", "app/past_runs.py", "app/classroom/classroom.py"}
"""Who may look at the time of day: what is kept of a run, or of a class, says when that was."""


def test_every_fault_has_a_test_that_is_there():
    chapter = (ROOT / "ARCHITECTURE.md").read_text().split("\n## Faults\n")[1].split("\n## ")[0]
    rows = [line for line in chapter.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 10
    for row in rows:
        assert row.count("|") == 5, row
        (file, name), *others = TEST.findall(row)
        assert not others and f"def {name}(" in (ROOT / file).read_text(), row


def test_whatever_measures_time_uses_a_clock_that_nobody_can_set():
    found = set()
    for path in (*ROOT.glob("engine/**/*.py"), *ROOT.glob("app/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and (
                (node.attr in ("utcnow", "now", "today") and ast.unparse(node.value).endswith(("datetime", "date")))
                or ast.unparse(node) == "time.time"
            ):
                found.add(str(path.relative_to(ROOT)))
    assert found <= WALL_CLOCK
