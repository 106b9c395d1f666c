"""Jobs: configurations, run folders, events, cancel and resume."""
