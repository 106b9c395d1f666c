"""Stores beside each other: the ground they share, how alike they are, and what changed between two dates."""
