"""Published endmember spectra at the six HLS bands, and the linear mixture of them.

Values are means over the OLI band passes (0.45-0.515, 0.525-0.60, 0.63-0.68, 0.845-0.885, 1.56-1.66, 2.10-2.30 um)
of measured or modelled spectra that the earthlib 1.1.0 library (C. Anderson, MIT) gathers under the names given:

JFSP     field spectra of burned and unburned surfaces, Joint Fire Science Program, "Assessing the causes,
         consequences and spatial variability of burn severity" (frames.gov/assessing-burn-severity/spectral-library)
ICRAF    ICRAF-ISRIC soil VNIR spectral library (World Agroforestry and ISRIC, 2010), dry soil in the laboratory
SB       urban reflectance spectra from Santa Barbara, California (Herold, Roberts, Gardner and Dennison 2004)
HYSPIRI  HyspIRI airborne campaign canopy spectra, San Joaquin Experimental Range and Sierra Nevada
PROSAIL  2000 canopies modelled with PROSAIL (Jacquemoud et al. 2009)
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

BANDS = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")
NIR, SWIR_2 = BANDS.index("nir_narrow"), BANDS.index("swir_2")


class Endmember(IntEnum):
    """Row of `SPECTRA`, and channel of every array of fractions."""

    SHADE = 0
    GREEN = 1
    GREEN_CROP = 2
    NEEDLES = 3
    DRY_GRASS = 4
    STRAW = 5
    SLASH = 6
    SOIL = 7
    SCORCHED = 8
    CHAR = 9
    CHARRED_SOIL = 10
    ASH = 11
    ROCK = 12
    SAND = 13
    ASPHALT = 14
    ROOF = 15
    WATER = 16
    MURKY_WATER = 17
    BASALT = 18
    BROWN_WATER = 19
    OTHER_SOIL = 20
    TILES = 21
    BLACKENED = 22


# (K, 6) reflectance; columns in the order of BANDS. The rows of SOIL and OTHER_SOIL are replaced
# by mixtures of SOILS at each location.
SPECTRA = np.array(
    [
        [0.000, 0.000, 0.000, 0.000, 0.000, 0.000],  # SHADE: photometric shade (Adams and Gillespie 2006)
        [0.025, 0.068, 0.032, 0.445, 0.169, 0.058],  # GREEN: PROSAIL, median of each band
        [0.028, 0.085, 0.041, 0.515, 0.202, 0.073],  # GREEN_CROP: PROSAIL, 70th to 90th percentile of NIR
        [0.038, 0.064, 0.102, 0.241, 0.197, 0.105],  # NEEDLES: JFSP deadneed (2), deadpond, deaddoug
        [
            0.070,
            0.113,
            0.162,
            0.271,
            0.392,
            0.264,
        ],  # DRY_GRASS: HYSPIRI San Joaquin NPV, T009 T010 T012 T015 T016
        [
            0.096,
            0.115,
            0.134,
            0.197,
            0.354,
            0.298,
        ],  # STRAW: JFSP woodstrw, straw mulch weathering on the ground
        [0.079, 0.109, 0.147, 0.240, 0.358, 0.260],  # SLASH: JFSP wdslash
        [0.110, 0.189, 0.273, 0.361, 0.479, 0.429],  # SOIL: ICRAF, median brightness (placeholder, see above)
        [0.039, 0.064, 0.115, 0.250, 0.243, 0.133],  # SCORCHED: JFSP scorch_psme, scorched Douglas fir
        [0.016, 0.016, 0.017, 0.022, 0.059, 0.099],  # CHAR: JFSP black_charwood, barkchar, cooney_charwood
        [0.048, 0.058, 0.069, 0.099, 0.237, 0.301],  # CHARRED_SOIL: JFSP charsoil (2)
        [0.101, 0.123, 0.143, 0.188, 0.302, 0.340],  # ASH: JFSP ash (2)
        [0.142, 0.178, 0.195, 0.213, 0.259, 0.221],  # ROCK: SB gravel mugexx (3)
        [0.185, 0.246, 0.277, 0.302, 0.377, 0.374],  # SAND: SB beach sand lbxsxx (39)
        [0.087, 0.103, 0.114, 0.123, 0.151, 0.148],  # ASPHALT: SB roads, mean of 170
        [0.114, 0.137, 0.153, 0.153, 0.146, 0.136],  # ROOF: SB composite shingle, mean of 353
        [
            0.028,
            0.030,
            0.018,
            0.009,
            0.006,
            0.005,
        ],  # WATER: approximate, clear lake in Landsat surface reflectance
        [0.050, 0.078, 0.074, 0.026, 0.011, 0.008],  # MURKY_WATER: approximate, lake with suspended sediment
        [0.052, 0.058, 0.062, 0.068, 0.078, 0.078],  # BASALT: approximate, weathered dark lava
        [0.012, 0.016, 0.020, 0.012, 0.006, 0.004],  # BROWN_WATER: approximate, lake coloured by peat
        [0.110, 0.189, 0.273, 0.361, 0.479, 0.429],  # OTHER_SOIL: as SOIL, drawn anew
        [
            0.075,
            0.105,
            0.190,
            0.250,
            0.330,
            0.310,
        ],  # TILES: our own judgement of weathered red tile roofs, not read from a table
        # BLACKENED: approximate; grass and litter under a film of soot, dark at all wavelengths, of the shape of DRY_GRASS
        [0.040, 0.052, 0.066, 0.105, 0.175, 0.145],
    ],
    dtype=np.float64,
)

# (4, 6) bare soils, from which each place draws its own mixture.
SOILS = np.array(
    [
        [0.097, 0.142, 0.179, 0.250, 0.394, 0.411],  # SB bare dirt lcxnxx (9)
        [0.134, 0.182, 0.206, 0.230, 0.296, 0.268],  # SB soil lrxnxx (17)
        [0.048, 0.080, 0.123, 0.163, 0.206, 0.208],  # ICRAF, the darkest twentieth
        [0.111, 0.189, 0.273, 0.361, 0.479, 0.429],  # ICRAF, middle tenth of brightness
    ],
    dtype=np.float64,
)

# (3, 6) soils that the laboratory's collections hold few of: red laterite, black vertisol, pale marl. Approximate readings of
# published spectra of such soils (Stoner and Baumgardner 1981, Soil Sci. Soc. Am. J. 45, 1161-1165), not of a table.
RARER_SOILS = np.array(
    [
        [0.045, 0.075, 0.145, 0.235, 0.330, 0.270],
        [0.030, 0.042, 0.055, 0.085, 0.120, 0.115],
        [0.200, 0.260, 0.320, 0.390, 0.480, 0.450],
    ],
    dtype=np.float64,
)
RARER_PARTS = (1.0, 0.7, 0.5)
WATERS = (Endmember.WATER, Endmember.MURKY_WATER, Endmember.BROWN_WATER)
SILT = np.array([0.6, 1.0, 1.1, 0.6, 0.1, 0.05])  # what suspended sediment adds to water, relative to green


def local_spectra(
    rng: np.random.Generator, soils: tuple[float, float, float, float] = (0.5, 1.3, 1.2, 0.9)
) -> np.ndarray:
    """The endmembers of one place: its two soils and its waters, and every spectrum brighter or darker than the table.

    How far they vary is our own judgement, not measured.

    Args:
        soils: how strongly each of `SOILS` takes part, as parameters of a Dirichlet distribution.

    Returns:
        (K, 6) float64.
    """
    spectra = SPECTRA * rng.lognormal(0.0, 0.08, size=(len(SPECTRA), 1))
    tilt = rng.normal(0.0, 0.04, size=(len(SPECTRA), 1)) * np.linspace(-1.0, 1.0, len(BANDS))
    spectra *= 1.0 + tilt
    place = rng.spawn(1)[0]  # of its own, so that the draws that follow stay those of version 2
    spectra *= place.lognormal(0.0, 0.12, size=(len(SPECTRA), 1)) * place.lognormal(
        0.0, 0.04, size=spectra.shape
    )
    spectra *= 1.0 + place.normal(0.0, 0.06, size=(len(SPECTRA), 1)) * np.linspace(-1.0, 1.0, len(BANDS))
    _vary_waters(place, spectra)
    for soil in (Endmember.SOIL, Endmember.OTHER_SOIL):
        usual = (rng.dirichlet(soils) @ SOILS) * rng.lognormal(0.0, 0.15)
        part = place.beta(0.6, 1.4)
        rarer = place.dirichlet(RARER_PARTS) @ RARER_SOILS
        spectra[soil] = ((1.0 - part) * usual + part * rarer) * place.lognormal(0.0, 0.15)
    return spectra


def _vary_waters(rng: np.random.Generator, spectra: np.ndarray) -> None:
    """Waters of very different brightness and colour, the murky one with silt: from black lakes to brown estuaries."""
    for water in WATERS:
        spectra[water] *= rng.lognormal(0.1, 0.45) * (
            1.0 + rng.normal(0.0, 0.25) * np.linspace(-1.0, 1.0, len(BANDS))
        )
    spectra[Endmember.MURKY_WATER] += rng.uniform(0.0, 0.05) * SILT


def mix(fractions: np.ndarray, spectra: np.ndarray) -> np.ndarray:
    """Reflectance of linear mixtures.

    Args:
        fractions: (K, H, W), summing to one over K.
        spectra: (K, 6).

    Returns:
        (6, H, W) float32.
    """
    count, height, width = fractions.shape
    mixed: np.ndarray = spectra.T.astype(np.float32) @ fractions.reshape(count, height * width)
    return mixed.reshape(len(BANDS), height, width)
