"""What a head is given for a patch, and what it gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.learning.tasks.task import Link, Task


@dataclass(frozen=True)
class Level:
    """One layer of a store, as it lies in a row.

    Attributes:
        dim: numbers of one cell.
        cells: cells along a side of a patch, 1 but for layers that are finer than the patch.
    """

    dim: int
    cells: int = 1

    @property
    def width(self) -> int:
        """Numbers of the layer in a row."""
        return self.dim * self.cells**2


@dataclass(frozen=True)
class Shape:
    """The sizes of a decoder.

    Attributes:
        levels: the layers that are joined, in their order in a row.
        pixels: pixels along a side of a patch that get outputs; 1 where a row has one label.
        values: outputs of a pixel.
        link: what outputs are, for heads that average labels.
    """

    levels: tuple[Level, ...]
    pixels: int
    values: int
    link: Link = "logit"

    @property
    def dim(self) -> int:
        """Numbers of a row."""
        return sum(level.width for level in self.levels)

    @property
    def outputs(self) -> int:
        """Outputs of a row: the pixels row-major, the values of a pixel together."""
        return self.pixels**2 * self.values

    @property
    def finest(self) -> int:
        """Cells along a side of a patch of the finest layer."""
        return max(level.cells for level in self.levels)

    def with_pixels(self, pixels: int) -> Shape:
        """The same with other pixels along a side of a patch."""
        return replace(self, pixels=pixels)


def shape_of(task: Task, dims: Sequence[int], cells: Sequence[int], patch_px: int) -> Shape:
    """The sizes of a decoder of a task on some layers.

    Args:
        dims: widths of the layers in a row.
        cells: along a side of a patch, of each layer.
    """
    levels = tuple(Level(dim // own**2, own) for dim, own in zip(dims, cells, strict=True))
    return Shape(levels, 1 if task.is_per_tile else patch_px, task.values, task.link)
