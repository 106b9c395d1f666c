"""Who reads, encodes and writes at the same time: threads of this process, or actors of a Ray cluster."""
