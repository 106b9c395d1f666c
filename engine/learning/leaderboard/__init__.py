"""Backbones by heads by seeds, taught alike, tested once on the same places, and compared."""
