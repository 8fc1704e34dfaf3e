"""The wheel, built and installed into an environment of its own: what a stranger has, who never saw the clone."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUSY_MACHINE = 200  # seconds for what takes ten


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel, and a folder that is not the clone's."""

    wheel: Path
    bin: Path
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """Nothing in it leads to the clone."""
        ours = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
        return ours | {"OMP_NUM_THREADS": "1", "BROWSER": "true"}

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a command of the environment in the folder."""
        return subprocess.Popen(
            [self.bin / command[0], *command[1:]], cwd=self.folder, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment in the folder, to its end."""
        with self.start(*command) as process:
            try:
                out, err = process.communicate(timeout=BUSY_MACHINE)
            finally:
                process.kill()
        return subprocess.CompletedProcess(command, process.returncode, out, err)


@pytest.fixture(scope="package")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """Nothing is fetched: the packages that it needs are those of the environment in which the tests run."""
    place = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    building = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", place, ROOT]
    subprocess.run([*pip, *building], check=True, timeout=BUSY_MACHINE)
    (wheel,) = place.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place / "venv"], check=True, timeout=BUSY_MACHINE)
    python = place / "venv" / "bin" / "python"
    subprocess.run([*pip, "--python", python, "install", "--no-deps", "--no-index", wheel], check=True,
                   timeout=BUSY_MACHINE)  # fmt: skip
    theirs = sysconfig.get_path("purelib", vars={"base": str(place / "venv"), "platbase": str(place / "venv")})
    (Path(theirs) / "ours.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    folder = place / "somewhere"
    folder.mkdir()
    yield Installed(wheel, python.parent, folder)
