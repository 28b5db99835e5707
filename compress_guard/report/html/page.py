"""The HTML file of a report: the templates, filled in. Everything is inside, and nothing is fetched."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Final

from compress_guard import __version__
from compress_guard.destination import replace
from compress_guard.errors import RunError, error_text
from compress_guard.report.html.chart import HEIGHT, WIDTH
from compress_guard.report.html.contents import RunContents
from compress_guard.report.html.guard import guard_views
from compress_guard.report.html.headline import Headline, facts
from compress_guard.report.html.tables import environment_table

TEMPLATES: Final = Path(__file__).parent / "templates"


def page(run: RunContents) -> str:
    """Return the report on a run as one HTML document.

    Its policy allows no request, and only the script and the style that are part of the package.
    """
    # On first use: a run without a report does without.
    import jinja2
    import markupsafe

    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    guards = list(guard_views(run, with_pictures=True))
    style, script = (_inline(name) for name in ("style.css", "script.js"))
    return templates.get_template("page.html.j2").render(
        style=markupsafe.Markup(style),  # noqa: S704 - a file of the package
        script=markupsafe.Markup(script),  # noqa: S704 - a file of the package
        style_hash=_source_hash(style),
        script_hash=_source_hash(script),
        headline=Headline.of(run),
        facts=tuple(facts(run)),
        guards=guards,
        pictured=any(cell.images for guard in guards for cell in guard.cells),
        environment=environment_table(run.environment),
        size=(WIDTH, HEIGHT),
        version=__version__,
    )


def write_page(path: Path, run: RunContents) -> None:
    """Write the report on a run to a file, as a whole or not at all; raises `RunError` if it cannot be written."""
    write_report(path, page(run))


def write_report(path: Path, text: str) -> None:
    """Replace a file by a text; raises `RunError` if it cannot be written."""
    try:
        replace(path, text.encode("utf-8", "backslashreplace"))
    except OSError as problem:
        why = problem.strerror or error_text(problem)
        raise RunError(
            f"{path}: the report cannot be written ({why}); name a file in a folder that can be written"
        ) from problem


def _inline(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _source_hash(text: str) -> str:
    """Return the hash by which a Content-Security-Policy allows an inline text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
