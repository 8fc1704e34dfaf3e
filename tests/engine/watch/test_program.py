"""Somebody's script, run and watched with no line changed."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from torch.nn.modules import module

from engine.__main__ import main
from engine.recording.growing import read_looks

ROOT = Path(__file__).parents[3]
MODEL = """
import sys
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, kind=nn.GRU):
        super().__init__()
        self.rnn, self.head = kind(3, 4), nn.Linear(4, 1)

    def forward(self, x):
        return self.head(self.rnn(x)[0][-1])

def train(model, steps, forward=None):
    torch.manual_seed(1)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        (forward or model)(torch.randn(30, 2, 3)).sum().backward()
        optimizer.step()
"""


@pytest.fixture
def watched(tmp_path, monkeypatch, capsys):
    """Run a script in a folder of its own; gives what it printed, and what was said of it."""

    def run(script: str, *arguments: str, options: tuple[str, ...] = ("--every", "1")) -> tuple[str, str]:
        monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
        (tmp_path / "train.py").write_text(MODEL + textwrap.dedent(script))
        monkeypatch.chdir(tmp_path)
        assert main(["watch", *options, "train.py", *arguments]) == 0
        shown = capsys.readouterr()
        return shown.out, shown.err

    return run


def test_a_script_sees_what_it_would_see_by_itself(watched, tmp_path):
    (tmp_path / "beside.py").write_text("HERE = 'imported'")
    before = sys.argv, sys.path[:], sys.modules["__main__"]
    out, err = watched(
        """
        import beside, pickle
        assert __name__ == "__main__" and sys.modules["__main__"].Net is Net
        def typed(x: int): ...
        assert typed.__annotations__ == {"x": int}  # no future statement of ours
        model = pickle.loads(pickle.dumps(Net()))
        train(model, 2)
        pickle.dumps(model)
        print(sys.argv, __file__, beside.HERE)
        """,
        "--lr", "3", "--every", "5",
    )  # fmt: skip
    assert out.split("\n")[0] == f"{['train.py', '--lr', '3', '--every', '5']} {tmp_path / 'train.py'} imported"
    assert "Net.rnn: the gradient" in err and "2 looks" in err
    assert (sys.argv, sys.path, sys.modules["__main__"]) == before


def test_the_weights_are_the_same_to_the_last_bit(watched, tmp_path):
    script = "model = Net(nn.LSTM); train(model, 5); torch.save(model.state_dict(), sys.argv[1])"
    watched("torch.manual_seed(0)\n" + script, "watched.pt")
    plain = {"__name__": "plain"}
    torch.manual_seed(0)
    sys_argv, sys.argv = sys.argv, ["", str(tmp_path / "plain.pt")]
    try:
        exec(MODEL + "torch.manual_seed(0)\n" + script, plain)
    finally:
        sys.argv = sys_argv
    one, other = (torch.load(tmp_path / name) for name in ("watched.pt", "plain.pt"))
    assert all(torch.equal(one[name], other[name]) for name in other)


def test_models_that_call_each_other_are_one_network(watched):
    _, err = watched(
        """
        class Decoder(Net):
            def forward(self, h):
                return self.head(self.rnn(torch.zeros(5, 2, 3), h)[0])
        class Encoder(Net):
            def forward(self, x):
                return self.rnn(x)[1]
        encoder, decoder = Encoder(), Decoder()
        with torch.no_grad():
            encoder(torch.zeros(1, 2, 3))
        train(nn.ModuleList([encoder, decoder]), 2, lambda x: decoder(encoder(x)))
        """
    )
    assert re.search(r"^Encoder\.rnn: .*\n", err, re.M) and "state: the last h of Encoder.rnn" in err
    assert "2 looks" in err and "not measured" not in err


def test_advice_is_written_for_the_model_by_its_author_s_names(watched):
    _, err = watched("train(Net(nn.LSTM), 1)")
    assert "model.rnn.bias_hh_l0.data[" in err and "model.Net" not in err


def test_models_of_one_class_and_bare_modules(watched):
    """Two that live have two names; the next of a class takes over the name of one that is gone."""
    _, err = watched(
        """
        import gc
        one, two, bare = Net(), Net(), nn.LSTM(3, 4)
        train(one, 2), train(two, 1), train(bare, 1, lambda x: bare(x)[0])
        del one
        gc.collect()
        train(Net(nn.LSTM), 1)
        """
    )
    names = re.findall(r"^(\S+): the gradient", err.split("\n\n", 1)[1], re.M)
    assert names == ["Net.rnn", "Net-2.rnn", "LSTM"] and "forget gate" in err


def test_a_model_is_found_however_late(watched):
    """After a model without a recurrent module, and by share: the hooks are not in place all the time."""
    _, err = watched("train(nn.Linear(3, 1), 5); train(Net(), 1)", options=("--share", "1"))
    assert "1 look" in err and "Net.rnn" in err


WAYS = {
    "made anew": "for _ in range(3): models.append(Net()); train(models[-1], 6)",
    "made before": "models += [Net(), Net(), Net()]\nfor each in models: train(each, 6)",
    "without an optimizer": """
        train(nn.Linear(3, 1), 3)
        for k in range(3):
            models.append(Net())
            for _ in range(6):
                models[-1](torch.randn(30, 2, 3)).sum().backward()
                for weight in models[-1].parameters():
                    weight.data.add_(weight.grad, alpha=-0.1)
                    weight.grad = None
            if not k:
                train(nn.Linear(3, 1), 3)
        """,
    "copied": "import copy\nbase = Net()\nfor _ in range(3): models.append(copy.deepcopy(base)); train(models[-1], 6)",
}


@pytest.mark.parametrize("way", WAYS)
def test_every_model_of_a_script_has_a_first_look_and_every_pass_is_counted(watched, way):
    """Also those that are trained while nothing is heard of calls, between two looks for which there is no time."""
    _, err = watched(f"models = []\n{textwrap.dedent(WAYS[way])}", options=("--share", "1e-9"))
    report = err.split("\n\n", 1)[1]
    assert re.findall(r"^(\S+): the gradient", report, re.M) == ["Net.rnn", "Net-2.rnn", "Net-3.rnn"]
    assert "of 18 (the first is 0)" in " ".join(err.split()) or (way == "copied" and "of at least 16" in err)


def test_mistakes_and_changed_verdicts_are_said_at_once(watched):
    _, err = watched(
        """
        class Both(nn.Module):
            def __init__(self):
                super().__init__()
                self.rnn = nn.GRU(3, 4, bidirectional=True)
            def forward(self, x):
                print("called", file=sys.stderr)
                return self.rnn(x)[0][-1]
        train(Both(), 2)
        """
    )
    said = [": ".join(line.split(": ")[:3]) for line in err.splitlines()]
    assert said[0] == said[2] == "called"
    assert said[1] == "watch: Both.rnn: reverse read at its start" and said.count(said[1]) == 1


def test_nothing_to_watch(watched):
    out, err = watched("train(nn.Linear(3, 1), 2); print('done')")
    assert out == "done\n"
    assert err.startswith(
        "watch: no model with nn.RNN, nn.GRU, nn.LSTM or one of their cells was called with gradients"
    )
    assert 'call lens.state("h", h) at every step' in err and err.count("\n") == 1


@pytest.mark.parametrize("raised", ["SystemExit(2)", "ValueError('mine')"])
def test_nothing_is_said_of_a_script_that_ends_before_a_model_is_called(watched, raised, capsys):
    with pytest.raises((SystemExit, ValueError)):
        watched(f"raise {raised}")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("raised", ["SystemExit(3)", "KeyboardInterrupt()", "ValueError('mine')"])
def test_the_report_comes_also_where_the_script_ends_early(watched, raised, capsys):
    kind = {"S": SystemExit, "K": KeyboardInterrupt, "V": ValueError}[raised[0]]
    with pytest.raises(kind) as caught:
        watched(f"train(Net(), 1); raise {raised}")
    assert "Net.rnn: the gradient" in capsys.readouterr().err
    assert kind is not SystemExit or caught.value.code == 3


def test_a_recording_says_what_cut_the_training_short(watched, tmp_path):
    for raised, name in [("KeyboardInterrupt()", "KeyboardInterrupt"), ("SystemExit(0)", "")]:
        with pytest.raises((KeyboardInterrupt, SystemExit)):
            watched(f"train(Net(), 1); raise {raised}", options=("--record", "run.looks"))
        end = read_looks((tmp_path / "run.looks").read_bytes())[-1]
        assert end.is_last and end.ended_by == name


FAILS = """
import os, sys, torch
torch.nn.Linear(1, 1)(torch.zeros(1))
if not os.fork():
    sys.exit()
