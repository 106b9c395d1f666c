"""The command that writes the simulated season."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from engine.commands.printer import say
from engine.errors import BadInput
from engine.files import make_folder


def simulate(chosen: argparse.Namespace) -> dict[str, Any]:
    """Write the simulated fire season."""
    from engine.imagery.simulation.season import simulate_season

    out = Path(chosen.out)
    make_folder(out)
    if any(out.iterdir()):
        raise BadInput(f"{out} already holds files. Choose another --out.")
    simulate_season(out, chosen.seed, chips=chosen.chips)
    say(f"Wrote a simulated fire season (seed {chosen.seed}) to {out}")
    return {"out": str(out), "seed": chosen.seed}
