"""Clouds and their shadows as products mark them themselves: SCL, Fmask and QA_PIXEL."""

from __future__ import annotations

import numpy as np

from engine.imagery.scene import MaskKind

# Classes of Sentinel-2's scene classification: no data, saturated or defective, cloud shadow, cloud of medium and of high
# probability, thin cirrus (ESA, Sentinel-2 MSI Level-2A Algorithm Overview, scene classification).
_SCL = (0, 1, 3, 8, 9, 10)
# Bits of HLS' Fmask: cloud, beside cloud or shadow, cloud shadow (HLS v2.0 User Guide, table of the quality layer); 255 is fill.
_FMASK_BITS, _FMASK_FILL = 0b1110, 255
# Bits of Landsat's QA_PIXEL: fill, dilated cloud, cirrus, cloud, cloud shadow (USGS, Landsat 8-9 Collection 2 Level 2 Science
# Product Guide, table of QA_PIXEL bits).
_QA_BITS = 0b11111


def is_clouded(values: np.ndarray, kind: MaskKind) -> np.ndarray:
    """Which pixels of a mask (H, W) are cloud, shadow or fill."""
    match kind:
        case "scl":
            return np.isin(values, _SCL)
        case "fmask":
            whole = values.astype(np.int64)
            return (whole == _FMASK_FILL) | ((whole & _FMASK_BITS) > 0)
        case "qa_pixel":
            return (values.astype(np.int64) & _QA_BITS) > 0