os.wait()
def deep():
    import torch
    torch.zeros(2, requires_grad=True).backward()
deep()
"""


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    settings = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=settings, capture_output=True, text=True, check=False
    )


def test_an_error_is_shown_as_the_script_alone_would_show_it(tmp_path, monkeypatch, capsys):
    """Traceback and exit code; and a child that was forked says nothing."""
    (tmp_path / "fails.py").write_text(FAILS)
    plain, one = python(tmp_path, "fails.py"), python(tmp_path, "-m", "engine", "watch", "fails.py")
    assert plain.stderr.startswith("Traceback") and "in deep" in plain.stderr
    assert one.stderr.endswith("every step.\n" + plain.stderr) and one.stderr.count("watch: ") == 1
    assert one.returncode == plain.returncode == 1
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    (tmp_path / "fails.py").write_text(FAILS[FAILS.index("def") :])
    with pytest.raises(RuntimeError) as caught:
        main(["watch", "-m", "fails"])
    capsys.readouterr()
    sys.excepthook(caught.type, caught.value, caught.tb.tb_next)  # without this test's own frame
    module = python(tmp_path, "-m", "fails").stderr.splitlines()
    frozen = [number for number, line in enumerate(module) if "<frozen runpy>" in line]
    assert capsys.readouterr().err.splitlines() == [line for number, line in enumerate(module) if number not in frozen]


def test_a_module_is_run_as_python_would(tmp_path, monkeypatch, capsys):
    package = tmp_path / "mine"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "model.py").write_text(MODEL)
    (package / "run.py").write_text(
        "from mine.model import *\nfrom . import model\nassert __name__ == '__main__'\ntrain(Net(), 1)\nprint(sys.argv)"
    )
    monkeypatch.chdir(tmp_path)
    assert main(["watch", "-m", "mine.run", "--lr", "3"]) == 0
    shown = capsys.readouterr()
    assert shown.out == f"{[str(package / 'run.py'), '--lr', '3']}\n" and "Net.rnn" in shown.err
    for name in ("mine", "mine.model"):
        sys.modules.pop(name, None)


def test_an_engine_of_its_own_is_found(watched, tmp_path):
    """A common name: the script's own package comes first, and ours goes on working."""
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "__init__.py").write_text("WHOSE = 'theirs'")
    ours = sys.modules["engine"]
    out, err = watched("import engine; print(engine.WHOSE); train(Net(), 2)")
    assert out == "theirs\n" and "Net.rnn: the gradient" in err and "not measured" not in err
    assert sys.modules["engine"] is ours


