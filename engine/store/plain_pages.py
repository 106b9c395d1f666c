"""Where the plain numbers of a Parquet column lie in its file, so that they are read without decoding.

A column of fixed-size lists is written as (repetition levels, definition levels, values) a page. pyarrow decodes
the levels of every single number, which takes 20 times as long as the numbers themselves. A column that we write is
uncompressed, PLAIN and cannot be null, so the values of a page are its last bytes, in their order. Whatever is not
exactly so (another writer, codec, encoding, page version) is left to pyarrow.

The page header is a Thrift struct in the compact protocol:
https://github.com/apache/parquet-format (parquet.thrift, PageHeader and DataPageHeader) and
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from io import FileIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

# A header of ours takes 26 bytes or less; one with statistics takes more, and is not ours.
_HEADER_BYTES = 256
# Numbers of parquet.thrift: PageType, Encoding, and the fields of PageHeader and DataPageHeader.
_DATA_PAGE_V1, _PLAIN, _RLE = 0, 0, 3
_TYPE, _UNPACKED_SIZE, _PACKED_SIZE, _DATA_PAGE = 1, 2, 3, 5
_NUM_VALUES, _ENCODING, _DEFINITION_ENCODING, _REPETITION_ENCODING = 1, 2, 3, 4
# Types of the compact protocol that a page header uses.
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _BINARY, _STRUCT = 1, 2, 3, 4, 5, 6, 8, 12


@dataclass(frozen=True)
class PlainValues:
    """The values of one column of one file, as runs of plain numbers in the order of the rows.

    Attributes:
        ends: (runs,) int64, how many values lie up to the end of each run.
        offsets: (runs,) int64, the byte of the file at which each run begins.
    """

    dtype: np.dtype
    ends: np.ndarray
    offsets: np.ndarray

    def read_into(self, file: FileIO, first: int, out: np.ndarray) -> None:
        """Fill an array with the values from number `first` on.

        Args:
            file: the file that was looked through; nobody else may move its position meanwhile.
            out: 1-D, contiguous, of `dtype`.

        Raises:
            EOFError: the file is shorter than its footer says.
        """
        done, run = 0, int(np.searchsorted(self.ends, first, side="right"))
        while done < len(out):
            begin = int(self.ends[run - 1]) if run else 0
            skipped = first + done - begin
            count = min(int(self.ends[run]) - begin - skipped, len(out) - done)
            file.seek(int(self.offsets[run]) + skipped * self.dtype.itemsize)
            _read_whole(file, out[done : done + count].view(np.uint8).data)
            done, run = done + count, run + 1


class _NotPlain(Exception):
    """A page is of a form that is left to pyarrow."""


def find_plain_values(
    file: FileIO, footer: pq.FileMetaData, column: str, dim: int, dtype: str
) -> PlainValues | None:
    """Find the values of a column of lists of `dim` numbers; None where pyarrow must read them.

    Args:
        file: the file of the footer.
    """
    leaf = _leaf(footer, column, np.dtype(dtype)) if _is_fixed_size(footer, column, dim) else None
    if leaf is None or sys.byteorder != "little":  # Parquet's numbers are little-endian
        return None
    counts: list[int] = []
    offsets: list[int] = []
    try:
        for group in range(footer.num_row_groups):
            rows = footer.row_group(group)
            chunk = rows.column(leaf)
            pages = _pages(file, chunk, np.dtype(dtype).itemsize)
            if sum(count for count, _ in pages) != rows.num_rows * dim:
                return None
            counts += [count for count, _ in pages]
            offsets += [offset for _, offset in pages]
    except (_NotPlain, EOFError):
        return None
    return PlainValues(np.dtype(dtype), np.cumsum(counts, dtype=np.int64), np.array(offsets, dtype=np.int64))


def _is_fixed_size(footer: pq.FileMetaData, column: str, dim: int) -> bool:
    """Whether the lists were written as lists of one size; otherwise their lengths stand in the levels only."""
    kind = footer.schema.to_arrow_schema().field(column).type
    return isinstance(kind, pa.FixedSizeListType) and kind.list_size == dim


def _leaf(footer: pq.FileMetaData, column: str, dtype: np.dtype) -> int | None:
    """Number of the leaf column that holds the lists' numbers, if it has the one form that we read."""
    leaves = [
        index for index in range(footer.num_columns)
        if footer.schema.column(index).path.split(".")[0] == column
    ]  # fmt: skip
    if len(leaves) != 1:
        return None
    leaf = footer.schema.column(leaves[0])
    kind = {"float16": "FIXED_LEN_BYTE_ARRAY", "float32": "FLOAT"}.get(dtype.name)
    is_width = leaf.physical_type == "FLOAT" or leaf.length == dtype.itemsize
    # One level each: lists in a column, neither they nor their numbers can be null.
    has_levels = leaf.max_repetition_level == 1 and leaf.max_definition_level == 1
    return leaves[0] if leaf.physical_type == kind and is_width and has_levels else None


