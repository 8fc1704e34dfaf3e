"""An installed wheel, away from the clone: the command `rnn-playground`, and the example notebook."""

from __future__ import annotations

import email
import json
import re
import subprocess
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from packaging.requirements import Requirement

from engine import screen
from engine.codegen import script
from engine.experiment import Experiment
from engine.preset import load_preset
from engine.recording import Recording
from tests.browser.conftest import wait_until_it_answers
from tests.installed.conftest import ROOT, Installed

SMALL = ("hidden_size=4", "batch_size=4", "seq_len=8")
SCRIPT = """
import sys
import app.own, engine
import torch
from torch import nn

model = nn.Sequential()
model.rnn = nn.GRU(3, 4)
for _ in range(3):
    model.rnn(torch.randn(9, 2, 3))[0][-1].sum().backward()
print(engine.WHOSE, app.own.WHOSE, sys.argv[1:])
if "--fails" in sys.argv:
    raise ValueError("mine")
"""


@pytest.fixture(scope="module")
def recorded(installed: Installed) -> str:
    """The name of a recording that was made by training."""
    done = installed.run("rnn-playground", "train", "remember", "--set", *SMALL, "--steps", "20", "--every", "10",
                         "--record", "run.zip")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["0", "10", "20", "Recorded"]
    return "run.zip"


@contextmanager
def served(installed: Installed, *command: str) -> Iterator[str]:
    """A server that a command has become; gives its address."""
    port = screen.free_port()
    process = installed.start("rnn-playground", *command, "--port", str(port))
    try:
        wait_until_it_answers(f"http://127.0.0.1:{port}", lambda: "it ended" if process.poll() is not None else "")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate()


