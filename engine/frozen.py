"""The base of all configuration models: immutable, and unknown keys are refused."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """Immutable, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
