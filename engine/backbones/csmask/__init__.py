"""The EfficientNet-B4 encoders inside DLR's cloud and shadow masks."""
