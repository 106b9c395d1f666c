"""One raster file: opened, understood, and its pixels read on any grid."""
