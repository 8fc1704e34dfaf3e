"""Print what 10, 30 and 60 visitors take from the server, as Markdown: `python -m benchmarks.load`.

Each number of visitors gets a server of its own. `--quick` is one short measurement of each mode.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform

from benchmarks.load.click_costs import click_costs
from benchmarks.load.mapper import Mapper
from benchmarks.load.measuring import measure, row_of
from benchmarks.load.server_process import ServerProcess
from benchmarks.load.visitor import MODES, Visitor
from benchmarks.measuring import head, row


def main() -> None:
    """Read the arguments, measure and print."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__.splitlines()[0])
    arguments.add_argument("--visitors", nargs="+", type=int, default=[10, 30, 60])
    arguments.add_argument("--seconds", type=float, default=60.0, help="of each measurement, after 10 to settle")
    arguments.add_argument("--lesson", default="remember", help="the lesson that all open, each with a seed of its own")
    arguments.add_argument("--mode", nargs="+", choices=MODES, default=MODES, help="what visitors do")
    arguments.add_argument("--quick", action="store_true", help="10 visitors, 15 s each")
    arguments.add_argument("--costs", action="store_true", help="only what one click of a lone visitor takes")
    arguments.add_argument("--map", action="store_true", help="one more person draws a map meanwhile")
    given = arguments.parse_args()
    if given.quick:
        given.visitors, given.seconds = [10], 15.0
    print(f"{platform.machine()}, {os.cpu_count()} cores, which the generator shares; lesson {given.lesson}")
    if given.costs:
        with ServerProcess() as server:
            costs = asyncio.run(click_costs(server, given.lesson))
        head("Processor time of a click, ms", *costs)
        row(*(f"{cost:.1f}" for cost in costs.values()))
        return
    for mode in given.mode:
        measure_mode(mode, given)


def measure_mode(mode: str, given: argparse.Namespace) -> None:
    """Measure every number of visitors in one mode, and print a table."""
    for number, count in enumerate(given.visitors):
        with ServerProcess() as server:
            visitors = [Visitor(server.address, seed, given.lesson, mode) for seed in range(count)]
            mapper = Mapper(server.address) if given.map else None
            load = asyncio.run(measure(server, visitors, given.seconds, mapper))
        cells = row_of(load)
        if number == 0:
            head(f"{mode}, {given.seconds:g} s each", *cells)
        row(*cells.values())
        if mapper is not None:
            print(f"\nThe map beside {count} visitors came to update {mapper.step:,}.\n")
        for problem in dict.fromkeys(load.problems):
            print(f"\nproblem: {problem}\n")


if __name__ == "__main__":
    main()
