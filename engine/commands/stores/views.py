"""Commands that show what a backbone sees: components and clusters as maps, and the health card of a store."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.commands.printer import Printer, say
from engine.concurrency.steps import heard
from engine.files import require_file_path

if TYPE_CHECKING:
    from engine.jobs.configuration.measure import UmapConfig
    from engine.views.comparing.dated_view import DatedView
    from engine.views.layer_view import LayerView
    from engine.views.pca import Pca


def pca(chosen: argparse.Namespace) -> dict[str, Any]:
    """Write the PCA colours of a store."""
    from engine.views.maps.overlay import pca_overlay

    require_file_path(Path(chosen.out))
    view = _view(chosen)
    shown, date = _on_a_date(view, chosen.date)
    basis, tags = (None, {}) if chosen.basis is None else _basis(chosen, view)
    fitted = pca_overlay(view, Path(chosen.out), basis, tags | date, shown.tiles())
    shares = [round(float(share), 4) for share in fitted.explained_variance_ratio]
    means = f" of means over {fitted.window} x {fitted.window} patches" if fitted.window > 1 else ""
    is_some = chosen.basis is None and fitted.rows < int(view.fitted[0].sum())
    means += f", found on {fitted.rows} evenly spread ones" if is_some else ""
    whose = "" if chosen.basis is None else f" in the components of {chosen.basis}, there"
    say(f"Wrote {chosen.out}{whose}; explained variance{means} {shares}; {_in_words(view)}")
    return {"out": chosen.out, "window": fitted.window, "explained_variance_ratio": shares, "basis": chosen.basis,
            "rows": fitted.rows, "date": shown.days} | _told(view)  # fmt: skip


def _basis(chosen: argparse.Namespace, view: LayerView) -> tuple[Pca, dict[str, str]]:
    """The components of another store, and what a file says of them."""
    from engine.store.store import EmbeddingStore
    from engine.views.comparing.basis import basis_of
    from engine.views.layer_view import view_of

    store = EmbeddingStore.open(Path(chosen.basis))
    other = view_of(store, view.layer, view.window, view.position, view.windows)
    return basis_of(other, view, components=3), {"EMBERSCOPE_BASIS": str(store.folder)}


def cluster(chosen: argparse.Namespace) -> dict[str, Any]:
    """Write the clusters of a store's embeddings."""
    from engine.views.clusters import cluster_overlay, fit_clusters

    require_file_path(Path(chosen.out))
    view = _view(chosen)
    shown, date = _on_a_date(view, chosen.date)
    found = fit_clusters(view, chosen.clusters, chosen.seed)
    counts = cluster_overlay(view, found, Path(chosen.out), shown.tiles(), date)
    say(f"Wrote {chosen.out}: {len(counts)} clusters of {sum(counts.values())} patches; {_in_words(view)}")
    return {
        "out": chosen.out,
        "window": found.window,
        "patches": list(counts.values()),
        "date": shown.days,
    } | _told(view)


def film(chosen: argparse.Namespace) -> dict[str, Any]:
    """Write the dates of a configuration's scenes, or of stores, as an animated file."""
    from engine.views.films.film_file import require_film

    out = Path(chosen.out)
    require_film(out, chosen.seconds)
    is_imagery = Path(chosen.sources[0]).suffix.lower() in (".yaml", ".yml")
    found = _imagery_film(chosen, out) if is_imagery else _lens_film(chosen, out)
    say(f"Wrote {out}: {len(found['days'])} dates, {', '.join(found['days'])}")
    return {"out": str(out), "bytes": out.stat().st_size, **found}


def _imagery_film(chosen: argparse.Namespace, out: Path) -> dict[str, Any]:
    from engine.commands.imagery.cut import config_of, region_given
    from engine.errors import BadInput
    from engine.jobs.configuration.region import region_of
    from engine.views.films.imagery_film import write_imagery_film
    from engine.workspace import workspace_folder

    if len(chosen.sources) > 1:
        raise BadInput(
            f"{chosen.sources[1]}: a film of imagery is of one configuration. Name its rasters together in one."
        )
    config, root = config_of(Path(chosen.sources[0])), workspace_folder(chosen.workspace)
    for step in config.scene.prepare(root):
        say(step)
    scenes = config.scene.find(root)
    region = region_of(config.region) if chosen.region is None else region_given(chosen.region)
    found = write_imagery_film(scenes, out, chosen.seconds, chosen.bands and chosen.bands.split(","), region)
    notes = tuple(dict.fromkeys((*scenes[0].notes, *found.notes)))
    for note in notes:
        say(note)
    return {"days": list(found.days), "bands": list(found.bands), "notes": list(notes)}


def _lens_film(chosen: argparse.Namespace, out: Path) -> dict[str, Any]:
    from engine.store.store import EmbeddingStore
    from engine.views.films.lens_film import dates_of, write_lens_film
    from engine.views.layer_view import view_of
    from engine.views.lens.kinds import components_lens
    from engine.views.pca import pca_of

    stores = [EmbeddingStore.open(Path(source)) for source in chosen.sources]
    views = [view_of(store, chosen.layer, chosen.window, chosen.position, chosen.windows) for store in stores]
    dates = dates_of(views)
    fitted = pca_of(views[0], components=3)
    shares = [round(float(share), 4) for share in fitted.explained_variance_ratio]
    write_lens_film(
        dates, components_lens(fitted, (0, 1, 2)), out, chosen.seconds, "Principal components 1, 2, 3"
    )
    whose = "" if len(stores) == 1 else f" of {stores[0].folder}"
    say(f"Colours: the components{whose}, explained variance {shares}; {_in_words(views[0])}")
    return {"days": list(dates.days), "explained_variance_ratio": shares} | _told(views[0])


