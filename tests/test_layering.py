"""Who may import whom, read from the source: a wrong arrow fails here before it becomes a habit."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TORCH = {
    "engine/training/capture_frame.py",
    "engine/cells/adjoint.py",
    "engine/cells/reverse_sequence.py",
    "engine/cells/feedforward.py",
    "engine/cells/gru.py",
    "engine/cells/gru_simple.py",
    "engine/model/layers.py",
    "engine/cells/lstm.py",
    "engine/cells/lstm_no_forget.py",
    "engine/cells/lstm_peephole.py",
    "engine/cells/rnn.py",
    "engine/cells/stepwise.py",
    "engine/claims/measures.py",
    "engine/ask/answering.py",
    "engine/model/network.py",
    "engine/lens/forward_trace.py",
    "engine/training/optimizers.py",
    "engine/lens/on_demand.py",
    "engine/lens/decomposition.py",
    "engine/lens/step_factors.py",
    "engine/lens/gradient_flow.py",
    "engine/lens/jacobians.py",
    "engine/lens/saliency.py",
    "engine/lens/spectrum.py",
    "engine/lens/sweep.py",
    "engine/step_through/tracing.py",
    "engine/lens/weight_gradients.py",
    "engine/slow_motion/dry_run.py",
    "engine/lens/scaled.py",
    "engine/training/trainer.py",
    "engine/step_through/unrolled.py",
    "engine/step_through/verify.py",
    "engine/workers/worker.py",
}
MOST_LINES, LONGEST_FUNCTION = 350, 60


def files(*folders: str) -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for folder in folders for path in (ROOT / folder).rglob("*.py"))


ENGINE, APP, FIGURES = files("engine"), files("app"), files("app/figures")
FOLDERS = [folder for folder in ("engine", "app", "tests", "benchmarks") if (ROOT / folder).is_dir()]


@cache
def tree(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"))


def imported(file: str) -> set[str]:
    """Full names of what a file imports anywhere in it; "from a import b" counts as a and as a.b."""
    names = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
    return names


def packages(file: str) -> set[str]:
    return {name.split(".")[0] for name in imported(file)}


def closure(file: str) -> set[str]:
    """All files of ours that importing this one can reach, packages on the way included."""
    reached, waiting = set(), [file]
    while waiting:
        file = waiting.pop()
        if file in reached:
            continue
        reached.add(file)
        for name in imported(file):
            parts = name.split(".")
            for end in range(1, len(parts) + 1):
                base = "/".join(parts[:end])
                waiting += [each for each in (f"{base}.py", f"{base}/__init__.py") if (ROOT / each).is_file()]
    return reached


# ---- the reader itself


def test_imports_are_found():
    assert {
        "engine/__init__.py",
        "engine/model/network.py",
        "engine/lens/forward_trace.py",
        "engine/workers/pool.py",
    } <= set(ENGINE)
    assert {"app/server.py", "app/figures/theme.py", "app/playground/page.py"} <= set(APP)
    assert {"torch", "torch.nn", "engine.tasks"} <= imported("engine/model/network.py")
    assert {"app/hub.py", "engine/workers/pool.py", "engine/tasks/synthetic.py"} <= closure("app/server.py")


# ---- arrows


@pytest.mark.parametrize("file", ENGINE)
def test_the_engine_knows_no_screen(file):
    assert packages(file) & {"streamlit", "plotly", "app"} == set()


@pytest.mark.parametrize("file", ENGINE)
def test_torch_is_imported_only_where_something_is_computed(file):
    assert "torch" not in packages(file) or file in TORCH


def test_every_file_that_may_import_torch_does():
    assert {file for file in TORCH if "torch" in packages(file)} == TORCH


@pytest.mark.parametrize("file", APP)
def test_the_app_imports_no_torch_and_nothing_that_does(file):
    assert packages(file) & {"torch"} == set()
    assert closure(file) & TORCH == set()


def test_the_server_process_never_loads_torch():
    """In a process of its own, with the pool not started: app.server would start it."""
    modules = (
        "app.hub, app.live.component, app.live.feed, app.figures, app.state, app.controls, app.playground.page, "
        "app.learn.page"
    )
    script = f"import sys, {modules}; print('torch' in sys.modules, app.hub.HUB._pool)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "False None\n", done.stderr


@pytest.mark.parametrize("file", FIGURES)
def test_figures_know_frames_and_plotly_and_nothing_else(file):
    ours = {name for name in imported(file) if name.split(".")[0] in ("app", "engine")}
    allowed = (
        "app.figures", "engine.frame", "engine.experiment", "engine.number_format", "engine.frame.readings",
        "engine.slow_motion.update_trace", "engine.step_through.sequence_trace",
    )  # fmt: skip
    assert {name for name in ours if not name.startswith(allowed)} == set()
    assert packages(file) - {"app", "engine"} <= {"numpy", "plotly", *sys.stdlib_module_names}


@pytest.mark.parametrize("file", APP)
def test_only_state_touches_the_session(file):
    assert "session_state" not in (ROOT / file).read_text(encoding="utf-8") or file == "app/state.py"


@pytest.mark.parametrize("file", [*ENGINE, *APP])
def test_only_the_workers_start_threads_and_processes(file):
    found = packages(file) & {"threading", "subprocess", "multiprocessing", "concurrent"}
    if file.startswith("engine/workers/"):
        return
    assert found <= ({"threading"} if file == "app/slot_registry.py" else set())


@pytest.mark.parametrize("file", files(*FOLDERS))
def test_imports_are_absolute(file):
    assert [node.lineno for node in ast.walk(tree(file)) if isinstance(node, ast.ImportFrom) and node.level] == []


# ---- manner


@pytest.mark.parametrize("file", [*ENGINE, *APP])
def test_nothing_prints(file):
    calls = [node for node in ast.walk(tree(file)) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    assert file == "engine/__main__.py" or [call.lineno for call in calls if call.func.id == "print"] == []


@pytest.mark.parametrize("file", [*ENGINE, *APP])
def test_files_and_functions_are_short(file):
    assert len((ROOT / file).read_text(encoding="utf-8").splitlines()) <= MOST_LINES
    functions = [node for node in ast.walk(tree(file)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    assert {each.name for each in functions if each.end_lineno - each.lineno >= LONGEST_FUNCTION} == set()


@pytest.mark.parametrize("file", files("benchmarks"))
def test_what_benchmarks_import_of_ours_is_there(file):
    """They run by hand only, so a name that has moved would be noticed late. (Importing them would run them.)"""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("engine"):
            module = importlib.import_module(node.module)
            assert [each.name for each in node.names if not hasattr(module, each.name)] == []
