"""Names that people gave to clusters, kept in the run's folder beside its labels."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from filelock import FileLock

from engine.errors import StoreError
from engine.files import make_folder, write_atomic
from engine.views.clusters import Clusters
from engine.views.layer_view import LayerView

LONGEST_NAME = 60


def read_names(view: LayerView, clusters: Clusters) -> dict[int, str]:
    """Cluster -> its name, of those that have one; none where the file is damaged."""
    kept = _read(_path(view)).get(_key(view, clusters), {})
    count = len(clusters.centres)
    return {
        int(number): str(name) for number, name in kept.items() if number.isdigit() and int(number) < count
    }


def name_cluster(view: LayerView, clusters: Clusters, number: int, name: str) -> None:
    """Keep a name; an empty one takes it away.

    Raises:
        StoreError: a name that is too long or that another cluster has.
        DiskFull: no room.
    """
    plain = " ".join(name.split())
    if len(plain) > LONGEST_NAME:
        raise StoreError(f"A name has at most {LONGEST_NAME} characters. Choose a shorter one.")
    path, key = _path(view), _key(view, clusters)
    make_folder(path.parent)
    with FileLock(path.with_suffix(".lock")):
        tree = _read(path)
        names = {other: given for other, given in tree.get(key, {}).items() if other != str(number)}
        if plain.lower() in {given.lower() for given in names.values()}:
            raise StoreError(f"Another cluster is called {plain!r} already. Choose another name.")
        tree[key] = names | ({str(number): plain} if plain else {})
        content = json.dumps(tree, ensure_ascii=False, indent=1)
        write_atomic(path, lambda temporary: temporary.write_text(content, encoding="utf-8"))


def _path(view: LayerView) -> Path:
    return view.store.folder.parent / "clicked" / "clusters.json"


def _key(view: LayerView, clusters: Clusters) -> str:
    """Changes with the clusters: another store or number of them, and names mean nothing."""
    found = hashlib.sha256(clusters.centres.round(3).tobytes()).hexdigest()[:12]
    return f"layer-{view.layer}-window-{view.window}-{view.position}-{len(clusters.centres)}-{found}"


def _read(path: Path) -> dict[str, dict[str, str]]:
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(tree, dict):
        return {}
    return {str(key): names for key, names in tree.items() if isinstance(names, dict)}