def umap(chosen: argparse.Namespace) -> dict[str, Any]:
    """Lay out some patches of a store in a plane, and keep the result beside it."""
    from engine.extraction.measure import lay_out
    from engine.store.store import EmbeddingStore
    from engine.views.comparing.dated_view import dated
    from engine.views.layer_view import view_of
    from engine.views.umap_layout import layout_path
    from engine.views.umap_table import require_table, write_umap

    asked = _umap_config(chosen)
    out = None if chosen.out is None else Path(chosen.out)
    if out is not None:
        require_table(out)
    store, printer = EmbeddingStore.open(Path(chosen.store)), Printer()
    view = dated(view_of(store, asked.layer, asked.window, asked.position), asked.date)
    found = heard(lay_out(view, asked), printer)
    say(
        f"{len(found.rows)} patches laid out, evenly spread; seed {asked.seed}; kept in {layout_path(view, asked)}"
    )
    if out is not None:
        say(f"Wrote {write_umap(out, view, found)}")
    return {"out": chosen.out, "kept": str(layout_path(view, asked)), "patches": len(found.rows), "layer": view.view.layer,
            "position": view.view.position, "date": view.days, "seed": asked.seed}  # fmt: skip


def _umap_config(chosen: argparse.Namespace) -> UmapConfig:
    """What is asked for, from the arguments.

    Raises:
        BadInput: a number out of its range.
    """
    from pydantic import ValidationError

    from engine.errors import BadInput
    from engine.jobs.complaints import in_words
    from engine.jobs.configuration.measure import UmapConfig

    given = {name: getattr(chosen, name) for name in UmapConfig.model_fields if name != "name"}
    try:
        return UmapConfig(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as err:
        raise BadInput(f"umap: {in_words(err, UmapConfig)}") from err


def health(chosen: argparse.Namespace) -> dict[str, Any]:
    """Measure what a store's embeddings tell of, layer by layer."""
    from engine.store.store import EmbeddingStore
    from engine.views.health.kept import measured
    from engine.views.health.words import sentences, verdict
    from engine.workspace import workspace_of

    store = EmbeddingStore.open(Path(chosen.store))
    root = workspace_of(store.folder.parent)
    found = measured(store, root, chosen.position)
    if chosen.shift:
        from engine.extraction.shift_sensitivity import shift_steps
        from engine.views.health.kept import with_shift

        found = with_shift(
            store, found, heard(shift_steps(store, root, chosen.device), Printer()), chosen.position
        )
    layers = [
        asdict(layer)
        | {"verdict": verdict(layer, chosen.position), "sentences": sentences(layer, store.meta.is_of_others)}
        for layer in found
    ]
    if not chosen.json:
        for layer in layers:
            print(f"Layer {layer['layer']} of {store.meta.backbone}: {layer['verdict']}")
            for name, sentence in layer["sentences"].items():
                print(f"  {name:20} {sentence}")
    return {
        "store": chosen.store,
        "backbone": store.meta.backbone,
        "position": chosen.position,
        "layers": layers,
    }


def _view(chosen: argparse.Namespace) -> LayerView:
    from engine.store.store import EmbeddingStore
    from engine.views.layer_view import view_of

    store = EmbeddingStore.open(Path(chosen.store))
    return view_of(store, chosen.layer, chosen.window, chosen.position, chosen.windows)


def _on_a_date(view: LayerView, date: str | None) -> tuple[DatedView, dict[str, str]]:
    """What is drawn of a view, and what the file says of it: of a store with several dates of one ground a single one.

    Components and clusters are found on all dates, so that maps of several dates have the same colours.
    """
    from engine.views.comparing.dated_view import LAST, dated, days_of, has_several_dates

    if not has_several_dates(view.store):
        return dated(view, date), {}
    shown = dated(view, date or LAST)
    say(
        f"Of {', '.join(days_of(view.store))} the map shows {shown.days}; --date takes another. Colours are those of all dates."
    )
    return shown, {"EMBERSCOPE_DATE": shown.days}


def _in_words(view: LayerView) -> str:
    """Whether position was taken off, and which rows were fitted on."""
    windows = "all rows" if view.fitted[1] == "all" else "rows of whole windows"
    position = "kept" if view.places is None else f"taken off (it explained {view.places.share:.0%})"
    return f"position {position}, fitted on {windows}"


def _told(view: LayerView) -> dict[str, Any]:
    """The same for programs; `position_share` of what is shown, None where it cannot be told."""
    from engine.views.position import position_share

    left = position_share(view.store, view.layer, view.places)
    return {"layer": view.layer, "position": view.position, "position_share": left and round(left, 4),
            "windows": view.fitted[1]}  # fmt: skip
