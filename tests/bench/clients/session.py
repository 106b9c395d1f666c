"""A session as a browser has one: the page's files, the websocket in Streamlit's own messages, reruns of fragments, tiles."""

from __future__ import annotations

import asyncio
import http.client
import itertools
import random
import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

Tiles = Sequence[tuple[int, int, int]]
CONNECTIONS = 6  # that a browser opens to one server
MOVE_S = 5.0  # between two moves of a map, on average
_TOKEN = re.compile(r"tiles/([0-9a-f]{32})/")
_FILES = re.compile(r'(?:src|href)="(\./static/[^"]+)"')


@dataclass
class Seen:
    """What one session has seen, in seconds from its first request.

    Attributes:
        content_s: the page's heading has come, and with it what stands above.
        whole_s: the page's script has ended.
        tokens: layers of its map.
        opening_s: how long each tile took when the map was new, and everybody's came at once.
        tiles_s: how long each took while the person looked around.
        empty: tiles without a pixel.
    """

    content_s: float = 0.0
    whole_s: float = 0.0
    tokens: list[str] = field(default_factory=list)
    opening_s: list[float] = field(default_factory=list)
    tiles_s: list[float] = field(default_factory=list)
    empty: int = 0


async def visit(address: str, page: str, query: str, views: Sequence[Tiles], stay_s: float) -> Seen:
    """Open a page and look around on its map for a while.

    Args:
        views: the tiles of the map as it opens, then those that each move of the map brings in.
    """
    seen, began = Seen(), time.perf_counter()
    await asyncio.to_thread(_load_files, address)
    where = f"ws://{urlsplit(address).netloc}/_stcore/stream"
    async with websockets.connect(where, subprotocols=["streamlit"], max_size=None, origin=address) as socket:
        await socket.send(_rerun(page, query))
        reruns: list[asyncio.Task[None]] = []
        looking: asyncio.Task[None] | None = None
        try:
            while True:
                left_s = stay_s - (time.perf_counter() - began - seen.whole_s) if looking else 60.0
                message = ForwardMsg.FromString(await asyncio.wait_for(socket.recv(), max(left_s, 0.01)))
                kind = message.WhichOneof("type")
                if kind == "delta" and not seen.content_s and _is_heading(message):
                    seen.content_s = time.perf_counter() - began
                if kind == "delta":
                    seen.tokens += _TOKEN.findall(str(message.delta))
                if kind == "auto_rerun":
                    reruns.append(asyncio.create_task(_rerun_again(socket, page, query, message.auto_rerun)))
                if kind == "script_finished" and looking is None:
                    seen.whole_s = time.perf_counter() - began
                    looking = asyncio.create_task(
                        asyncio.to_thread(_look_around, address, seen, views, stay_s, query)
                    )
        except TimeoutError:
            if looking is not None:
                await looking
        finally:
            for task in reruns:
                task.cancel()
    return seen


def _is_heading(message: ForwardMsg) -> bool:
    return message.delta.WhichOneof("type") == "new_element" and (
        message.delta.new_element.WhichOneof("type") == "heading"
    )


def _rerun(page: str, query: str, fragment: str = "") -> bytes:
    message = BackMsg()
    message.rerun_script.query_string, message.rerun_script.page_name = query, page
    message.rerun_script.fragment_id, message.rerun_script.is_auto_rerun = fragment, bool(fragment)
    return bytes(message.SerializeToString())


async def _rerun_again(socket: websockets.ClientConnection, page: str, query: str, asked: object) -> None:
    while True:
        await asyncio.sleep(asked.interval)  # type: ignore[attr-defined]
        await socket.send(_rerun(page, query, asked.fragment_id))  # type: ignore[attr-defined]


def _load_files(address: str) -> None:
    """The page and the scripts and styles that it names."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    html = _get(connection, "/").decode()
    for name in dict.fromkeys(_FILES.findall(html)):
        _get(connection, name[1:])
    connection.close()


def _look_around(address: str, seen: Seen, views: Sequence[Tiles], stay_s: float, who: str) -> None:
    """The map as it opens, and then a move of it every few seconds, at moments of each person's own."""
    end, chance = time.monotonic() + stay_s, random.Random(who)  # noqa: S311 - not a secret
    seen.opening_s += _tiles(address, seen, views[0])
    for moved in itertools.cycle(views[1:]):
        time.sleep(chance.uniform(0.5, 1.5) * MOVE_S)
        if time.monotonic() > end:
            return
        seen.tiles_s += _tiles(address, seen, moved)


def _tiles(address: str, seen: Seen, wanted: Tiles) -> list[float]:
    """Ask for tiles of every layer, six at once; seconds of each."""
    paths = [f"/tiles/{token}/{z}/{x}/{y}.png" for token in dict.fromkeys(seen.tokens) for z, x, y in wanted]
    parts = [paths[start::CONNECTIONS] for start in range(CONNECTIONS)]
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        timed = [one for part in pool.map(lambda part: _timed(address, part), parts) for one in part]
    seen.empty += sum(size < 400 for _, size in timed)
    return [seconds for seconds, _ in timed]


def _timed(address: str, paths: Sequence[str]) -> list[tuple[float, int]]:
    connection, found = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60), []
    for path in paths:
        began = time.perf_counter()
        size = len(_get(connection, path))
        found.append((time.perf_counter() - began, size))
    connection.close()
    return found


def _get(connection: http.client.HTTPConnection, path: str) -> bytes:
    connection.request("GET", path, headers={"Accept-Encoding": "gzip"} if path != "/" else {})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status}")
    return body
