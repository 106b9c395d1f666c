"""Labelled data sets in the browser: made from fire perimeters, or fetched as published; and fires that are known by name."""
