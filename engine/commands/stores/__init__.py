"""Commands about embeddings: taken in, checked, looked at, compared and given to other programs."""
