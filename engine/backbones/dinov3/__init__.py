"""DINOv3 (Meta), vision transformers trained without labels on web or satellite images."""
