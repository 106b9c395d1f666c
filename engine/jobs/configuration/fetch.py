"""What a fetching of weights is asked to do: the names of backbones."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from engine.frozen import Frozen


class FetchConfig(Frozen):
    """Weights are brought to this machine before they are needed, such as before a workshop."""

    kind: Literal["fetch"] = "fetch"
    names: tuple[str, ...] = Field(
        min_length=1, max_length=64, description="Names of `python -m engine backbones`."
    )
