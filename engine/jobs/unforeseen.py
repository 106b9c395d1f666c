"""Errors that nothing foresaw, in one line for a person: a library's or the file system's complaint becomes ours."""

from __future__ import annotations

import json
import zipfile

import yaml

from engine.errors import BadInput, DiskFull, EngineError, RunFailure
from engine.files import is_disk_full

# Libraries that read what a person gives, by the first part of their modules' names, and what they stumble over.
_READERS = {
    "rasterio": "A raster or its CRS",
    "pyproj": "A CRS",
    "shapely": "A geometry",
    "pyogrio": "A vector file",
    "pyarrow": "A Parquet file",
    "safetensors": "A weights file",
    "pydantic_core": "A configuration",
}
_SHOWN = 200


def in_words(error: Exception) -> EngineError:
    """The error as one of ours, in one line: bad input where a person's file or path is at fault, else a failure."""
    if isinstance(error, EngineError):
        return error
    if is_disk_full(error):
        return DiskFull("The disk is full. Free some space, then try again.")
    words = _fault_of_the_input(error)
    if words is not None:
        return BadInput(words)
    if isinstance(error, MemoryError):
        return RunFailure("The memory does not suffice. Choose a smaller region, batch or store.")
    return RunFailure(
        f"The work ended on an error that was not foreseen: {type(error).__name__}: {_one_line(error)}."
    )


def _fault_of_the_input(error: Exception) -> str | None:
    """What is wrong with what a person gave; None where the error does not tell so."""
    match error:
        case RecursionError():
            return "The input is nested too deeply to be read. Check the JSON or YAML file that was given."
        case json.JSONDecodeError() | yaml.YAMLError() | UnicodeError() | zipfile.BadZipFile():
            return f"A file that was given cannot be read: {_one_line(error)}. Check what it holds."
        case OSError(filename=str() as name) if error.strerror:
            return f"{name}: {error.strerror[0].lower()}{error.strerror[1:]}. Check the path."
    reads = _READERS.get(type(error).__module__.partition(".")[0])
    return None if reads is None else f"{reads} cannot be used: {_one_line(error)}. Check the input."


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:_SHOWN].rstrip(".") or type(error).__name__
