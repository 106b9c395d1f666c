"""The arguments of every command, as tables that can be seen whole."""
