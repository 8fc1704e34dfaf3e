"""A script that an older program exported still runs, and a new one of the same run prints the same losses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.codegen import script
from engine.experiment import Experiment
from tests.compatibility import cases

PATHS = sorted((cases.DATA / "scripts").glob("*.py"))
RELATIVE = 1e-4


def assert_prints(path: Path, expected: np.ndarray) -> None:
    """Run a script as a stranger would, for as many updates as were stored."""
    order = [sys.executable, "-I", str(path), "--steps", str(len(expected)), "--every", "1"]
    done = subprocess.run(order, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(cases.printed_losses(done.stdout), expected, rtol=RELATIVE)


@pytest.mark.parametrize("path", PATHS, ids=[path.stem for path in PATHS])
def test_a_stored_script_and_a_new_one_print_the_stored_losses(path, tmp_path):
    stored = cases.read_json(path.with_suffix(".json"))
    expected = cases.printed_losses("\n".join(stored["printed"]))
    assert len(expected) > 3
    assert_prints(path, expected)
    new = tmp_path / "new.py"
    text = script(Experiment.from_dict(stored["experiment"]), cases.read_changes(stored["changes"]))
    new.write_text(text, encoding="utf-8")
    assert_prints(new, expected)
