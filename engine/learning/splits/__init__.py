"""Train, validation and test: which tiles are kept together, how they are divided, and what leaks between them."""
