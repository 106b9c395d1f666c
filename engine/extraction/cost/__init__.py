"""What an extraction will take before it starts, and how fast this machine is."""
