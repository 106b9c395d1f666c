"""Which of torchgeo's networks are run here, and how torchgeo is installed."""

from __future__ import annotations

from engine.errors import BackboneError

INSTALL = "pip install -r requirements-torchgeo.txt"
# By the beginning of what torchgeo calls them; the first two are timm's.
KNOWN = ("resnet", "vit_", "swin_v2_", "croma_")


def require_known(model: str) -> None:
    """Check that a network can be run.

    Raises:
        BackboneError: it cannot.
    """
    if model.startswith(KNOWN):
        return
    instead = (
        f"the backbone {model.partition('_patch')[0]}, or another" if model.startswith("dofa") else "another"
    )
    raise BackboneError(
        f"torchgeo's {model} is not run here: ResNet, ViT, Swin V2 and CROMA are. Choose {instead} weight."
    )
