"""What is learned: heads on frozen embeddings, their training, scores and maps."""
