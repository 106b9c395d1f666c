"""A job on a page: its cost, its configuration and its live panel."""
