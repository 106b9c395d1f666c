"""Frozen encoders: cards, weights, devices and one folder a family."""
