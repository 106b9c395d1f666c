"""A folder of chips as a source: many small rasters, each a tile of its own."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import ClassVar, Literal

from pydantic import Field, model_validator
from rasterio.errors import RasterioError

from engine.errors import SceneError
from engine.imagery.raster.facts import NO_OVERRIDES, Overrides, raster_facts
from engine.imagery.scene import Scene, scene_id
from engine.imagery.sources.raster_file import scene_of
from engine.imagery.sources.source import LABEL_ENDINGS, Declared
from engine.paths import modified, resolve_path

_SPLIT_FILES = (("train", "train.txt"), ("val", "val.txt"), ("test", "test.txt"))


class ChipsScene(Declared):
    """Many small rasters, each a tile of its own; without `images` in the layout of HLS Burn Scars."""

    overlaps: ClassVar[bool] = False
    added_later: ClassVar[tuple[str, ...]] = (*Declared.added_later, "images", "sensor")

    source: Literal["chips"]
    path: str = Field(description="Folder with data/ and splits/, or with the rasters that images names.")
    images: str | None = Field(
        None, min_length=1, description="Pattern of file names, e.g. *.tif; null: data/*_merged.tif."
    )

    @model_validator(mode="after")
    def _images_stay_in_the_folder(self) -> ChipsScene:
        if self.images and (PurePath(self.images).is_absolute() or ".." in PurePath(self.images).parts):
            raise ValueError("images is a pattern of names inside the folder, without '..'")
        return self

    @property
    def title(self) -> str:
        """The folder's name."""
        return Path(self.path).name.replace("_", " ")

    def find(self, root: Path) -> tuple[Scene, ...]:
        """The chips in the order of their names.

        Raises:
            SceneError: absent, unreadable or not understood.
        """
        del root
        return self._found(None)

    def find_readable(self, root: Path) -> tuple[tuple[Scene, ...], tuple[str, ...]]:
        """The chips without those whose files are damaged, and each of these in words.

        Raises:
            SceneError: absent, not understood, or none of them readable.
        """
        del root
        left_out: list[str] = []
        scenes = self._found(left_out)
        if not scenes:
            raise SceneError(f"None of the {len(left_out)} chips can be read. {left_out[0]}")
        return scenes, tuple(left_out)

    def _found(self, left_out: list[str] | None) -> tuple[Scene, ...]:
        if self.images is None:
            return chip_scenes(resolve_path(self.path), overrides=self.overrides, left_out=left_out)
        return folder_scenes(resolve_path(self.path), self.images, self.overrides, left_out)

    def stamp(self, root: Path) -> float:
        """When the list of the chips changed last."""
        del root
        folder = resolve_path(self.path)
        return modified(folder if self.images else folder / "data")


def chip_scenes(
    folder: Path,
    date: str = "post",
    overrides: Overrides = NO_OVERRIDES,
    left_out: list[str] | None = None,
    splits: Mapping[str, str] | None = None,
) -> tuple[Scene, ...]:
    """The chips of a folder in the layout of HLS Burn Scars, in the order of their names.

    Args:
        folder: holds data/<stem>_merged.tif, data/<stem>.mask.tif and splits/{train,val,test}.txt;
            the simulated season also pre/<stem>_merged.tif.
        date: "post" (data/) or "pre" (pre/).
        left_out: takes a sentence for each damaged chip, which is then left out; None: it is an error.
        splits: stem -> split of the only chips that are taken; None: all, split as the folder says.

    Raises:
        SceneError: no chips, a chip that cannot be read, or a split file of other chips.
    """
    place = "data" if date == "post" else "pre"
    images = sorted((folder / place).glob("*_merged.tif"))
    if not images:
        raise SceneError(
            f"{folder / place} holds no chips (*_merged.tif). Point scene.path at the folder that holds data/ and splits/, "
            f"or name the chips with scene.images."
        )
    stems = [image.name.removesuffix("_merged.tif") for image in images]
    if splits is None:
        splits = read_splits(folder / "splits")
    else:
        stems = [stem for stem in stems if stem in splits]
    _require_some(splits, stems, folder)
    found = _told_apart({
        stem: scene
        for stem in stems
        for scene in _readable(
            folder / place / f"{stem}_merged.tif", stem, folder / "data" / f"{stem}.mask.tif", splits.get(stem), overrides, left_out
        )
    })  # fmt: skip
    return _with_note(found, _unknown_note(splits, stems))


