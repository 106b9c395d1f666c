"""The patch's own reflectances as its embedding."""
