"""Print all tables as Markdown: `python -m benchmarks [--quick] [--device cuda]`.

Or some of them: `python -m benchmarks frames sizes`.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform

from benchmarks.measuring import Settings, as_a_worker, prepare

TABLES = (
    "overhead", "decomposition", "frames", "gradients", "linear_scan", "gpu", "side_by_side", "sizes", "watch", "maps",
    "start", "optimizers",
)  # fmt: skip
"""The modules that print tables, in their order."""


def main() -> None:
    """Read the arguments, print what machine this is, then the tables."""
    as_a_worker("benchmarks")
    import torch

    arguments = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    arguments.add_argument("tables", nargs="*", metavar="table", help=f"{', '.join(TABLES)}; all when none is named")
    arguments.add_argument("--quick", action="store_true", help="shorter turns: numbers that are only roughly right")
    arguments.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    given = arguments.parse_args()
    if unknown := set(given.tables) - set(TABLES):
        arguments.error(f"no table is called {sorted(unknown)[0]}: there are {', '.join(TABLES)}")
    if given.device == "cuda" and not torch.cuda.is_available():
        arguments.error("this machine has no CUDA device")
    prepare(given.device)
    where = torch.cuda.get_device_name() if given.device == "cuda" else f"{platform.machine()}, one thread"
    print(f"torch {torch.__version__} on {where} of {os.cpu_count()} shared cores")
    for name in given.tables or TABLES:
        # only what is asked for: some need the page's packages
        importlib.import_module(f"benchmarks.{name}").tables(Settings(given.quick, given.device))


if __name__ == "__main__":
    main()
