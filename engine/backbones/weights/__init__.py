"""Where a checkpoint lies, how it is fetched, and how it is opened without running anything in it."""
