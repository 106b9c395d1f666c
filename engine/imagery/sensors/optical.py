"""Optical sensors: Sentinel-2, HLS, Landsat, PlanetScope and photographs."""

from __future__ import annotations

from engine.imagery.sensors.sensor import Band, Sensor

HLS_BANDS = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")

# Centre wavelengths of Sentinel-2A's MSI: ESA, Sentinel-2 MSI Technical Guide, "Spectral Resolution" (S2A column);
# ground sampling distances: the same guide, "Spatial Resolution".
_MSI = (
    Band("coastal_aerosol", "B1", 0.4427, 60.0), Band("blue", "B2", 0.4924, 10.0), Band("green", "B3", 0.5598, 10.0),
    Band("red", "B4", 0.6646, 10.0), Band("red_edge_1", "B5", 0.7041, 20.0), Band("red_edge_2", "B6", 0.7405, 20.0),
    Band("red_edge_3", "B7", 0.7828, 20.0), Band("nir_broad", "B8", 0.8328, 10.0), Band("nir_narrow", "B8A", 0.8647, 20.0),
    Band("water_vapor", "B9", 0.9451, 60.0), Band("cirrus", "B10", 1.3735, 60.0), Band("swir_1", "B11", 1.6137, 20.0),
    Band("swir_2", "B12", 2.2024, 20.0),
)  # fmt: skip
# Centre wavelengths of Landsat 8's OLI: USGS, Landsat 8 Data Users Handbook, band table.
_OLI = (
    Band("coastal_aerosol", "B1", 0.443, 30.0), Band("blue", "B2", 0.482, 30.0), Band("green", "B3", 0.5615, 30.0),
    Band("red", "B4", 0.6546, 30.0), Band("nir_narrow", "B5", 0.865, 30.0), Band("swir_1", "B6", 1.6085, 30.0),
    Band("swir_2", "B7", 2.2005, 30.0),
)  # fmt: skip
_OLI_CIRRUS = Band("cirrus", "B9", 1.3735, 30.0)
# Centre wavelengths of Landsat 4-5's TM and 7's ETM+: middles of the bands in USGS, Landsat 4-7 Collection 2 Level-2
# Science Product Guide, table of band designations (ETM+).
_TM = (
    Band("blue", "B1", 0.485, 30.0), Band("green", "B2", 0.56, 30.0), Band("red", "B3", 0.66, 30.0),
    Band("nir_narrow", "B4", 0.835, 30.0), Band("swir_1", "B5", 1.65, 30.0), Band("swir_2", "B7", 2.22, 30.0),
)  # fmt: skip
# PlanetScope: Planet, "PlanetScope Product Specification", spectral bands of PSB.SD (8 bands) and PS2 (4 bands).
_SUPERDOVE = (
    Band("coastal_aerosol", "B1", 0.443, 3.0), Band("blue", "B2", 0.49, 3.0), Band("green_i", "B3", 0.531, 3.0),
    Band("green", "B4", 0.565, 3.0), Band("yellow", "B5", 0.61, 3.0), Band("red", "B6", 0.665, 3.0),
    Band("red_edge_1", "B7", 0.705, 3.0), Band("nir_narrow", "B8", 0.865, 3.0),
)  # fmt: skip
_DOVE = (
    Band("blue", "B1", 0.485, 3.0), Band("green", "B2", 0.545, 3.0), Band("red", "B3", 0.63, 3.0),
    Band("nir_broad", "B4", 0.82, 3.0),
)  # fmt: skip

_HLS_S30 = tuple(Band(band.name, band.code, band.wavelength_um, 30.0) for band in _MSI)
_SIX = tuple(
    Band(name, "", next(b.wavelength_um for b in _MSI if b.name == name), 30.0) for name in HLS_BANDS
)
# Tristimulus-like middles of a camera's three channels; photographs state none.
_RGB = (Band("red", "", 0.65, 1.0), Band("green", "", 0.55, 1.0), Band("blue", "", 0.45, 1.0))

_THERMAL = {"B10": "thermal infrared", "B11": "thermal infrared"}
_S2_DELIVERY = "SAFE folder (JP2 files and MTD_MSI*.xml), one file a band, or a stack"
_HLS_DELIVERY = "one file a band (HLS v1.4 and v2), or a stack"
_LANDSAT_DELIVERY = "Collection 2 folder (one file a band and *_MTL.txt), or a stack"

