"""The simulated land: its relief, its land cover, and the lines that people draw on it."""
