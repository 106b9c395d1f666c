"""The parts of the Backbones page."""
