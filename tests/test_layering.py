"""Who may import whom, read from the source: a wrong arrow fails here before it becomes a habit."""

from __future__ import annotations

import ast
import graphlib
import importlib
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache
from pathlib import Path

from engine.cells import CELLS

ROOT = Path(__file__).parents[1]
FLOORS: dict[str, list[str]] = {
    "engine": [
        "limits",
        "number_format package cells tasks whole_file experiment_error setting_synonyms",
        "bugs update_cost",
        "experiment",
        "device schedule parameters data live_settings",
        "layers reading weights",
        "model frame codegen",
        "lens diagnosis recording preset ask intervention",
        "screen",
        "watch",
        "training step_through",
        "claims cure_trials slow_motion many",
        "workers",
        "sweeps",
        "commands",
        "__main__",
    ],
    "app": [
        "setting_effects setting_help setting_words experiment_cache allowance",
        "text verdicts audio slot_registry shared_run run_start ghost figures weights_file tab",
        "slow_motion step_through stage_mode drafts past_runs own_data_link own_data_store data_text waiting "
        "segments brought_network class_link",
        "links hub thumbnail stage guesses",
        "chosen_data",
        "state",
        "partial",
        "controls live",
        "race find_setting",
        "",  # a page or a card, unless it stands below
        "replay",
        "export write classroom notebook",
        "my_runs",
        "playground",
        "serve",
        "main server",
    ],
}
"""The rooms (folders and loose files) from the ground up. A room imports from lower floors alone: arrows go one way."""
PAGES = FLOORS["app"].index("")

TORCH_ROOMS = {("engine", name) for name in ("layers", "lens", "many", "model", "training", "watch")}
TORCH_FILES = {
    "engine/ask/answering.py",
    "engine/ask/forecasting.py",
    "engine/claims/bug_measures.py",
    "engine/claims/measures.py",
    "engine/cure_trials/measure.py",
    "engine/slow_motion/dry_run.py",
    "engine/step_through/tracing.py",
    "engine/step_through/unrolled.py",
    "engine/step_through/verify.py",
    "engine/weights/state_dict.py",
    "engine/workers/worker.py",
}
"""Where something is computed. Beside these files stand the values that the server reads, without torch."""
RAY_FILES = {"engine/sweeps/ray_tasks.py", "engine/workers/cluster.py", "engine/workers/ray_channel.py"}
"""What speaks to a Ray cluster. Ray is no part of an ordinary installation."""
PICKLES = {"engine/workers/ray_channel.py"}
"""Messages that we pickled ourselves, to and from our own workers on a cluster (docs/cluster.md: with a token)."""
EXECUTES = {"engine/watch/program.py"}
"""The script that somebody names on their own command line, to have it watched."""
CAN_RUN_CODE = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "yaml", "code", "runpy"}
COMMAND_LINES = {"engine/__main__.py", "app/serve/__main__.py"}
MAX_LINES, MAX_FUNCTION_LINES = 350, 60


def files(*folders: str) -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for folder in folders for path in (ROOT / folder).rglob("*.py"))


ENGINE, APP, FIGURES = files("engine"), files("app"), files("app/figures")
FACES = {"engine/__init__.py", "app/__init__.py"}
FOLDERS = [folder for folder in ("engine", "app", "tests", "benchmarks") if (ROOT / folder).is_dir()]


def bad(every: Iterable[str], find: Callable[[str], Collection]) -> dict[str, Collection]:
    """What is wrong in which file, of all these files."""
    return {file: problems for file in every if (problems := find(file))}


