"""Networks that timm has: DINOv3, EfficientNet-Lite0, and any other model by its name."""
