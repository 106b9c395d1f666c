"""What decoders are taught: the protocol of a task, segmentation, and its presets."""