def test_the_factor_of_a_scaler_is_taken_out(watched):
    script = "model = Net()\nfor weight in model.parameters(): nn.init.constant_(weight, 0.3)\n"
    scaled = "scaler = torch.amp.GradScaler('cpu', init_scale=1024.0)\n"
    shown = []
    for loss in ("loss", "scaler.scale(loss)"):
        _, err = watched(f"{script}{scaled}loss = model(torch.ones(30, 2, 3)).sum()\n{loss}.backward()\n")
        shown.append(re.search(r"gradient:.*\n +(\S+) ", err)[1])
    assert shown[0] == shown[1]


def test_the_looks_are_recorded_also_beside_an_engine_of_its_own(watched, tmp_path):
    (tmp_path / "engine.py").write_text("OWN = True")
    file = tmp_path / "run.looks"
    watched("import engine; assert engine.OWN; train(Net(), 3)", options=("--every", "1", "--record", str(file)))
    looks = read_looks(file.read_bytes())
    assert [look.step for look in looks] == [0, 1, 2, 3] and looks[-1].is_last


def test_wrong_options_are_said_in_a_sentence(capsys, tmp_path):
    (tmp_path / "train.py").touch()
    script = str(tmp_path / "train.py")
    cases = {
        ("--every", "0", script): "every is 0",
        ("--share", "2", script): "share is 2.0",
        ("--rows", "-1", script): "rows is -1",
        ("nowhere.py",): "there is no file nowhere.py",
        ("--request", "spectrum", script): "give --record or --show, too",
        ("--request", "spektrum", "--show", script): "requested has 'spektrum'",
        ("-m", "nowhere.at.all"): "there is no module nowhere.at.all",
        ("-m",): "name a script",
        (): "name a script, or a module after -m",
        ("--record", str(tmp_path / "no" / "run.looks"), script): f"the folder {tmp_path / 'no'} is not there",
    }
    before = set(module._global_forward_pre_hooks)
    for arguments, says in cases.items():
        assert main(["watch", *arguments]) == 2
        assert says in capsys.readouterr().err
        assert module._global_forward_pre_hooks.keys() == before  # nothing goes on watching
    assert main(["watch", "--rows", "0", script]) == 0
