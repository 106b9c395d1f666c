"""What a person is looking at, what is on disk, and the readers that remember it."""
