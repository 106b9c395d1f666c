"""Start the app: make the simulated fire season when it is absent, find a free port, serve.

Run by `make app` and by the container. Environment: PORT (else the first free port from 8501),
EMBERSCOPE_ADDRESS (else 127.0.0.1), EMBERSCOPE_HOME (else runs/, the workspace).
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FIRST_PORT = 8501  # Streamlit's own default
PORTS_TRIED = 100


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


def main() -> None:
    """Become the server."""
    address = os.environ.get("EMBERSCOPE_ADDRESS") or "127.0.0.1"
    port = choose_port(address, os.environ.get("PORT"))
    make_simulated_season(ROOT / (os.environ.get("EMBERSCOPE_HOME") or "runs"))
    shown = "127.0.0.1" if address == "0.0.0.0" else address  # noqa: S104 - compared, not bound
    sys.stdout.write(f"Emberscope is starting on http://{shown}:{port} (Ctrl+C stops it; jobs go on)\n")
    sys.stdout.flush()
    os.chdir(ROOT)
    flags = ["--server.address", address, "--server.port", str(port), "--server.headless", "true"]
    if not address.startswith("127."):  # opened on purpose, under names that only its owner knows
        flags += ["--server.allowedHosts", "*"]
    os.execv(sys.executable, [sys.executable, "-m", "streamlit", "run", "app.py", *flags])


if __name__ == "__main__":
    main()
