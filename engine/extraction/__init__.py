"""JOB 1: from a configuration to a plan, from planned tiles to pixels, and through the encoder into a store."""
