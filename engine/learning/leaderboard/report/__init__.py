"""A leaderboard as people and other programs read it: words, tables, pictures, a page."""
