"""The metric grid on which a raster is read: its own pixels where they are square metres, else one of UTM or the poles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox
from pyproj import CRS, Geod, Proj
from pyproj.exceptions import CRSError, ProjError
from rasterio.crs import CRS as StoredCRS  # noqa: N811, pyproj has a CRS too
from rasterio.io import DatasetReader

from engine.errors import SceneError
from engine.imagery.geobox import applied, crs_text, to_lonlat, transform_bounds, utm_or_polar_crs

_GEOD = Geod(ellps="WGS84")
_EARTH_RADIUS_M = 6_371_000.0
_EARTH_RADIUS_SHARE = 0.01
# A projection that stretches the ground by more than this is not taken for metres: UTM stays below 0.4 % in and
# beside its zone, continental equal-area and conformal projections within 5 %, Web Mercator is at 41 % at 45 degrees.
_MOST_STRETCH = 0.05
# Wider than two UTM zones, a raster has no one metric grid; near the poles longitude says little.
_MOST_WIDTH_DEG = 12.0
# Pixels smaller than this are degrees under a metric name: no sensor sees half a centimetre.
_LEAST_PIXEL_M = 0.005
# Affines count as parallel to the axes when a pixel leaves them by less than this share of itself over the whole raster.
_AXIS_SHARE = 1e-3


@dataclass(frozen=True)
class MetricGrid:
    """A raster's grid in metres.

    Attributes:
        grid: north-up, square pixels, in a projected CRS in metres.
        note: why pixels are resampled to it; "" where it is the raster's own pixel lattice.
    """

    grid: GeoBox
    note: str


def metric_grid(dataset: DatasetReader, where: str, crs: CRS | None = None) -> MetricGrid:
    """The metric grid of a raster.

    Args:
        where: the raster's name, for messages.
        crs: instead of the raster's own, where a product states it elsewhere.

    Raises:
        SceneError: the raster has no place on Earth, or too wide a one for any metric grid; what mends it is said.
    """
    crs = crs or earth_crs(dataset, where)
    transform = _georeference(dataset, where)
    return metric_grid_of(GeoBox((dataset.height, dataset.width), transform, crs_text(crs)), crs, where)


def metric_grid_of(own: GeoBox, crs: CRS, where: str) -> MetricGrid:
    """The same of pixels that lie on a grid of any CRS, which is given without heights."""
    if crs.is_geographic:
        return _regridded(own, where, f"{where} is in degrees")
    factor = crs.axis_info[0].unit_conversion_factor
    if math.sqrt(abs(own.transform.determinant)) * factor < _LEAST_PIXEL_M:
        raise SceneError(
            f"{where} has pixels of {abs(own.transform.a):.6g} {crs.axis_info[0].unit_name} in {_title(crs)}: its coordinates look like degrees. "
            f"Assign the CRS that they are in, e.g. with gdal_edit -a_srs EPSG:4326."
        )
    if abs(factor - 1) > 1e-9:
        return _regridded(own, where, f"{where} is in {crs.axis_info[0].unit_name}")
    stretch = _stretch(own, crs, where)
    if max(abs(value - 1) for value in stretch) > _MOST_STRETCH:
        return _regridded(
            own, where, f"{_title(crs)} stretches the ground of {where} {max(stretch):.3g} times"
        )
    aligned = north_up(own)
    if aligned is None:
        return _regridded(own, where, f"{where} is rotated or skewed")
    if abs(aligned.resolution.x + aligned.resolution.y) > _AXIS_SHARE * aligned.resolution.x:
        return MetricGrid(_squared(aligned), f"{where} has pixels of {aligned.resolution.x:g} m x {-aligned.resolution.y:g} m; they are "
                          f"resampled to squares of {min(aligned.resolution.x, -aligned.resolution.y):g} m (bilinear).")  # fmt: skip
    return MetricGrid(aligned, "")


def earth_crs(dataset: DatasetReader, where: str) -> CRS:
    """A raster's horizontal CRS.

    Raises:
        SceneError: it has none, a local one, or one of another planet.
    """
    if dataset.crs is None:
        _require_no_other_placing(dataset, where)
        raise SceneError(
            f"{where} has no CRS. Assign the one it is in, e.g. with gdal_edit -a_srs EPSG:32633."
        )
    try:
        crs = CRS.from_user_input(dataset.crs.to_wkt())
        crs = crs.source_crs if crs.is_bound and crs.source_crs is not None else crs
        crs = crs.to_2d()
        crs = next((part for part in crs.sub_crs_list if part.is_projected or part.is_geographic), crs)
    except (CRSError, ProjError) as err:
        raise SceneError(
            f"The CRS of {where} cannot be read ({_short(err)}). Assign another, e.g. with gdal_edit -a_srs."
        ) from err
    if not (crs.is_projected or crs.is_geographic):
        raise SceneError(
            f"{where} has a CRS ({_title(crs)}) that is neither of longitude and latitude nor a map projection: a local one has no "
            f"place on Earth. Assign the CRS it is in, e.g. with gdal_edit -a_srs, or georeference it."
        )
    radius = crs.ellipsoid.semi_major_metre if crs.ellipsoid else None
    if radius is None or abs(radius / _EARTH_RADIUS_M - 1) > _EARTH_RADIUS_SHARE:
        raise SceneError(
            f"{where} has a CRS ({_title(crs)}) on an ellipsoid of {(radius or 0) / 1000:,.0f} km, which is not the Earth. "
            f"Emberscope maps the Earth only; assign a CRS of the Earth if this is one."
        )
    code = _epsg(dataset.crs) if not dataset.crs.is_geographic or crs.is_geographic else None
    try:
        return CRS.from_epsg(code).to_2d() if code and not CRS.from_epsg(code).is_compound else crs
    except CRSError:
        return crs


def north_up(own: GeoBox) -> GeoBox | None:
    """The same pixel lattice with rows from the north and columns from the west; None where it is rotated or skewed.

    South-up and mirrored rasters, and those turned by quarters, hold the same pixels in another order.
    """
    a, b, _, d, e, _ = own.transform[:6]
    height, width = own.shape
    if max(abs(b) * height, abs(d) * width) > _AXIS_SHARE * min(abs(a), abs(e)) and max(
        abs(a) * width, abs(e) * height
    ) > _AXIS_SHARE * min(abs(b), abs(d)):
        return None
    corners = [own.transform @ corner for corner in ((0, 0), (width, 0), (0, height), (width, height))]
    west, north = min(x for x, _ in corners), max(y for _, y in corners)
    is_turned = abs(b) > abs(a)
    across, down = (abs(b), abs(d)) if is_turned else (abs(a), abs(e))
    shape = (width, height) if is_turned else (height, width)
    return GeoBox(shape, Affine(across, 0, west, 0, -down, north), own.crs)


def _georeference(dataset: DatasetReader, where: str) -> Affine:
    """A raster's affine.

    Raises:
        SceneError: none is stated, or it is degenerate.
    """
    if dataset.transform == Affine.identity():
        _require_no_other_placing(dataset, where)
        raise SceneError(
            f"{where} has a CRS but no geotransform: nothing says where it lies. Add it (a world file, or gdal_edit -a_ullr)."
        )
    if not all(math.isfinite(value) for value in dataset.transform[:6]) or dataset.transform.determinant == 0:
        raise SceneError(
            f"{where} has a geotransform without an area: {tuple(dataset.transform[:6])}. Write it again with gdal_edit -a_ullr."
        )
    return dataset.transform


def _require_no_other_placing(dataset: DatasetReader, where: str) -> None:
    """Refuse a raster that something else than a geotransform places.

    Raises:
        SceneError: with the step that gives it one.
    """
    if dataset.gcps[0]:
        raise SceneError(
            f"{where} is placed by ground control points only, which leave open how pixels are bent onto them. "
            f"Warp it first, e.g. with gdalwarp -tps -t_srs EPSG:32633 IN.tif OUT.tif."
        )
    if dataset.rpcs is not None:
        raise SceneError(
            f"{where} is placed by rational polynomial coefficients (RPC) only, which need the heights of the ground. "
            f"Orthorectify it first, e.g. with gdalwarp -rpc -to RPC_DEM=DEM.tif -t_srs EPSG:32633 IN.tif OUT.tif."
        )


def _stretch(own: GeoBox, crs: CRS, where: str) -> tuple[float, float]:
    """Length on the map over length on the ground along meridian and parallel, at the middle of a raster."""
    x, y = own.transform @ (own.width / 2, own.height / 2)
    lon, lat = (float(value) for value in to_lonlat(crs_text(crs)).transform(x, y))
    if not (math.isfinite(lon) and math.isfinite(lat)):
        raise SceneError(
            f"{where} lies where {_title(crs)} has no place on Earth (x {x:g}, y {y:g}). Check its CRS and geotransform."
        )
    try:
        factors = _proj(crs_text(crs)).get_factors(lon, lat, errcheck=True)
    except ProjError:
        return _measured_stretch(own, crs)
    return float(factors.meridional_scale), float(factors.parallel_scale)


def _measured_stretch(own: GeoBox, crs: CRS) -> tuple[float, float]:
    """The same, measured on the ellipsoid along the middle of the raster (at a pole, and where PROJ has no derivatives)."""
    row, column = own.height / 2, own.width / 2
    ends = [
        own.transform @ end
        for end in ((column - 0.5, row), (column + 0.5, row), (column, row - 0.5), (column, row + 0.5))
    ]
    lon, lat = to_lonlat(crs_text(crs)).transform(*np.array(ends).T)
    _, _, metres = _GEOD.inv(lon[[0, 2]], lat[[0, 2]], lon[[1, 3]], lat[[1, 3]])
    a, b, _, d, e, _ = own.transform[:6]
    return math.hypot(a, d) / metres[0], math.hypot(b, e) / metres[1]


def _regridded(own: GeoBox, where: str, why: str) -> MetricGrid:
    """Square pixels of about the same area on the ground, in UTM or polar stereographic around the raster's middle.

    Raises:
        SceneError: the raster is too wide for one such grid.
    """
    lon, lat = outline_of(own)
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()) or np.abs(lat).max() > 90 + 1e-6:
        raise SceneError(
            f"{where} reaches beyond the coordinates of its CRS (latitudes to {np.nanmax(np.abs(lat)):.4g}). Check its geotransform."
        )
    x, y = own.transform @ (own.width / 2, own.height / 2)
    middle_lon, middle_lat = (float(v) for v in to_lonlat(str(own.crs)).transform(x, y))
    middle_lon = (middle_lon + 180) % 360 - 180
    target = utm_or_polar_crs(middle_lon, middle_lat)
    width_deg = float(lon.max() - lon.min())
    is_polar = abs(middle_lat) > 80
    if (width_deg > _MOST_WIDTH_DEG and not is_polar) or np.ptp(lat) > 30:
        raise SceneError(
            f"{where} spans {width_deg:.4g} degrees of longitude and {np.ptp(lat):.4g} of latitude: too large an extent for one metric grid "
            f"(UTM zones are 6 degrees wide). Cut out the part you mean, e.g. with gdal_translate -projwin, or warp it to a CRS in metres."
        )
    gsd_m = _rounded(_pixel_m(own))
    west, south, east, north = transform_bounds(own, target)
    west, north = math.floor(west / gsd_m) * gsd_m, math.ceil(north / gsd_m) * gsd_m
    shape = (math.ceil((north - south) / gsd_m), math.ceil((east - west) / gsd_m))
    grid = GeoBox(shape, Affine(gsd_m, 0, west, 0, -gsd_m, north), target)
    return MetricGrid(grid, f"{why}; it is resampled to {target} with pixels of {gsd_m:g} m (bilinear).")


def outline_of(own: GeoBox) -> tuple[np.ndarray, np.ndarray]:
    """Longitudes (unwrapped along the outline) and latitudes of a raster's outline, degrees."""
    height, width = own.shape
    steps = np.linspace(0, 1, 33)
    column = np.concatenate([steps, np.ones(33), steps[::-1], np.zeros(33)]) * width
    row = np.concatenate([np.zeros(33), steps, np.ones(33), steps[::-1]]) * height
    lon, lat = to_lonlat(str(own.crs)).transform(*applied(own.transform, column, row))
    if own.crs is not None and own.crs.geographic:
        lon = applied(own.transform, column, row)[0]  # PROJ wraps longitudes beyond 180
    return np.rad2deg(np.unwrap(np.deg2rad(np.asarray(lon)))), np.asarray(lat)


