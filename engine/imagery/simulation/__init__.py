"""A simulated, labelled fire season: for learning the way, called simulated wherever it shows."""

from engine.imagery.simulation.chip import SimulatedChip, simulate_chip
from engine.imagery.simulation.season import simulate_season

__all__ = ["SimulatedChip", "simulate_chip", "simulate_season"]
