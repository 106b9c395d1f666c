"""A training on one page for people: HTML that holds everything it shows."""
