"""What is not optical: radar backscatter, heights, land cover and vegetation index."""

from __future__ import annotations

from engine.imagery.sensors.sensor import Band, Sensor

_VV_VH = (Band("vv", "", None, 10.0), Band("vh", "", None, 10.0))

OTHER = (
    # Sigma nought in decibels, as Earth Engine's COPERNICUS/S1_GRD and TerraMesh give it.
    Sensor("sentinel1_grd", "Sentinel-1 GRD, calibrated", _VV_VH, 10.0, 1.0, 0.0, None, quantity="backscatter",
           unit="sigma0, decibels", deliveries="stack or files of vv and vh, decibels", dtypes=("float32", "float64")),
    # Gamma nought as linear power: Planetary Computer, Sentinel-1 RTC; ASF, "RTC product guide" (power by default).
    Sensor("sentinel1_rtc", "Sentinel-1 RTC", _VV_VH, 10.0, 1.0, 0.0, None, quantity="backscatter",
           unit="gamma0, linear power", deliveries="stack or files of vv and vh, linear power",
           dtypes=("float32", "float64")),
    # Gap value of SRTM: USGS, "SRTM Collection User Guide", section on voids; Copernicus DEM states its own.
    Sensor("dem", "Digital elevation model", (Band("elevation", "", None, 30.0),), 30.0, 1.0, 0.0, -32768.0,
           quantity="elevation", unit="height, metres", deliveries="one band, metres"),
    Sensor("land_cover", "Land cover classes", (Band("lulc", "", None, 10.0),), 10.0, 1.0, 0.0, None, quantity="class",
           unit="class", deliveries="one band of class numbers", dtypes=("uint8", "int16", "uint16")),
    Sensor("ndvi", "Vegetation index (NDVI)", (Band("ndvi", "", None, 10.0),), 10.0, 1e-4, 0.0, None, quantity="index",
           unit="index, -1 to 1", deliveries="one band; integers are 1/10000"),
)  # fmt: skip
