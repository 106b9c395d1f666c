"""Figures of the exact search: the nearest patches among 1, 5 and 10 million of 768 numbers, each compared in full precision.

python tests/bench/search.py --patches 1000000 5000000 --json
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.views.comparing.dated_view import dated
from engine.views.layer_view import view_of
from engine.views.lens.similar import Patch, ranked, similarity
from tests.bench.store import SIDE, make_store, timed

NEAREST = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patches", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--dim", type=int, default=768)
    parser.add_argument("--room", type=Path, help="folder for the stores (default: a temporary one)")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    found = {}
    for patches in chosen.patches:
        with tempfile.TemporaryDirectory(dir=chosen.room) as room:
            found[f"search_{patches}_s"] = searched(Path(room), patches, chosen.dim)
    if chosen.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:>24}  {value:.4g}")


def searched(room: Path, patches: int, dim: int) -> float:
    """Seconds of one search over a store of so many patches, half precision, that was just written."""
    store = make_store(room / "run", -(-patches // SIDE**2), dim, "float16")
    view = dated(view_of(store, window=1))
    picked = [Patch(view.chosen[0], 3, 4)]
    lens = similarity(view, picked)
    seconds, _ = timed(lambda: ranked(lens, [view], NEAREST, picked))
    return seconds


if __name__ == "__main__":
    main()
