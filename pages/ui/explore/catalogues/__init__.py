"""Imagery of catalogues and services: searched, chosen, made a place, and brought here for use without a network."""
