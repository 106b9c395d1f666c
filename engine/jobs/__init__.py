"""The counter between app and GPU: configuration, run folders, events, cancel and resume."""
