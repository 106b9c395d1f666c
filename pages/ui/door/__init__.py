"""Who may come in: the names that the server answers to, and the password of a workshop."""
