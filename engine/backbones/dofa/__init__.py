"""DOFA v1 (Technical University of Munich)."""
