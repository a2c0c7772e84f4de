# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Fills the template of the page; all that comes from data is escaped."""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

_STATIC = Path(__file__).parent / 'static'
#: In the order in which they are joined; each uses those before it.
SCRIPTS = (
    'corrections.js',
    'store.js',
    'overlay.js',
    'legend.js',
    'tiles.js',
    'enlarged.js',
    'film.js',
    'main.js',
)


def render_page(facts: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """Write the page as one text that needs nothing else.

    A Content-Security-Policy names its style and its script by their hashes, and
    forbids everything else but images within the page.

    Args:
        facts: what the head of the page says: ``title``, ``sentence``, ``level``,
            ``figures`` (name to text), ``command``, ``source``, ``created``,
            ``version``, ``what`` (images or frames), ``remarks``.
        data: plain data that the script reads: ``key``, ``run``, ``source``,
            ``keypoints``, ``links``, ``images``.

    Returns:
        HTML.
    """
    style, script = _static('page.css'), _script()
    return (
        _environment()
        .get_template('page.html.j2')
        .render(
            facts=facts,
            data=data,
            style=style,
            script=script,
            style_hash=_hash(style),
            script_hash=_hash(script),
        )
    )


def render_preview(**known: Any) -> str:
    """Write what a notebook shows of a page: a link and its first images.

    Args:
        **known: ``path`` of the page, ``title``, ``sentence``, ``number``,
            ``megabytes``, ``colors`` and ``images``, see :class:`PageImage`.

    Returns:
        HTML.
    """
    return _environment().get_template('preview.html.j2').render(**known)


@cache
def _environment() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(_STATIC)
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.trim_blocks = environment.lstrip_blocks = True
    # Names that are no UTF-8 stay ASCII escapes.
    environment.policies['json.dumps_kwargs'] = {'separators': (',', ':')}
    return environment


def _script() -> str:
    """All scripts as one, whose names nobody else sees."""
    parts = '\n'.join(_static(name) for name in SCRIPTS)
    return f"'use strict';\n(() => {{\n{parts}}})();\n"


def _static(name: str) -> str:
    return (_STATIC / name).read_text(encoding='utf-8')


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