OPTICAL = (
    # Scale 1/10000 and 0 as nodata: ESA, Sentinel-2 Products Specification Document. The offset of processing
    # baseline 04.00 and later (-1000) is not of the sensor but of the product: see `scaling.py`.
    Sensor("sentinel2_l1c", "Sentinel-2 L1C", _MSI, 10.0, 1e-4, 0.0, 0.0, level="top of atmosphere",
           deliveries=_S2_DELIVERY, dtypes=("uint16", "int16", "int32")),
    Sensor("sentinel2_l2a", "Sentinel-2 L2A", tuple(band for band in _MSI if band.name != "cirrus"), 10.0, 1e-4, 0.0, 0.0,
           level="surface", deliveries=_S2_DELIVERY, other={"B10": "cirrus"}, dtypes=("uint16", "int16", "int32")),
    # Scale and fill value: HLS v2.0 User Guide, table of scene-level attributes and section "Spectral bands".
    Sensor("hls", "Harmonized Landsat and Sentinel-2", _SIX, 30.0, 1e-4, 0.0, -9999.0, level="surface",
           deliveries="a stack of the six common bands", dtypes=("int16",)),
    Sensor("hls_s30", "HLS S30 (Sentinel-2)", _HLS_S30, 30.0, 1e-4, 0.0, -9999.0, level="surface",
           deliveries=_HLS_DELIVERY, dtypes=("int16",)),
    Sensor("hls_l30", "HLS L30 (Landsat 8-9)", (*_OLI, _OLI_CIRRUS), 30.0, 1e-4, 0.0, -9999.0, level="surface",
           deliveries=_HLS_DELIVERY, other=_THERMAL, dtypes=("int16",)),
    # Scale, offset and fill value: USGS, Landsat Collection 2 Level-2 Science Products, surface reflectance.
    Sensor("landsat_c2l2", "Landsat 8-9 Collection 2 L2", _OLI, 30.0, 2.75e-5, -0.2, 0.0, level="surface",
           deliveries=_LANDSAT_DELIVERY, other=_THERMAL, dtypes=("uint16",)),
    Sensor("landsat_tm_c2l2", "Landsat 4-7 Collection 2 L2", _TM, 30.0, 2.75e-5, -0.2, 0.0, level="surface",
           deliveries=_LANDSAT_DELIVERY, other={"B6": "thermal infrared", "B8": "panchromatic"},
           dtypes=("uint16",)),
    # Scale and offset before the correction for the sun's elevation, which is in the MTL file: USGS, Landsat 8-9
    # Collection 2 Level 1 Data Format Control Book, REFLECTANCE_MULT_BAND_n and REFLECTANCE_ADD_BAND_n.
    Sensor("landsat_c2l1", "Landsat 8-9 Collection 2 L1", (*_OLI, _OLI_CIRRUS), 30.0, 2e-5, -0.1, 0.0,
           level="top of atmosphere", deliveries=_LANDSAT_DELIVERY,
           other={**_THERMAL, "B8": "panchromatic"}, dtypes=("uint16",)),
    Sensor("landsat_tm_c2l1", "Landsat 4-7 Collection 2 L1", _TM, 30.0, 2e-5, -0.1, 0.0, level="top of atmosphere",
           deliveries=f"{_LANDSAT_DELIVERY}; 8-bit numbers by the MTL only", other={"B6": "thermal infrared", "B8": "panchromatic"},
           dtypes=("uint8", "uint16")),
    # Scale 1/10000 and 0 as nodata: Planet, "Planet Surface Reflectance Product" white paper.
    Sensor("planetscope_8b", "PlanetScope 8 bands (SuperDove)", _SUPERDOVE, 3.0, 1e-4, 0.0, 0.0, level="surface",
           deliveries="*_AnalyticMS_SR_8b.tif", dtypes=("uint16",)),
    Sensor("planetscope_4b", "PlanetScope 4 bands", _DOVE, 3.0, 1e-4, 0.0, 0.0, level="surface",
           deliveries="*_AnalyticMS_SR.tif", dtypes=("uint16",)),
    Sensor("rgb", "Photographs and 8-bit pictures", _RGB, 1.0, 1 / 255, 0.0, None, quantity="brightness",
           unit="brightness, 0 to 1", deliveries="8-bit GeoTIFF of red, green, blue", dtypes=("uint8",)),
)  # fmt: skip
