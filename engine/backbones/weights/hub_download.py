"""Downloads one file of a Hugging Face repository; a program of its own, which `download.fetch` starts and can end.

    python -m engine.backbones.weights.hub_download REPOSITORY FILE TARGET [SHA256 [REVISION [KIND]]]

It prints JSON lines: `{"done": bytes, "total": bytes}` twice a second, and at the end `{"sha256": ...}` or
`{"failure": kind, "reason": words}`.

The requests are the hub client's: address, token, redirects, repeated tries, resumption. Its `hf_hub_download` is not
called as a whole because, as of huggingface_hub 2.4, it deletes what has come when the network stays away for a few
seconds or the download is stopped, so that 27 GB begin anew; and because with a `local_dir` each process that waited at
its lock deletes the file of the one before and fetches it again. The partial file and the lock are therefore kept here.
It is a process because a thread that waits for a lock or for a silent server cannot be stopped.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import filelock
import huggingface_hub
from huggingface_hub import constants
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.file_download import http_get

from engine.files import file_sha256, is_disk_full

_TELL_S = 0.5
_METADATA_S = 60.0  # a slow network is waited for
_ATTEMPTS = 3  # without a new byte; the hub client itself repeats each of them five times
_CHUNK_BYTES = 2**20  # the client writes 10 MiB at once, which a slow network brings in minutes


class WrongHash(Exception):
    """What came is not what was published; the message is its sha256."""


class Progress:
    """How much has come, told twice a second by a thread, also while the server or the lock is waited for."""

    def __init__(self) -> None:
        self.part: Path | None = None
        self.total: int | None = None
        self._turn, self._is_over = threading.Lock(), False
        threading.Thread(target=self._tell_on, daemon=True).start()

    def tell(self) -> None:
        """Print how much has come."""
        with self._turn:
            if not self._is_over:
                say(done=size(self.part) if self.part is not None else 0, total=self.total)

    def end(self) -> None:
        """Tell no more: what is printed next is the last word."""
        with self._turn:
            self._is_over = True

    def _tell_on(self) -> None:
        while True:
            try:
                self.tell()
            except OSError:  # nobody listens any more
                os._exit(1)
            time.sleep(_TELL_S)


def download(
    repository: str,
    file: str,
    target: Path,
    sha256: str,
    progress: Progress,
    revision: str = "main",
    kind: str = "model",
) -> str:
    """Fetch a file to `target`, going on with what an earlier try left.

    Args:
        sha256: of the file, or its first digits; empty: the one that the hub states, if it does.
        kind: of the repository: "model" or "dataset".

    Returns:
        sha256 of the file, which is also written to `<target>.sha256`.

    Raises:
        WrongHash: what came is another file; it is deleted.
    """
    endpoint = (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")
    url = huggingface_hub.hf_hub_url(repository, file, repo_type=kind, revision=revision, endpoint=endpoint)
    metadata = huggingface_hub.get_hf_file_metadata(url, timeout=_METADATA_S)
    etag = metadata.etag or ""
    part = target.with_name(f"{target.name}.{''.join(filter(str.isalnum, etag))[:16]}.part")
    progress.part, progress.total = part, metadata.size
    target.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(target.with_name(f".{target.name}.lock")):
        if target.is_file():  # another process has fetched it meanwhile
            return file_sha256(target)
        for stale in target.parent.glob(f"{target.name}.*part*"):
            if stale != part:  # of another version of the file
                stale.unlink()
        receive(url, part, metadata.size)
        progress.tell()
        return _put(part, target, sha256 or (etag if len(etag) == 64 else ""))


def receive(url: str, part: Path, total: int | None) -> None:
    """Append to the partial file what is still missing; a cut connection is resumed where it broke."""
    token = huggingface_hub.get_token()
    headers = {"Accept-Encoding": "identity"} | ({"authorization": f"Bearer {token}"} if token else {})
    idle, most = 0, size(part)
    while True:
        try:
            with part.open("ab") as file:
                http_get(url, file, resume_size=size(part), headers=headers, expected_size=total)
            return
        except Exception as err:  # the client's classes of network errors differ from version to version
            if (
                total is None or size(part) > total
            ):  # another client or server began anew: nothing to go on with
                part.unlink(missing_ok=True)
            idle = 0 if size(part) > most else idle + 1
            most = max(most, size(part))
            if isinstance(err, HfHubHTTPError) or _is_local(err) or idle == _ATTEMPTS:
                raise
            time.sleep(idle)


def _put(part: Path, target: Path, sha256: str) -> str:
    found = file_sha256(part)
    if not found.startswith(sha256):
        part.unlink()
        raise WrongHash(found)
    target.with_name(target.name + ".sha256").write_text(f"{found}  {target.name}\n", encoding="ascii")
    part.replace(target)
    return found


def failure(err: Exception) -> tuple[str, str]:
    """Kind and words of what went wrong."""
    words = " ".join(str(err).split())[:200] or type(err).__name__
    if isinstance(err, WrongHash):
        return "hash", str(err)
    if isinstance(err, HfHubHTTPError):
        status = err.response.status_code if err.response is not None else 0
        return ("licence" if status in (401, 403) else "refused"), str(status or words)
    if isinstance(err, OSError) and _is_local(err):
        return "write", str(err.errno)
    return "network", words


def _is_local(err: Exception) -> bool:
    """Whether this machine's disk is the matter, and not the network."""
    return isinstance(err, OSError) and (is_disk_full(err) or err.filename is not None)


def size(path: Path) -> int:
    """Bytes of a file; 0 where there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def say(**facts: object) -> None:
    """Print one JSON line."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def main(arguments: list[str], told: Callable[..., None] = say) -> None:
    """Download, and print how it ended."""
    repository, file, target, *rest = arguments
    sha256, revision, kind = (*rest, *("", "main", "model")[len(rest) :])
    constants.DOWNLOAD_CHUNK_SIZE = _CHUNK_BYTES
    progress = Progress()
    try:
        found = download(repository, file, Path(target), sha256, progress, revision, kind)
        last: dict[str, object] = {"sha256": found}
    except Exception as err:  # a process ends here: whatever it was is told to the one that waits
        kind, reason = failure(err)
        last = {"failure": kind, "reason": reason}
    progress.end()
    told(**last)


if __name__ == "__main__":
    main(sys.argv[1:])
