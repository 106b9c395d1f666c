"""Pretrained weights of torchgeo's registry: ResNet, ViT, Swin and CROMA for Sentinel and Landsat."""
