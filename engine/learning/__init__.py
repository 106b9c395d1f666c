"""JOB 2: decoders on frozen embeddings, their training, scores and maps."""
