"""Run all tests of this folder that need a GPU, several at once, and print every failure: `python -m ... [folder]`.

The folder gets what each process said, as a whole.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
PYTEST = ("-v", "--tb=short", "-ra", "-s", "-p", "no:cacheprovider", "-o", "filterwarnings=default", "--durations=3")
TYPES = ("one_to_one", "one_to_many", "many_to_one", "many_to_many", "encoder_decoder")
FRAMES = "test_a_frame_has_the_numbers_of_the_cpu"
GROUPS = {
    **{f"frames {each}": ("test_on_gpu.py", f"{FRAMES} and {each}") for each in TYPES},
    "losses": ("test_on_gpu.py", "twenty_losses"),
    "others": ("test_on_gpu.py", f"not {FRAMES} and not twenty_losses"),
    "watch": ("test_watch_on_gpu.py", "not share_of_the_time"),
}
ALONE = {"share": ("test_watch_on_gpu.py", "share_of_the_time")}
"""What is timed runs after the others."""
LIMIT = 85  # seconds for all of a kind


def main() -> int:
    """Print a summary of every group, then of each failure what went wrong. Returns how many groups failed."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    failed = sum(_run(groups, folder) for groups in (GROUPS, ALONE))
    print(f"{failed} groups with failures")
    return min(failed, 1)


def _run(groups: dict[str, tuple[str, str]], folder: Path) -> int:
    running, end = {}, time.monotonic() + LIMIT
    for name, (file, which) in groups.items():
        log = (folder / f"{name.replace(' ', '_')}.txt").open("w+")
        command = [sys.executable, "-m", "pytest", *PYTEST, str(HERE / file), "-k", which]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        running[name] = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment), log
    failed = 0
    for name, (process, log) in running.items():
        try:
            code: int | str = process.wait(max(1.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            code = "too slow"
        log.seek(0)
        lines = log.read().splitlines()
        log.close()
        failed += code != 0
        print(f"== {name}: {lines[-1] if lines else 'said nothing'} (exit {code})")
        shown = [line for line in lines if line.startswith(("E  ", "ERROR", "FAILED")) or " FAILED" in line]
        shown += [line for line in lines if "updates/s" in line or line.startswith("SKIPPED")]
        print("\n".join(dict.fromkeys(line[:400] for line in shown)), flush=True)
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