def _require_some(splits: Mapping[str, str], stems: Sequence[str], folder: Path) -> None:
    """Refuse a split file none of whose chips is in the folder: it belongs to other chips.

    Raises:
        SceneError: naming the file.
    """
    for name, file in _SPLIT_FILES:
        own = [stem for stem, split in splits.items() if split == name]
        if own and not set(own) & set(stems):
            raise SceneError(
                f"{folder / 'splits' / file} names {len(own)} chips, and the folder holds none of them ({own[0]}, ...). Give the "
                f"split files of these chips, or remove the folder splits."
            )


def _unknown_note(splits: Mapping[str, str], stems: Sequence[str]) -> str:
    """What is to be said of names in split files that no chip has; empty where there are none."""
    unknown = sorted(splits.keys() - set(stems))
    if not unknown:
        return ""
    return (
        f"splits/*.txt names {len(unknown)} chip(s) that the folder does not hold ({', '.join(unknown[:3])}"
        f"{', ...' if len(unknown) > 3 else ''}); they are left out."
    )


def _with_note(scenes: tuple[Scene, ...], note: str) -> tuple[Scene, ...]:
    """The scenes, the first of which carries a note on all of them."""
    if not note or not scenes:
        return scenes
    return replace(scenes[0], notes=(*scenes[0].notes, note)), *scenes[1:]


def folder_scenes(
    folder: Path, pattern: str, overrides: Overrides = NO_OVERRIDES, left_out: list[str] | None = None
) -> tuple[Scene, ...]:
    """The rasters of a folder whose names fit a pattern, each a chip of its own, in the order of their names.

    A label mask counts where it lies beside its chip: `x_merged.tif` or `x.tif`, and `x.mask.tif`.

    Args:
        pattern: as a shell's, inside the folder; `**/` reaches into folders below.
        left_out: as in `chip_scenes`.

    Raises:
        SceneError: no chips, or a chip that cannot be read.
    """
    images = sorted(
        path for path in folder.glob(pattern) if path.is_file() and not path.name.endswith(LABEL_ENDINGS)
    )
    if not images:
        raise SceneError(f"{folder} holds no chips named {pattern}. Mend scene.path or scene.images.")
    names = [image.relative_to(folder).as_posix() for image in images]
    return _told_apart({
        name: scene
        for image, name in zip(images, names, strict=True)
        for scene in _readable(
            image, name.removesuffix(image.suffix), image.with_name(f"{image.stem.removesuffix('_merged')}.mask.tif"),
            None, overrides, left_out,
        )
    })  # fmt: skip


def read_splits(folder: Path) -> dict[str, str]:
    """Stem -> split, from a folder of train.txt, val.txt and test.txt.

    Raises:
        SceneError: a stem stands in two splits.
    """
    found: dict[str, str] = {}
    for name, file in _SPLIT_FILES:
        if (folder / file).is_file():
            for stem in (folder / file).read_text(encoding="utf-8-sig").split():
                if stem in found:
                    raise SceneError(
                        f"{stem} stands in the splits {found[stem]} and {name}. Keep each chip in one split in {folder}: "
                        f"a test split that is also another split measures nothing."
                    )
                found[stem] = name
    return found


def _readable(
    image: Path, stem: str, mask: Path, split: str | None, overrides: Overrides, left_out: list[str] | None
) -> Iterator[Scene]:
    """The chip, or nothing where its file is damaged and may be left out."""
    try:
        yield _chip_scene(image, stem, mask, split, overrides)
    except SceneError as err:
        if left_out is None or not isinstance(err.__cause__, RasterioError):
            raise
        left_out.append(f"{image.name} is left out, as tiles.unreadable says: {err}")


def _chip_scene(image: Path, stem: str, mask: Path, split: str | None, overrides: Overrides) -> Scene:
    facts = raster_facts(image, overrides)
    scene = scene_of(facts, stem, stem)
    return replace(
        scene,
        source=scene.source or "HLS Burn Scars layout",
        mask_path=mask if mask.is_file() else None,
        split=split,
        is_chip=True,
    )


def _told_apart(scenes: Mapping[str, Scene]) -> tuple[Scene, ...]:
    """Chips whose names give one id (`a b.tif` and `a_b.tif`) keep apart by a hash of their names."""
    count = Counter(scene.id for scene in scenes.values())
    return tuple(
        scene if count[scene.id] == 1
        else replace(scene, id=scene_id(f"{scene.id}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"))
        for name, scene in scenes.items()
    )  # fmt: skip