def test_the_wheel_has_what_is_needed_under_one_name(installed: Installed):
    with zipfile.ZipFile(installed.wheel) as wheel:
        names = wheel.namelist()
        texts = {name: wheel.read(name).decode() for name in names if name.endswith(".py")}
    assert {name.split("/")[0] for name in names} == {"rnn_playground", "rnn_playground-0.1.0.dist-info"}
    inside = {name.split("/")[1] for name in names if name.startswith("rnn_playground/")}
    assert inside == {
        "__init__.py", "__main__.py", "notebook.py", "engine", "app", "presets", "lessons", ".streamlit",
    }  # fmt: skip
    tracked = subprocess.run(["git", "ls-files", "engine", "app", "presets"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode == 0:  # the tests may run on an exported tree
        assert {f"rnn_playground/{name}" for name in tracked.stdout.split()} <= set(names)
    named = re.compile(r"^\s*(?:from|import) (?:engine|app)\b|python -m engine|['\"`](?:engine|app)\.\w", re.MULTILINE)
    left = {name: found for name, text in texts.items() if (found := named.findall(text))}
    assert left == {}


def test_the_exact_versions_of_the_clone_are_among_those_that_the_wheel_accepts(installed: Installed):
    with zipfile.ZipFile(installed.wheel) as wheel:
        (name,) = [each for each in wheel.namelist() if each.endswith("METADATA")]
        metadata = email.message_from_bytes(wheel.read(name))
    accepted = {(needed := Requirement(each)).name: needed.specifier for each in metadata.get_all("Requires-Dist", [])}
    lines = [
        line for file in ("requirements.txt", "requirements-cluster.txt") for line in (ROOT / file).read_text().split()
    ]
    exact = dict(line.split("==") for line in lines if "==" in line)
    assert exact.keys() - accepted.keys() == {"pytest"} and accepted.keys() <= exact.keys()
    assert [package for package, versions in accepted.items() if not versions.contains(exact[package])] == []
    assert "streamlit" not in {
        Requirement(each).name for each in metadata.get_all("Requires-Dist") if "extra" not in each
    }


def test_the_page_answers_and_opens_a_recording(installed: Installed, recorded: str):
    with served(installed, "run") as url, urllib.request.urlopen(url) as answer:
        assert answer.status == 200
    with served(installed, "open", recorded) as url, urllib.request.urlopen(f"{url}/plotly.min.js") as answer:
        assert answer.status == 200


def test_a_recording_is_the_one_of_the_clone_and_is_diagnosed(installed: Installed, recorded: str):
    recording = Recording.load(installed.folder / recorded)
    assert recording.experiment == load_preset("remember").experiment.replace(
        hidden_size=4, batch_size=4, seq_len=8, steps=20
    )
    done = installed.run("rnn-playground", "diagnose", recorded)
    last = recording.frames[-1].diagnosis
    assert last is not None and last.sentence in done.stdout and f"Verdict at step 20: {last.kind}" in done.stdout
    assert done.returncode in (0, 1) and not done.stderr


def test_a_script_beside_an_engine_and_an_app_of_its_own_is_watched(installed: Installed):
    (installed.folder / "engine.py").write_text("WHOSE = 'their engine'")
    (installed.folder / "app").mkdir()
    (installed.folder / "app" / "own.py").write_text("WHOSE = 'their app'")
    (installed.folder / "train.py").write_text(SCRIPT)
    done = installed.run("rnn-playground", "watch", "--record", "run.looks", "train.py", "--fails")
    assert done.stdout == "their engine their app ['--fails']\n"
    assert "GRU: the gradient" in done.stderr and done.returncode == 1
    assert "/engine/" not in done.stderr and "rnn-playground" not in done.stderr, "its own frames alone"
    assert (installed.folder / "run.looks").is_file()


PROGRAM = """
import sys
sys.modules["streamlit"] = None  # as if it were not installed
from rnn_playground.engine.codegen import script
from rnn_playground.engine.experiment import Experiment
from rnn_playground.engine.__main__ import main
from rnn_playground.engine.reading import Reading
from rnn_playground.engine.sweeps.local import Local
import json
print(json.dumps([script(Experiment(**settings)) for settings in json.loads(sys.argv[1])]))
code = main(["run"])
main(["watch", "nothing.py"])
sys.exit(code)
"""


def test_without_streamlit_all_works_but_the_page(installed: Installed):
    scripts = [{"task": "adding", "cell": "gru"}, {"task": "reber", "cell": "lstm", "rnn_type": "many_to_many"}]
    done = installed.run("python", "-c", PROGRAM, json.dumps(scripts))
    assert done.returncode == 2, done.stderr
    assert "the packages streamlit cannot be found here: python -m pip install 'rnn-playground[app]'" in done.stderr
    assert json.loads(done.stdout) == [script(Experiment(**settings)) for settings in scripts]


NOTEBOOK = ROOT / "docs" / "notebook.ipynb"
RUNS = """
import ast, contextlib, io, json, sys
cells = [cell for cell in json.load(open(sys.argv[1]))["cells"] if cell["cell_type"] == "code"]
names, every = {"__name__": "__main__"}, []
for cell in cells:  # as a kernel does: what the last line is worth is shown
    body, printed = ast.parse("".join(cell["source"])), io.StringIO()
    last = ast.Expression(body.body.pop().value) if isinstance(body.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(printed):
        exec(compile(body, "cell", "exec"), names)
        value = None if last is None else eval(compile(last, "cell", "eval"), names)
    html = value._repr_html_() if hasattr(value, "_repr_html_") else ""
    every.append([printed.getvalue(), "" if value is None else repr(value), html])
json.dump(every, sys.stdout)
"""


def test_the_cells_of_the_notebook_run_and_say_what_is_stored(installed: Installed):
    done = installed.run("python", "-c", RUNS, str(NOTEBOOK))
    assert done.returncode == 0, done.stderr
    stored = [cell for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    for (printed, shown, html), cell in zip(json.loads(done.stdout), stored, strict=True):
        said = "".join("".join(out["text"]) for out in cell["outputs"] if out["output_type"] == "stream")
        data = next((out["data"] for out in cell["outputs"] if out["output_type"] == "execute_result"), {})
        assert _words(printed) == _words(said)
        assert _words(shown) == _words("".join(data.get("text/plain", "")))
        assert html[:60] == "".join(data.get("text/html", ""))[:60]
    frames = [html for *_, html in json.loads(done.stdout) if html.startswith('<iframe sandbox="allow-scripts')]
    assert len(frames) == 2 and all("http://" not in each.split("srcdoc")[0] for each in frames)


def _words(text: str) -> list[str]:
    """Without the numbers, whose last digits another machine computes otherwise."""
    return [word for word in text.split() if not any(sign.isdigit() for sign in word)]


@pytest.mark.full
def test_workers_readers_and_sweeps_start_their_processes(installed: Installed):
    (installed.folder / "sales.csv").write_text(
        "month,sales\n" + "".join(f"2010-{n:02d}-01,{n}\n" for n in range(1, 13))
    )
    (installed.folder / "gains.toml").write_text(
        'updates = 5\n[experiment]\ntask = "adding"\ncell = "rnn"\nhidden_size = 4\nseq_len = 8\n'
        "[axes]\ninit_gain = [0.5, 1.0]\n"
    )
    done = installed.run("rnn-playground", "sweep", "gains.toml", "--out", "gains.parquet")
    assert done.returncode == 0 and "rows in gains.parquet" in done.stdout, done.stderr
    program = """
from pathlib import Path
from rnn_playground.engine.reading import Reading
from rnn_playground.engine.experiment import Experiment
from rnn_playground.engine.workers import Pool
reading = Reading([("sales.csv", Path("sales.csv").read_bytes())])
assert reading.wait(100), reading.error
pool = Pool(1)
run = pool.submit(Experiment(hidden_size=4, batch_size=4, steps=5))
import time
end = time.monotonic() + 150
while run.status().step < 5 and time.monotonic() < end:
    time.sleep(0.05)
print(run.status().step, reading.dataset.kind)
pool.shutdown()
"""
    done = installed.run("python", "-c", program)
    assert done.stdout == "5 series\n", done.stderr
