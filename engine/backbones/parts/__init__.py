"""Layers and tables that several families of encoders are built from."""
