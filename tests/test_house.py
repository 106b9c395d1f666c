"""The rules of the house that no linter knows: what may be imported where, what every file and line must carry."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from engine.backbones.cards import CARDS
from engine.backbones.core.spec import BackboneSpec

ROOT = Path(__file__).resolve().parent.parent
NOT_OURS = {".git", "node_modules", "vendor", "__pycache__"}  # git, npm, make, Python
WORKSPACE = ROOT / "runs"  # the jobs' own; pages/ui/runs is ours
NOT_OURS_STARTS = (
    ".venv",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".import_linter_cache",
    ".hypothesis",
)
MAX_LINES = 300
REQUIREMENT_FILES = sorted(ROOT.glob("requirements*.txt"))

# Registries' host names, each in two halves so that this file does not carry one.
REGISTRY_HOSTS = tuple(
    f"{name}.{domain}".encode()
    for name, domain in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("anaconda", "org"),
        ("download.pytorch", "org"),
        ("docker", "io"),
        ("ghcr", "io"),
    )
)


def our_files() -> Iterator[Path]:
    """Every file of the project, without what tools have made."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [
            name
            for name in folders
            if name not in NOT_OURS
            and not name.startswith(NOT_OURS_STARTS)
            and Path(folder, name) != WORKSPACE
        ]
        yield from (Path(folder) / name for name in names)


def our_modules() -> list[Path]:
    return sorted(path for path in our_files() if path.suffix == ".py")


def page_scripts() -> list[Path]:
    return [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))]


@cache
def imported_modules(path: Path) -> set[str]:
    """Full names of all modules that a file imports, at any depth of its code."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def requirement_lines() -> list[tuple[str, str, str]]:
    """(file, the line before, the requirement) for each requirement of each file."""
    rows = []
    for path in REQUIREMENT_FILES:
        before = ""
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip() and not line.startswith(("#", "-r ")):
                rows.append((path.name, before, line.strip()))
            before = line
    return rows


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_the_apps_process_never_imports_torch() -> None:
    ui = sorted((ROOT / "pages" / "ui").rglob("*.py"))
    modules = [
        name_of(path).removesuffix(".py").replace("/", ".") for path in ui if path.name != "__init__.py"
    ]
    assert modules
    script = (
        f"import importlib, sys\nfor name in {modules!r}:\n    importlib.import_module(name)\n"
        "sys.exit(','.join(m for m in ('torch', 'timm', 'torchvision') if m in sys.modules) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_no_file_is_longer_than_300_lines() -> None:
    long = {
        name_of(path): count
        for path in our_modules()
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > MAX_LINES
    }
    assert not long


def test_no_file_names_the_host_of_a_package_registry() -> None:
    assert not [f"{name_of(path)}: {host}" for path in our_files() for host in _hosts_in(path)]


def _hosts_in(path: Path) -> list[str]:
    """Registries that a file names; the plain search first takes a twentieth of a pattern's time and mostly finds none."""
    content = path.read_bytes().lower()
    return [
        host.decode()
        for host in REGISTRY_HOSTS
        if host in content and re.search(rb"(?<![\w-])" + re.escape(host) + rb"(?![\w-])", content)
    ]


def test_the_lock_file_of_the_map_libraries_is_exact_and_has_no_addresses() -> None:
    lock = (ROOT / "assets" / "package-lock.json").read_text(encoding="utf-8")
    asked = (ROOT / "assets" / "package.json").read_text(encoding="utf-8")
    assert "://" not in lock, "make lock writes it without addresses"
    versions = re.findall(r'"[@\w./-]+": "(\S*\d+\.\d+\.\d+\S*)"', asked)
    assert len(versions) >= 9
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions)


@pytest.mark.parametrize(("file", "before", "line"), requirement_lines())
def test_every_requirement_is_bounded_and_says_why_it_is_there(file: str, before: str, line: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9._-]+(==[\w.]+|>=[\w.]+,<[\w.]+)", line), (
        f"{file}: {line} needs two bounds"
    )
    assert before.startswith("# "), f"{file}: the line before {line} must say why it is there"
    assert not before.startswith("# ---"), f"{file}: the line before {line} must say why it is there"
    assert len(before.split()) >= 5, f"{file}: the reason for {line} is too short to be one"


