"""What looks: cards, weights, devices and one adapter a family of encoders."""
