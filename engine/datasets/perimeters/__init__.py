"""Fires from files of perimeters: whose columns they have, how days are written, and which rows are one fire."""
