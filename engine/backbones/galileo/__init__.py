"""Galileo (NASA Harvest): series of radar, optical bands and elevation, in groups of a token each."""
