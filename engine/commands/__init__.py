"""The command line's commands, by what they are about; the only room that prints."""
