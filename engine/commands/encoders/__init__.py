"""Commands about the encoders: what there is, their weights, their speed and their golden cases."""
