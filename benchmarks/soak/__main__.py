"""Let visitors train while workers are killed and streams cut, and print what was lost: `python -m benchmarks.soak`."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys

from benchmarks.measuring import head, row
from benchmarks.soak.soaking import KILL, STOP, Plan, Soak, soak


def main() -> int:
    """Read the arguments, soak and print. Returns 1 if anything was lost."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__.splitlines()[0])
    arguments.add_argument("--minutes", type=float, default=10.0)
    arguments.add_argument("--kills", type=int, default=20, help="workers that are killed")
    arguments.add_argument("--stops", type=int, default=2, help="workers that are halted, so that they hang")
    arguments.add_argument("--cuts", type=int, default=20, help="streams that are cut")
    arguments.add_argument("--visitors", type=int, default=6)
    arguments.add_argument("--seed", type=int, default=0, help="of when what happens to whom")
    plan = Plan(**vars(arguments.parse_args()))
    found = soak(plan)
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[1]:.1f} over the last five minutes\n")
    _print(plan, found)
    return 1 if found.problems else 0


def _print(plan: Plan, found: Soak) -> None:
    head("Soak", "found")
    row("minutes, visitors", f"{found.seconds / 60:.1f}, {plan.visitors}")
    for kind in (KILL, STOP):
        took = [seconds for each, seconds in found.back if each == kind]
        if took:
            median = f"median {statistics.median(took):.1f} s, longest {max(took):.1f} s"
            row(f"workers {kind}: until every run was a second further than before", f"{len(took)}: {median}")
    row("streams cut", f"{found.cuts}")
    row("runs lost", f"{plan.visitors - len(found.runs)} of {plan.visitors}")
    compared = (sum(run.updates for run in found.runs.values()), sum(run.frames for run in found.runs.values()))
    row("updates made", f"{sum(run.last for run in found.runs.values()):,}")
    row("losses of updates, and of probes, that were kept and compared", "{:,}, {:,}".format(*compared))
    row("losses that differ in any bit", f"{sum(len(run.differ) for run in found.runs.values())}")
    for name, (settled, end) in (("server", found.server_memory), ("workers", found.workers_memory)):
        row(f"MiB of the {name}: first half, second half", f"{settled:.0f}, {end:.0f}")
    row("problems", f"{len(found.problems)}")
    for problem in dict.fromkeys(found.problems):
        print(f"\nproblem: {problem}")


if __name__ == "__main__":
    sys.exit(main())
