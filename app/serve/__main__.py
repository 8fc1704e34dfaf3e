"""`python -m app.serve`: says what the server's address means, and starts it. `make serve` calls this."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

from app.serve.address import VARIABLES, Serving, serving
from app.serve.logs import VARIABLE as LOGS
from engine.limits.settings_file import SettingsError, pass_on

SERVER = Path(__file__).parents[1] / "server.py"


def says(it: Serving) -> str:
    """What whoever starts it must know: who can open it, and where."""
    who = "everybody who can reach this machine" if it.is_open else "only this machine"
    lines = [f"RNN playground. {who[0].upper()}{who[1:]} can open it{', with the password' if it.password else ''}:"]
    lines += [f"  {address}" for address in it.addresses]
    if it.is_open and not it.password:
        lines.append("There is no password: set PLAYGROUND_PASSWORD, and a page asks for it before anything else.")
    if it.is_open:
        lines.append(
            "Nothing is encrypted on the way: in a network that you do not trust, put a proxy with HTTPS before it."
        )
    return "\n".join([*lines, "Ctrl+C ends it."])


def serve(it: Serving) -> NoReturn:
    """Become the server: Streamlit takes the place of this process, so that signals and exit codes are its own."""
    pass_on()
    os.environ.update({VARIABLES["password"]: it.password, VARIABLES["names"]: " ".join(it.names)})
    os.environ.setdefault(LOGS, "1")
    options = {
        "server.address": it.host,
        "server.port": it.port,
        "logger.messageFormat": "%(message)s",
        "logger.hideWelcomeMessage": "true",  # it would ask a server outside for this machine's address
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    os.execv(sys.executable, [sys.executable, "-m", "streamlit", "run", str(SERVER), *flags])


def main() -> None:
    """Read the arguments, say what they mean, and serve."""
    parser = argparse.ArgumentParser(prog="python -m app.serve", description="Start the playground's server.")
    parser.add_argument("--host", help="the address to listen at: 127.0.0.1 for this machine, 0.0.0.0 for a class")
    parser.add_argument("--port", type=int, help="the port")
    given = parser.parse_args()
    try:
        it = serving(host=given.host, port=given.port)
    except SettingsError as error:
        sys.exit(str(error))
    print(says(it), flush=True)
    serve(it)


if __name__ == "__main__":
    main()