@cache
def tree(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"))


@cache
def imported(file: str) -> frozenset[str]:
    """Full names of what a file imports anywhere in it; "from a import b" counts as a and as a.b."""
    names = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
    return frozenset(names)


@cache
def module_file(name: str) -> str | None:
    """The file of one of our modules or packages; None for a name inside one."""
    base = name.replace(".", "/")
    return next((each for each in (f"{base}.py", f"{base}/__init__.py") if (ROOT / each).is_file()), None)


@cache
def arrows(file: str) -> frozenset[str]:
    """The files of ours from which a file takes names, for types alone included."""
    targets = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            targets |= {module_file(each.name) for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            targets |= {module_file(f"{node.module}.{each.name}") or module_file(node.module) for each in node.names}
    return frozenset(targets - {None, file})


def room(file: str) -> tuple[str, str]:
    """("engine", "lens") of engine/lens/sweep.py, ("app", "hub") of app/hub.py."""
    package, name = Path(file).parts[:2]
    return package, name.removesuffix(".py")


def floor(file: str) -> int:
    """How far up a file's room stands in its package."""
    package, name = room(file)
    floors = [number for number, names in enumerate(FLOORS[package]) if name in names.split()]
    assert floors or package == "app", f"{file}: say in FLOORS on which floor engine/{name} stands"
    return floors[0] if floors else PAGES


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


def test_the_engine_knows_no_screen():
    assert bad(ENGINE, lambda file: packages(file) & {"streamlit", "plotly", "app"}) == {}


def test_a_room_imports_from_lower_floors_alone():
    def upwards(file: str) -> set[str]:
        others = {other for other in arrows(file) if room(other)[0] == room(file)[0] and room(other) != room(file)}
        return {other for other in others if floor(other) >= floor(file)}

    assert bad([file for file in (*ENGINE, *APP) if file not in FACES], upwards) == {}


def test_no_imports_go_in_a_circle():
    """Those that only a type checker follows included."""
    sorter = graphlib.TopologicalSorter({file: arrows(file) for file in (*ENGINE, *APP)})
    sorter.prepare()  # raises CycleError with the files of a circle


def test_only_rooms_that_compute_import_torch():
    with_torch = {file for file in (*ENGINE, *APP) if "torch" in packages(file)}
    assert {file for file in with_torch if room(file) not in TORCH_ROOMS} == TORCH_FILES
    assert "engine/cells/__init__.py" not in with_torch


def test_the_app_imports_no_torch_and_nothing_that_does():
    assert bad(APP, lambda file: {each for each in closure(file) if "torch" in packages(each)}) == {}


def test_ray_is_imported_by_what_speaks_to_a_cluster_alone():
    assert {file for file in (*ENGINE, *APP) if "ray" in packages(file)} == RAY_FILES


def test_the_server_process_never_loads_torch_and_loads_ray_only_for_a_cluster():
    """In a process of its own, with the pool not started: app.server would start it."""
    modules = (
        "app.hub, app.live.component, app.live.feed, app.figures, app.state, app.controls, app.playground.page, "
        "app.learn.page, app.write.page, app.own_data.page, engine.sweeps.places, engine.__main__"
    )
    script = f"import sys, {modules}; print({{'torch', 'ray'}} & set(sys.modules), app.hub.HUB._pool)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "set() None\n", done.stderr


def test_figures_know_values_and_plotly_and_nothing_else():
    values = (
        "app.figures",
        "engine.experiment",
        "engine.frame",
        "engine.number_format",
        "engine.schedule",
        "engine.slow_motion.update_trace",
    )

    def others(file: str) -> set[str]:
        ours = {name for name in imported(file) if name.split(".")[0] in ("app", "engine")}
        foreign = packages(file) - {"app", "engine", "numpy", "plotly", *sys.stdlib_module_names}
        return {name for name in ours if not name.startswith(values)} | foreign

    assert bad(FIGURES, others) == {}


def test_only_two_files_touch_the_session():
    touching = {file for file in APP if "session_state" in (ROOT / file).read_text(encoding="utf-8")}
    assert touching == {"app/state.py", "app/tab.py"}


def test_only_workers_and_readings_start_threads_and_processes():
    starters, starting_rooms = {"threading", "subprocess", "multiprocessing", "concurrent"}, ("workers", "reading")
    others = [file for file in (*ENGINE, *APP) if room(file) not in [("engine", name) for name in starting_rooms]]
    starting = {file: packages(file) & starters for file in others}
    assert {file: names for file, names in starting.items() if names} == {
        "app/serve/logs.py": {"threading"},  # what is logged of a thread's error
        "app/allowance.py": {"threading"},  # a lock alone
        "app/slot_registry.py": {"threading"},
        "app/shared_run.py": {"threading"},  # a lock alone
        "engine/preset/lesson_data.py": {"threading"},  # a lock alone
        "engine/recording/history.py": {"threading"},  # a lock alone
        "engine/recording/memory_budget.py": {"threading"},  # a lock alone
        "engine/cure_trials/measure.py": {"concurrent"},  # on the command line alone
        "engine/watch/losses.py": {"threading"},  # which thread runs, alone
        "engine/watch/screen.py": {"subprocess"},  # the page of a lens, which is asked for
        "engine/sweeps/worker.py": {"multiprocessing"},  # its end of a pipe
    }


def test_imports_are_absolute():
    def relative(file: str) -> list[int]:
        return [node.lineno for node in ast.walk(tree(file)) if isinstance(node, ast.ImportFrom) and node.level]

    assert bad(files(*FOLDERS), relative) == {}


# ---- what strangers send


def calls(file: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Every call in a file: what is called, and its named arguments, as they are written."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), {each.arg: ast.unparse(each.value) for each in node.keywords if each.arg}


def test_nothing_can_be_unpickled_or_executed():
    with_code = {file for file in (*ENGINE, *APP) if packages(file) & CAN_RUN_CODE}
    assert with_code == PICKLES | EXECUTES

    def wrong(file: str) -> list[str]:
        found = []
        for called, named in calls(file):
            if called in ("eval", "exec", "compile", "__import__", "os.system") and file not in EXECUTES:
                found.append(called)
            if named.get("allow_pickle", "False") != "False" or named.get("shell", "False") != "False":
                found.append(called)
            if called == "torch.load" and named.get("weights_only") != "True":
                found.append(called)
            if called in ("np.load", "numpy.load") and named.get("allow_pickle") != "False":
                found.append(called)
        return found

    assert bad((*ENGINE, *APP), wrong) == {}


# ---- manner


def test_nothing_prints():
    def prints(file: str) -> list[int]:
        calls = [node for node in ast.walk(tree(file)) if isinstance(node, ast.Call)]
        return [call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]

    others = [file for file in (*ENGINE, *APP) if file not in COMMAND_LINES and room(file) != ("engine", "commands")]
    assert bad(others, prints) == {}


def test_files_and_functions_are_short():
    def long(file: str) -> list[str]:
        lines = len((ROOT / file).read_text(encoding="utf-8").splitlines())
        functions = [node for node in ast.walk(tree(file)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
        too_long = [node.name for node in functions if node.end_lineno - node.lineno >= MAX_FUNCTION_LINES]
        return too_long + ([f"{lines} lines"] if lines > MAX_LINES else [])

    assert bad([*ENGINE, *APP], long) == {}


def test_what_benchmarks_import_of_ours_is_there():
    """They run by hand only, so a name that has moved would be noticed late. (Importing them would run them.)"""

    def missing(file: str) -> list[str]:
        nodes = [node for node in ast.walk(tree(file)) if isinstance(node, ast.ImportFrom) and node.module]
        ours = [(importlib.import_module(node.module), node) for node in nodes if node.module.startswith("engine")]
        return [each.name for module, node in ours for each in node.names if not hasattr(module, each.name)]

    assert bad(files("benchmarks"), missing) == {}


def cell_names_compared(module: ast.Module) -> list[int]:
    """Lines that compare something with a cell's name: such a rule belongs to the cell, as one of its properties."""
    found = []
    for node in ast.walk(module):
        if not isinstance(node, ast.Compare | ast.match_case):
            continue
        parts = list(ast.walk(node.pattern if isinstance(node, ast.match_case) else node))
        strings = {each.value for each in parts if isinstance(each, ast.Constant)}
        names = {each.attr for each in parts if isinstance(each, ast.Attribute)}
        names |= {each.id for each in parts if isinstance(each, ast.Name)}
        asks_for_cell = isinstance(node, ast.match_case) or "cell" in names | strings
        if asks_for_cell and strings & set(CELLS):
            found.append(parts[0].lineno)
    return sorted(found)


def test_no_file_compares_a_cells_name():
    """A new cell would have to be entered there; the catalogue says what there is to know."""
    others = [file for file in files("engine", "app", "benchmarks") if not file.startswith("engine/cells/")]
    assert bad(others, lambda file: cell_names_compared(tree(file))) == {}


def test_a_compared_name_is_found():
    source = """
if e.cell == "lstm" or e.kind == "lstm":
    found = tab.value("cell") in ("rnn", "gru")
match e.cell:
    case "gru":
        pass
"""
    assert cell_names_compared(ast.parse(source)) == [2, 3, 5]
