"""What this installation adds to the catalogues: hosts that may be asked, catalogues of its own, where tokens come from.

A YAML file, `catalogues.yaml` in the runs' folder or the file that EMBERSCOPE_CATALOGUES names:

    hosts: [stac.example.org, "*.example.org", "127.0.0.1:8080"]
    catalogues:
      mine: {title: Our catalogue, like: earth-search, address: "https://stac.example.org/v1"}
    embeddings:
      ours: {title: Our embeddings, like: stac, address: "https://stac.example.org/v1/collections/embeddings"}
    tokens: {planetary-computer: "https://sign.example.org/token"}
"""

from __future__ import annotations

import functools
import os
from pathlib import Path

import yaml
from pydantic import Field, ValidationError

from engine.errors import ConfigError
from engine.frozen import Frozen
from engine.workspace import runs_root

VARIABLE = "EMBERSCOPE_CATALOGUES"
FILE = "catalogues.yaml"


class OwnCatalogue(Frozen):
    """A catalogue of this installation."""

    title: str = Field(min_length=1, max_length=60, description="What pages call it.")
    like: str = Field(description="The preset whose collections it has, with their bands, scales and masks.")
    address: str = Field(description="Of its STAC API.")


class OwnEmbeddings(Frozen):
    """A catalogue of embeddings of this installation."""

    title: str = Field(min_length=1, max_length=60, description="What pages call it.")
    like: str = Field(
        description="How it lists its files: alphaearth (index of GeoTIFFs), tessera (geotessera's manifest or registry), stac, or "
        "zarr (one store is all)."
    )
    address: str = Field(
        description="Of the index (.parquet or .csv), the manifest or registry (.parquet or .txt), the STAC collection, or the Zarr store."
    )


class Settings(Frozen):
    """The file as a whole."""

    hosts: tuple[str, ...] = Field(
        (),
        description="Hosts that may be asked, with :PORT where it is unusual. One named without * may be private.",
    )
    catalogues: dict[str, OwnCatalogue] = Field(default_factory=dict, description="By name.")
    embeddings: dict[str, OwnEmbeddings] = Field(
        default_factory=dict, description="Catalogues of embeddings, by name."
    )
    tokens: dict[str, str] = Field(
        default_factory=dict, description="Kind of access -> address that gives its tokens."
    )
    services: dict[str, str] = Field(
        default_factory=dict,
        description="sentinel-hub -> address of its process API; places -> of a Nominatim search.",
    )


def settings() -> Settings:
    """The settings of this installation.

    Raises:
        ConfigError: the file cannot be read as settings.
    """
    path = settings_file()
    try:
        return _read(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return Settings()


def settings_file() -> Path:
    """Where they lie."""
    named = os.environ.get(VARIABLE, "").strip()
    return Path(named).expanduser() if named else runs_root() / FILE


@functools.lru_cache(maxsize=8)
def _read(path: Path, modified_ns: int) -> Settings:
    del modified_ns
    try:
        return Settings.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except (OSError, yaml.YAMLError, UnicodeDecodeError, ValidationError) as err:
        first = " ".join(str(err).split())[:200]
        raise ConfigError(f"{path} cannot be read as settings of catalogues ({first}). Mend it.") from err
