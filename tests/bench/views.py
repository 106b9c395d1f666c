"""Figures of the pictures: a large store from its first byte to PCA colours in a file, what each step takes, and the
lens in a browser (tests/bench/lens.py).

python tests/bench/views.py --json
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.views.layer_view import view_of
from engine.views.maps.overlay import pca_overlay
from engine.views.moments import moments
from engine.views.pca import fit
from engine.views.position import place_means
from tests.bench import lens
from tests.bench.store import SIDE, make_store, timed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patches", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=768)
    parser.add_argument("--room", type=Path, help="folder for the store (default: a temporary one)")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.room) as room:
        found = measured(Path(room), chosen.patches, chosen.dim)
        found |= {f"lens_{name}": value for name, value in lens.measured(Path(room)).items()}
    if chosen.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:>24}  {value:.4g}")


def measured(room: Path, patches: int, dim: int) -> dict[str, Any]:
    """Seconds of the whole picture and of its steps, each on its own."""
    store = make_store(room / "run", -(-patches // SIDE**2), dim, "float16")
    before_mb = peak_mb()
    view = view_of(store, window=1)
    began = time.process_time()
    picture_s, _ = timed(lambda: pca_overlay(view, room / "pca.tif"))
    processor_s = time.process_time() - began
    return {
        "patches": store.rows,
        "dim": dim,
        "picture_s": picture_s,
        "picture_processor_s": processor_s,  # of all cores: what it takes beside other programs
        "memory_mb": peak_mb() - before_mb,
        "read_s": timed(lambda: sum(values.shape[0] for _, values, _ in store.iterate()))[0],
        "moments_s": timed(lambda: moments(view))[0],
        "fit_s": timed(lambda: fit(view))[0],
        "position_s": timed(lambda: place_means(store))[0],
        "decompose_s": timed(lambda: np.linalg.eigh(moments(view_of(store, window=1)).covariance))[0],
    }


def peak_mb() -> float:
    """The most memory that this process had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


if __name__ == "__main__":
    main()
