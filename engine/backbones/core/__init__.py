"""What every backbone shares: its card, its input and output, its device."""
