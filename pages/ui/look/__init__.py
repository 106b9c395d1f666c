"""Style, words, plots, empty states and messages that all pages share."""
