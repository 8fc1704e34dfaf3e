"""Where the server can be reached: what is said where, what goes first, and what is refused."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from app.serve.__main__ import says
from app.serve.address import VARIABLES, Serving, network_address, serving
from engine.limits.settings_file import VARIABLE, SettingsError
from tests.test_layering import ROOT


@pytest.fixture(autouse=True)
def nothing_is_said(monkeypatch, tmp_path):
    for name in (*VARIABLES.values(), VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_by_default_only_this_machine_reaches_it():
    it = serving()
    assert it == Serving() and it.host == "127.0.0.1" and not it.is_open and it.password == ""
    assert it.addresses == ["http://127.0.0.1:8501"]
    assert "Only this machine" in says(it) and "password" not in says(it)


def test_arguments_go_before_the_environment_and_that_before_the_file(monkeypatch, tmp_path):
    (tmp_path / "playground.toml").write_text(
        '[server]\nhost = "0.0.0.0"\nport = 1001\npassword = "of the file"\nnames = ["class.example.org"]\n'
    )
    assert (serving().port, serving().host, serving().names) == (1001, "0.0.0.0", ("class.example.org",))
    monkeypatch.setenv("PLAYGROUND_PORT", "1002")
    monkeypatch.setenv("PLAYGROUND_PASSWORD", "of the environment")
    monkeypatch.setenv("PLAYGROUND_NAMES", "a.example, B.example")
    assert (serving().port, serving().password) == (1002, "of the environment")
    assert serving().names == ("a.example", "b.example") and {"a.example", "localhost"} <= serving().own_names
    assert serving(port=1003, host=None).port == 1003


def test_whoever_lets_in_the_network_is_told_what_that_means_and_where_to_open_it():
    said = says(Serving(host="0.0.0.0", port=8502))
    assert "Everybody who can reach this machine" in said and "no password" in said and "Nothing is encrypted" in said
    assert "http://localhost:8502" in said and (not network_address() or f"http://{network_address()}:8502" in said)
    with_password = Serving(host="::", password="six words", names=("class.example.org",))
    assert "with the password" in says(with_password) and "six words" not in says(with_password) + repr(with_password)
    assert with_password.addresses[0] == "http://class.example.org:8501"
    assert Serving(host="::1").addresses == ["http://[::1]:8501"] and not Serving(host="::1").is_open


WRONG = [
    ({"host": "everywhere"}, "server.host", "everywhere"), ({"host": ""}, "server.host", "''"),
    ({"port": 0}, "server.port", "from 1 to 65,535"), ({"port": "8501"}, "server.port", "a whole number"),
    ({"port": True}, "server.port", "True"), ({"password": "short"}, "server.password", "6 to 200"),
    ({"password": 1234567}, "server.password", "6 to 200"), ({"password": "a\nb long"}, "server.password", "6 to 200"),
    ({"names": "a.example"}, "server.names", "a list"), ({"names": ("*",)}, "server.names", "*"),
    ({"names": ("a b",)}, "server.names", "a b"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "name", "says_also"), WRONG, ids=str)
def test_what_is_wrong_is_named_and_a_password_never_repeated(settings, name, says_also):
    with pytest.raises(SettingsError) as error:
        Serving(**settings)
    assert str(error.value).startswith(name) and says_also in str(error.value) and "but got" in str(error.value)
    assert str(settings.get("password", "----")) not in str(error.value)


def test_a_wrong_setting_ends_the_command_with_one_sentence(tmp_path):
    (tmp_path / "playground.toml").write_text("[server]\nprot = 1\n")
    done = subprocess.run(
        [sys.executable, "-m", "app.serve"], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.strip() == "server.prot must be left out; did you mean server.port, but got 1."


def test_the_address_in_the_network_is_one_of_this_machine():
    if address := network_address():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
            bound.bind((address, 0))