def test_page_scripts_reach_the_engine_only_through_pages_ui() -> None:
    # The configuration's models and the card tables are shared words, open to every page.
    shared = ("engine.jobs.configuration.config", "engine.backbones.cards", "engine.backbones.core.spec")
    reaching = {
        f"{name_of(path)}: {module}"
        for path in page_scripts()
        for module in imported_modules(path)
        if module.startswith("engine.")
        and not any(
            f"{module}.".startswith(f"{name}.") or f"{name}.".startswith(f"{module}.") for name in shared
        )
    }
    assert not reaching


def test_nothing_imports_the_apps_frame() -> None:
    code = [
        path
        for path in our_modules()
        if path.is_relative_to(ROOT / "engine") or path.is_relative_to(ROOT / "pages")
    ]
    assert not [name_of(path) for path in code if "app" in imported_modules(path)]


def test_assets_are_read_and_never_imported() -> None:
    assert not [
        name_of(path)
        for path in our_modules()
        if any(m.split(".")[0] == "assets" for m in imported_modules(path))
    ]


def test_every_import_is_ours_standard_or_required() -> None:
    """A library that only a dependency brings may vanish with that dependency's next version."""
    required = {_plain(re.split(r"[=<>]", line)[0]) for _, _, line in requirement_lines()}
    known = {"engine", "pages", "tests", "app", *sys.stdlib_module_names}
    packages = _distributions()
    missing = {
        f"{name_of(path)}: {top}"
        for path in our_modules()
        for top in {module.split(".")[0] for module in imported_modules(path)} - known
        if not (packages.get(top, set()) | {top}) & (required | BROUGHT_BY_A_REQUIREMENT)
    }
    assert not missing


# Parts of a required library's own interface, released together with it.
BROUGHT_BY_A_REQUIREMENT = {
    "affine",  # rasterio's transforms
    "branca",  # folium's elements
    "jinja2",  # folium's templates
    "pandas",  # geopandas' tables
    "protobuf",  # the error that onnx raises on a damaged graph
    "starlette",  # Streamlit's server: routes of our own
    "torchvision",  # timm's transforms
    "websockets",  # Streamlit's server: the bench speaks to it
}


def _distributions() -> dict[str, set[str]]:
    """Import name -> names of the distributions that bring it."""
    from importlib.metadata import packages_distributions

    return {top: {_plain(name) for name in names} for top, names in packages_distributions().items()}


def _plain(name: str) -> str:
    """A distribution's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("card", CARDS.values(), ids=lambda card: card.name)
def test_every_backbone_card_names_its_licence_and_where_to_read_it(card: BackboneSpec) -> None:
    assert card.licence.strip(), (
        f"{card.name} has no licence; find it at the publisher's page before listing it"
    )
    if card.weights.is_published:  # our own code, under this project's licence
        assert card.licence_url.startswith("https://"), f"{card.name}: licence_url must be a page"


@pytest.fixture
def vendor_script() -> ModuleType:
    """assets/vendor.py as a module: assets are no package, so it is loaded from its path."""
    spec = importlib.util.spec_from_file_location("vendor_script", ROOT / "assets" / "vendor.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_missing_map_library_leaves_the_served_copies_as_they_were(
    vendor_script: ModuleType, tmp_path: Path
) -> None:
    served = tmp_path / "vendor"
    served.mkdir()
    (served / "leaflet.js").write_text("old")
    with pytest.raises(FileNotFoundError):
        vendor_script.vendor(tmp_path / "node_modules", served)
    assert (served / "leaflet.js").read_text() == "old"


def test_every_image_that_a_served_style_sheet_names_is_served_too() -> None:
    vendor = ROOT / "assets" / "static" / "vendor"
    sheets = list(vendor.rglob("*.css"))
    assert sheets, "the map libraries are not there: make test fetches them"
    wanted = [
        (sheet.parent / url).resolve()
        for sheet in sheets
        for url in re.findall(r"url\(['\"]?([^'\")]+)", sheet.read_text(encoding="utf-8"))
        if not url.startswith(("data:", "#"))
    ]
    assert wanted
    assert not [path for path in wanted if not path.is_file()]


def test_what_the_commands_of_the_readme_name_is_there() -> None:
    commands = re.findall(r"^ {4}python -m engine (.+)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    named = [
        ROOT / word for line in commands for word in line.split() if word.startswith(("assets/", "tests/"))
    ]
    assert len(named) >= 3
    for path in named:
        assert path.is_file() or list(path.glob("*.safetensors")), (
            f"{path} is no configuration and holds no case"
        )
