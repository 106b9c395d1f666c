"""Files of the server, chosen by looking."""
