"""What is kept of a training: its run folder, its card, and the one file in which a decoder travels."""
