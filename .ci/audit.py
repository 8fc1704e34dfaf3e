"""Fails if an installed package has a known hole; says so if the list of known holes could not be reached.

`make check` calls it. Without a network it fails nothing, and it never waits longer than LIMIT.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

LIMIT = 180  # seconds for all packages
COMMAND = ["-m", "pip_audit", "--local", "--format=json", "--desc=off", "--timeout=10", "--progress-spinner=off"]
ACCEPTED: dict[str, str] = {}
"""By its id in the list: a hole that does not concern us, and why."""


def report() -> dict[str, Any] | str:
    """What is known of every installed package; a sentence if that could not be found out."""
    try:
        done = subprocess.run([sys.executable, *COMMAND], capture_output=True, text=True, timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired:
        return f"it did not answer within {LIMIT} s"
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        lines = done.stderr.strip().splitlines()
        return lines[-1][:200] if lines else f"pip-audit ended with code {done.returncode}"
    return found


def verdict(found: dict[str, Any] | str) -> tuple[int, str]:
    """Exit code and sentences for what was found."""
    if isinstance(found, str):
        return 0, f"Dependency audit: NOT DONE. The list of known holes could not be reached: {found}."
    checked = [each for each in found["dependencies"] if "vulns" in each]
    left = len(found["dependencies"]) - len(checked)
    if not checked:
        return 0, f"Dependency audit: NOT DONE. The list of known holes has answered for none of {left} packages."
    holes = [
        f"  {each['name']} {each['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'none yet'}"
        for each in checked
        for hole in each["vulns"]
        if not {hole["id"], *hole.get("aliases", ())} & set(ACCEPTED)
    ]
    unknown = f" {left} more could not be looked up." if left else ""
    if holes:
        return 1, "\n".join([f"Dependency audit: {len(holes)} known holes.{unknown}", *holes])
    return 0, f"Dependency audit: no known hole in {len(checked)} packages.{unknown}"


if __name__ == "__main__":
    code, says = verdict(report())
    print(says)
    sys.exit(code)
