"""The region that is worked in: drawn, typed, pasted, found by name or from a file, and how it is told in words."""
