"""Where the server can be reached, and with which password: from arguments, the environment or the settings file."""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import re
import socket
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from engine.limits import Range
from engine.limits.settings_file import SettingsError, filled

HERE, EVERYWHERE = "127.0.0.1", ("0.0.0.0", "::")
"""The address that only this machine reaches, and those that stand for all addresses of this machine."""
VARIABLES = {name: f"PLAYGROUND_{name.upper()}" for name in ("host", "port", "password", "names")}
"""The environment variables, by the setting that they set."""
PORTS = Range(1, 65_535, whole=True)
PASSWORD = re.compile(r"[^\x00-\x1f\x7f]{6,200}")
NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")


@dataclass(frozen=True, kw_only=True)
class Serving:
    """How the server is reached.

    Args:
        host: the address to listen at; one of EVERYWHERE lets in the whole network.
        port: the port.
        password: what a visitor has to say first; "" for nothing.
        names: names by which browsers may call this server beside its addresses, `localhost` and its own name, as
            "class.example.org" behind a proxy.

    Raises:
        SettingsError: naming the setting, its value and what is accepted. A password is never repeated.
    """

    host: str = HERE
    port: int = 8501
    password: str = dataclasses.field(default="", repr=False)
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            accepts = f"an address of this machine, {HERE} for this machine alone or 0.0.0.0 for all"
            raise SettingsError("server.host", got=self.host, accepts=accepts) from None
        if not PORTS.holds(self.port):
            raise SettingsError("server.port", got=self.port, accepts=str(PORTS))
        if self.password != "" and (not isinstance(self.password, str) or not PASSWORD.fullmatch(self.password)):
            raise SettingsError("server.password", got="something else", accepts="a text of 6 to 200 characters")
        if not isinstance(self.names, list | tuple) or not all(
            isinstance(name, str) and NAME.fullmatch(name) for name in self.names
        ):
            raise SettingsError("server.names", got=self.names, accepts='a list of names such as ["class.example.org"]')
        object.__setattr__(self, "names", tuple(self.names))  # TOML has lists

    @property
    def is_open(self) -> bool:
        """True if other machines can reach it."""
        return not ipaddress.ip_address(self.host).is_loopback

    @cached_property
    def own_names(self) -> frozenset[str]:
        """All names by which browsers may call this server; addresses in digits are always allowed."""
        machine = socket.gethostname().lower()
        return frozenset({"localhost", machine, f"{machine}.local", *self.names})

    @property
    def addresses(self) -> list[str]:
        """What to open in a browser, the one for other machines first."""
        hosts = [self.host]
        if self.host in EVERYWHERE:
            hosts = [*filter(None, [network_address()]), "localhost"]
        written = [f"[{host}]" if ":" in host else host for host in hosts]
        return [f"http://{name}:{self.port}" for name in (*self.names, *written)]


def network_address() -> str:
    """The address by which other machines of the network reach this one; "" if there is no network.

    Nothing is sent: a connectionless socket only looks up from which address it would send.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address that is kept for documentation
            return str(probe.getsockname()[0])
        except OSError:
            return ""


def serving(**arguments: Any) -> Serving:
    """How the server is reached: as the arguments say, else the environment, else the settings file, else the defaults.

    Args:
        arguments: fields of Serving; None stands for one that was not given.

    Raises:
        SettingsError: for what is wrong, wherever it was said.
    """
    said = filled(Serving, "server")
    environment: dict[str, Any] = {field: os.environ[name] for field, name in VARIABLES.items() if os.environ.get(name)}
    if (port := environment.get("port", "")).isdecimal():
        environment["port"] = int(port)
    if "names" in environment:
        environment["names"] = tuple(environment["names"].lower().replace(",", " ").split())
    given = {field: value for field, value in arguments.items() if value is not None}
    return dataclasses.replace(said, **{**environment, **given})