def _pages(file: FileIO, chunk: pq.ColumnChunkMetaData, itemsize: int) -> list[tuple[int, int]]:
    """(values, byte at which they begin) of each page of a column chunk."""
    if chunk.compression != "UNCOMPRESSED" or not set(chunk.encodings) <= {"PLAIN", "RLE"}:
        raise _NotPlain
    if chunk.has_dictionary_page:
        raise _NotPlain
    offset, end, pages = chunk.data_page_offset, chunk.data_page_offset + chunk.total_compressed_size, []
    while offset < end:
        count, body, size = _page_header(file, offset)
        levels = size - count * itemsize
        _check_levels(file, body, levels)
        pages.append((count, body + levels))
        offset = body + size
    if offset != end:
        raise _NotPlain
    return pages


def _page_header(file: FileIO, offset: int) -> tuple[int, int, int]:
    """Values of the page at an offset, the byte at which its body begins, the body's size."""
    file.seek(offset)
    fields, length = _struct(file.read(_HEADER_BYTES), 0)
    page = fields.get(_DATA_PAGE)
    if fields.get(_TYPE) != _DATA_PAGE_V1 or not isinstance(page, dict):
        raise _NotPlain
    if (page.get(_ENCODING), page.get(_DEFINITION_ENCODING), page.get(_REPETITION_ENCODING)) != (
        _PLAIN, _RLE, _RLE
    ):  # fmt: skip
        raise _NotPlain
    size, count = fields.get(_UNPACKED_SIZE), page.get(_NUM_VALUES)
    if not isinstance(size, int) or not isinstance(count, int) or fields.get(_PACKED_SIZE) != size:
        raise _NotPlain
    return count, offset + length, size


def _check_levels(file: FileIO, body: int, size: int) -> None:
    """The bytes before the values are the levels and nothing else.

    Then the page holds a number for each of its values: none is null and no list is empty.
    """
    if size < 8:
        raise _NotPlain
    file.seek(body)
    repetition = int.from_bytes(_read_exactly(file, 4), "little")
    if repetition > size - 8:
        raise _NotPlain
    file.seek(body + 4 + repetition)
    definition = int.from_bytes(_read_exactly(file, 4), "little")
    if 4 + repetition + 4 + definition != size:
        raise _NotPlain


def _struct(data: bytes, at: int) -> tuple[dict[int, object], int]:
    """Fields of a Thrift struct by their number, and the byte after it."""
    fields: dict[int, object] = {}
    number = 0
    try:
        while data[at]:
            delta, kind = data[at] >> 4, data[at] & 0x0F
            at += 1
            if delta:
                number += delta
            else:
                number, at = _signed(data, at)
            fields[number], at = _value(data, at, kind)
    except IndexError as err:
        raise _NotPlain from err
    return fields, at + 1


def _value(data: bytes, at: int, kind: int) -> tuple[object, int]:
    if kind in (_TRUE, _FALSE):
        return kind == _TRUE, at
    if kind == _BYTE:
        return data[at], at + 1
    if kind in (_I16, _I32, _I64):
        return _signed(data, at)
    if kind == _BINARY:
        length, at = _varint(data, at)
        return data[at : at + length], at + length
    if kind == _STRUCT:
        return _struct(data, at)
    raise _NotPlain


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Seven bits a byte, least first; the top bit says that more follow."""
    value = shift = 0
    while data[at] & 0x80:
        value |= (data[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
    return value | data[at] << shift, at + 1


def _signed(data: bytes, at: int) -> tuple[int, int]:
    """A varint in zigzag order: 0, -1, 1, -2, ..."""
    value, at = _varint(data, at)
    return (value >> 1) ^ -(value & 1), at


def _read_exactly(file: FileIO, size: int) -> bytes:
    data = bytearray(size)
    _read_whole(file, memoryview(data))
    return bytes(data)


def _read_whole(file: FileIO, room: memoryview) -> None:
    """Fill the room; the system may give less than asked for at once."""
    while len(room):
        got = file.readinto(room)
        if not got:
            raise EOFError(f"the file ends {len(room)} bytes too early")
        room = room[got:]
