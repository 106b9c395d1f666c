"""The training loop: steps, their size, checkpoints, and the map that is watched while it learns."""
