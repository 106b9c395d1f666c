"""What a bench drives the app with."""
