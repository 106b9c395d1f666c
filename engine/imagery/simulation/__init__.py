"""A simulated, labelled fire season: for learning the way, called simulated wherever it shows."""
