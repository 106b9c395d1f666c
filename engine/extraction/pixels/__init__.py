"""The pixels of planned tiles: read ahead, mirrored beyond the scene, clouds and gaps taken out."""
