"""Random convolutional features (MOSAIKS): a baseline without pretraining."""
