"""Runs that are kept: as zip files, opened again, and deleted when nothing needs them."""
