"""Weights of backbones brought to this machine ahead of their use, one after the other."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence

from engine.backbones import cards
from engine.backbones.core.settings import settle
from engine.backbones.core.spec import BackboneSpec
from engine.backbones.families import family_of
from engine.backbones.weights import locate as weights
from engine.errors import WeightsError
from engine.extraction.weights.weights_download import fetched
from engine.jobs.events import Event, FetchDone, Noticed


def fetch_backbones(names: Sequence[str]) -> Generator[Event]:
    """Fetch what is not here yet; where one cannot be had, the others are fetched all the same.

    Yields:
        StepStarted with megabytes so far, Noticed for what needs no download or cannot be had, FetchDone.

    Raises:
        BackboneError: a name that is unknown, before anything is fetched.
        WeightsError: at the end, naming what could not be had.
    """
    wanted = {name: files_of(cards.card(name)) for name in names}
    began, files, failed = time.monotonic(), list[str](), list[str]()
    for name, specs in wanted.items():
        for spec in specs:
            if not spec.weights.is_published:
                yield Noticed(f"{name} needs no download.")
            elif weights.present(spec) is not None:
                yield Noticed(f"{spec.weights.file}, the weights of {spec.name}, is here already.")
            else:
                try:
                    yield from fetched(spec)
                    files.append(str(weights.present(spec)))
                except WeightsError as err:
                    yield Noticed(str(err))
                    failed.append(spec.name)
    if failed:
        raise WeightsError(
            f"The weights of {', '.join(failed)} could not be had; the messages above say why. Fetch them again: what has come "
            f"is kept."
        )
    yield FetchDone(files, round(time.monotonic() - began, 1))


def files_of(spec: BackboneSpec) -> tuple[BackboneSpec, ...]:
    """The cards whose checkpoints a backbone needs: its own, and those of networks that it reads input through."""
    if not spec.weights.is_published:
        return (spec,)
    settled = cards.resolve(spec, settle(spec, {}), spec.bands or None)
    return spec, *family_of(spec).companions(settled).values()
