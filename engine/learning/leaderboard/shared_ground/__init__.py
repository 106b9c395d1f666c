"""Stores of other pixels, tiles and extents, taught and judged on the labelled ground that all of them have."""
