"""Labelled data sets: made from dated polygons through any source of scenes, or fetched as they were published."""
