"""Code of others that the browser needs, served from the installed packages: nothing is fetched from elsewhere."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route

PLOTLY_PATH = "vendor/plotly.min.js"
_A_YEAR = "public, max-age=31536000, immutable"  # the address names the version


def plotly_address() -> str:
    """Relative to the address of any page."""
    return f"{PLOTLY_PATH}?v={version('plotly')}"


def _plotly_file() -> Path:
    """Found without importing the package, which takes a while and is not needed for drawing."""
    found = find_spec("plotly")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "package_data" / "plotly.min.js"


async def _plotly(_: Request) -> FileResponse:
    """Plotly.js under the MIT licence; the file begins with its notice and ends with those of what it contains."""
    return FileResponse(_plotly_file(), media_type="text/javascript", headers={"Cache-Control": _A_YEAR})


ROUTES = [Route(f"/{PLOTLY_PATH}", _plotly)]