def _pixel_m(own: GeoBox) -> float:
    """Side of a square with a pixel's area on the ground, at the raster's middle."""
    row, column = own.height / 2, own.width / 2
    n = max(1.0, min(own.height, own.width) / 8)
    ends = [
        own.transform @ end
        for end in ((column - n, row), (column + n, row), (column, row - n), (column, row + n))
    ]
    lon, lat = to_lonlat(str(own.crs)).transform(*np.array(ends).T)
    _, _, metres = _GEOD.inv(lon[[0, 2]], lat[[0, 2]], lon[[1, 3]], lat[[1, 3]])
    return math.sqrt(metres[0] * metres[1]) / (2 * n)


def _rounded(metres: float) -> float:
    """To three significant digits: 27.31 becomes 27.3, 0.01789 becomes 0.0179."""
    return float(f"{metres:.3g}")


def _squared(aligned: GeoBox) -> GeoBox:
    """The same ground in squares of the shorter side."""
    side = min(aligned.resolution.x, -aligned.resolution.y)
    west, north = aligned.transform.c, aligned.transform.f
    height = math.ceil(aligned.height * -aligned.resolution.y / side - 1e-6)
    width = math.ceil(aligned.width * aligned.resolution.x / side - 1e-6)
    return GeoBox((height, width), Affine(side, 0, west, 0, -side, north), aligned.crs)


@cache
def _epsg(crs: StoredCRS) -> int | None:
    """The code of a raster's CRS; remembered, for GDAL takes long to find one that is not stated."""
    code: int | None = crs.to_epsg()
    return code


@cache
def _proj(crs: str) -> Proj:
    return Proj(CRS.from_user_input(crs))


def _title(crs: CRS) -> str:
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else (crs.name or "unnamed CRS")


def _short(err: Exception) -> str:
    return " ".join(str(err).split())[:120]
