"""The dependency audit of `make check`: what fails it, and what it says when it knows nothing."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from tests.test_layering import ROOT

spec = importlib.util.spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
assert spec is not None and spec.loader is not None
audit = importlib.util.module_from_spec(spec)
spec.loader.exec_module(audit)

SOUND = {"name": "numpy", "version": "2.4.6", "vulns": []}
HOLE = {"id": "PYSEC-1", "fix_versions": ["2.11.3"], "aliases": ["CVE-1"]}
WITH_HOLE = {"name": "jinja2", "version": "2.11.2", "vulns": [HOLE]}
NOT_FOUND = {"name": "torch", "skip_reason": "could not be audited"}


def verdict(*packages: dict) -> tuple[int, str]:
    return audit.verdict({"dependencies": list(packages)})


def test_a_known_hole_fails_and_is_named():
    code, says = verdict(SOUND, WITH_HOLE, NOT_FOUND)
    assert code == 1 and "jinja2 2.11.2: PYSEC-1, mended in 2.11.3" in says and "1 more could not" in says


def test_one_that_does_not_concern_us_passes(monkeypatch):
    monkeypatch.setattr(audit, "ACCEPTED", {"CVE-1": "no template of ours comes from a stranger"})
    assert verdict(SOUND, WITH_HOLE) == (0, "Dependency audit: no known hole in 2 packages.")


def test_a_list_that_did_not_answer_is_no_clean_bill():
    """pip-audit itself says of this case that no hole was found."""
    code, says = verdict(NOT_FOUND, NOT_FOUND)
    assert code == 0 and "NOT DONE" in says and "none of 2 packages" in says


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        (subprocess.TimeoutExpired("pip-audit", 1), "did not answer within"),
        (subprocess.CompletedProcess([], 1, "", "WARNING: x\nERROR: no connection\n"), "ERROR: no connection"),
        (subprocess.CompletedProcess([], 3, "", ""), "ended with code 3"),
    ],
    ids=["slow", "no network", "silent"],
)
def test_without_a_list_it_says_so_and_fails_nothing(monkeypatch, outcome, says):
    def run(*_: object, **__: object) -> subprocess.CompletedProcess:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(audit.subprocess, "run", run)
    code, said = audit.verdict(audit.report())
    assert code == 0 and "NOT DONE" in said and says in said


def test_the_command_is_one_that_pip_audit_understands():
    if importlib.util.find_spec("pip_audit") is None:
        pytest.skip("pip-audit is not installed here")
    done = subprocess.run(
        [sys.executable, *audit.COMMAND, "--dry-run"], capture_output=True, text=True, timeout=120, check=False
    )
    assert "unrecognized" not in done.stderr
