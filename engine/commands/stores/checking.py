"""The command that reads a whole store and says what is wrong with it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from engine.errors import StoreError


def check(chosen: argparse.Namespace) -> dict[str, Any]:
    """Read every part of a store."""
    from engine.store.check import check_store

    report = check_store(Path(chosen.store))
    problems = [str(problem) for problem in report]
    if problems:
        raise StoreError(
            f"{chosen.store} has {len(problems)} problem(s): {'; '.join(problems)}. Extract it again."
        )
    if not chosen.json:
        print(f"{chosen.store}: complete, nothing is wrong with it.")
    return {"store": chosen.store, "problems": problems}
