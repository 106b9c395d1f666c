"""Start the app: make the simulated fire season when it is absent, find a free port, serve.

Run by `make app` and by the container. Environment: PORT (else the first free port from 8501),
EMBERSCOPE_ADDRESS (else 127.0.0.1), EMBERSCOPE_HOME (else runs/, the common workspace). WORKSHOP=1 opens the app to the
network of the room, with EMBERSCOPE_PASSWORD or a password made once; EMBERSCOPE_HOSTS adds names that people open it by.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
FIRST_PORT = 8501  # Streamlit's own default
PORTS_TRIED = 100
# Without those that look alike. Twelve of 31 are 59 bits.
_SIGNS = "23456789abcdefghjkmnpqrstuvwxyz"


def is_free(address: str, port: int) -> bool:
    """Nobody listens on this port of this address."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def choose_port(address: str, wanted: str | None) -> int:
    """The port asked for, or the first free one from 8501.

    Raises:
        SystemExit: the port is no number from 1 to 65535, or is taken.
    """
    if not wanted:
        for port in range(FIRST_PORT, FIRST_PORT + PORTS_TRIED):
            if is_free(address, port):
                return port
        sys.exit(f"A free port is needed; {FIRST_PORT} to {port} are all taken. Give one: make app PORT=9000")
    if not wanted.isdecimal() or not 1 <= int(wanted) <= 65535:
        sys.exit(f"PORT must be a number from 1 to 65535; it is {wanted!r}. Leave it out to take a free one.")
    if not is_free(address, int(wanted)):
        sys.exit(f"Port {wanted} of {address} is taken. Give another, or leave PORT out to take a free one.")
    return int(wanted)


def make_simulated_season(workspace: Path) -> None:
    """Simulate the labelled fire season of seed 0 into the workspace, unless it is there."""
    season = workspace / "data" / "simulated-0"
    if season.exists():
        return
    sys.stdout.write(f"Simulating the labelled fire season once, into {season}\n")
    sys.stdout.flush()
    command = [sys.executable, "-m", "engine", "simulate", "--out", str(season), "--seed", "0"]
    made = subprocess.run(command, cwd=ROOT, check=False)
    if made.returncode:
        sys.exit(made.returncode)


def is_workshop() -> bool:
    """Whether the app is to be opened to the room."""
    return os.environ.get("WORKSHOP", "").lower() not in ("", "0", "no", "false")


def make_password(workspace: Path) -> str:
    """A password that nobody chose, kept beside the runs: after a restart people stay signed in."""
    path = workspace / ".password"
    if path.is_file() and (held := path.read_text(encoding="utf-8").strip()):
        return held
    made = "-".join("".join(secrets.choice(_SIGNS) for _ in range(4)) for _ in range(3))
    workspace.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(made + "\n", encoding="utf-8")
    return made


def room_addresses() -> list[str]:
    """IPv4 addresses of this machine that others of its networks may reach."""
    found = [entry.address for entries in psutil.net_if_addrs().values() for entry in entries
             if entry.family == socket.AF_INET and not entry.address.startswith("127.")]  # fmt: skip
    return list(dict.fromkeys(found))


def workshop_hosts() -> list[str]:
    """The names that a browser of the room may ask for."""
    name = socket.gethostname().lower()
    more = [part.strip().lower() for part in os.environ.get("EMBERSCOPE_HOSTS", "").split(",")]
    names = ["127.0.0.1", "localhost", *room_addresses(), name, f"{name.partition('.')[0]}.local", *more]
    return list(dict.fromkeys(found for found in names if found))


def tell_workshop(port: int, password: str) -> None:
    """Where the room finds the app, and what it is let in by."""
    places = (
        "".join(f"\n  http://{found}:{port}" for found in room_addresses()) or f"\n  http://127.0.0.1:{port}"
    )
    sys.stdout.write(
        f"\nWorkshop: open to this network at{places}\n  Password: {password}\n"
        "Everybody gives a workspace name of their own. What is sent is not encrypted: use it in a network that you trust.\n\n"
    )


def main() -> None:
    """Become the server."""
    address = os.environ.get("EMBERSCOPE_ADDRESS") or ("0.0.0.0" if is_workshop() else "127.0.0.1")  # noqa: S104 - asked for
    port = choose_port(address, os.environ.get("PORT"))
    workspace = ROOT / (os.environ.get("EMBERSCOPE_HOME") or "runs")
    make_simulated_season(workspace)
    shown = "127.0.0.1" if address == "0.0.0.0" else address  # noqa: S104 - compared, not bound
    sys.stdout.write(f"Emberscope is starting on http://{shown}:{port} (Ctrl+C stops it; jobs go on)\n")
    flags = ["--server.address", address, "--server.port", str(port), "--server.headless", "true"]
    if is_workshop():
        password = os.environ["EMBERSCOPE_PASSWORD"] = os.environ.get("EMBERSCOPE_PASSWORD") or make_password(
            workspace
        )
        # A name given here keeps Streamlit from asking a server outside for this machine's address.
        flags += ["--browser.serverAddress", next(iter(room_addresses()), "127.0.0.1")]
        flags += [part for name in workshop_hosts() for part in ("--server.allowedHosts", name)]
        tell_workshop(port, password)
    elif not address.startswith("127."):  # opened on purpose, under names that only its owner knows
        flags += ["--server.allowedHosts", "*"]
    sys.stdout.flush()
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "-m", "streamlit", "run", "app.py", *flags])


if __name__ == "__main__":
    main()
