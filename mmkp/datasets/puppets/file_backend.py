# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Pictures of puppets as files that need no disk.

MMPose's visualization hooks read the picture of a sample again, from its
``img_path``. So that they work with pictures that are drawn and never stored,
``puppets://seed=3&figures=2/000012.png`` names one, and MMEngine's file layer
(and with it ``mmcv.imread``) learns to draw it.
"""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import cv2
from mmengine.fileio import BaseStorageBackend, register_backend

from .scene import render
from .settings import PuppetSettings

_PREFIX = 'puppets://'


def puppet_uri(settings: PuppetSettings, index: int) -> str:
    """Name a picture.

    Args:
        settings (PuppetSettings): What the pictures show.
        index (int): Number of the image, from 0.

    Returns:
        str: ``puppets://<settings that are not the default>/<index>.png``.
    """
    changed = {
        field.name: json.dumps(getattr(settings, field.name))
        for field in fields(settings)
        if field.name == 'seed' or getattr(settings, field.name) != field.default
    }
    return f'{_PREFIX}{urlencode(changed, safe="[],")}/{index:06d}.png'


def parse_puppet_uri(uri: str) -> tuple[PuppetSettings, int]:
    """Tell which picture a name stands for.

    Args:
        uri (str): As made by :func:`puppet_uri`.

    Returns:
        tuple[PuppetSettings, int]: The settings and the image's number.

    Raises:
        ValueError: If the name is not of this form or a setting is unknown.
    """
    query, _, name = str(uri).removeprefix(_PREFIX).partition('/')
    known = {field.name for field in fields(PuppetSettings)}
    values = dict(parse_qsl(query))
    if not Path(name).stem.isdecimal() or not known.issuperset(values):
        raise ValueError(
            f'{uri!r} names no picture of puppets; the form is '
            f'{_PREFIX}seed=0&background=clutter/000012.png with any of '
            f'{sorted(known)}'
        )
    settings = PuppetSettings(**{key: _parse(value) for key, value in values.items()})
    return settings, int(Path(name).stem)


def _parse(value: str) -> Any:
    """Read a JSON value; anything else is taken as a word."""
    try:
        parsed = json.loads(value)
    except json.JSONDecodeError:
        return value
    return tuple(parsed) if isinstance(parsed, list) else parsed


@register_backend('puppets', prefixes='puppets', force=True)
class PuppetBackend(BaseStorageBackend):
    """Storage backend that draws the pictures it is asked for."""

    def get(self, filepath: str | Path) -> bytes:
        """Draw a picture.

        Args:
            filepath (str | Path): As made by :func:`puppet_uri`.

        Returns:
            bytes: The picture as PNG.
        """
        scene = render(*parse_puppet_uri(str(filepath)))
        _, content = cv2.imencode('.png', scene.image)
        return content.tobytes()

    def get_text(self, filepath: str | Path, encoding: str = 'utf-8') -> str:
        """Refuse: a picture is no text."""
        raise ValueError(f'{filepath} is a picture, not a text')
