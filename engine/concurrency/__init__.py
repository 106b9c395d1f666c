"""Threads with bounded queues: an ordered map, and a writer in the background. Everything that runs threads uses these."""
