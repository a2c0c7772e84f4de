# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Configs that find what lies beside them wherever their folder is moved."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from pprint import pformat
from typing import Any

from mmengine.config import Config

#: Keys of files that a model cannot predict without.
NEEDED = ('scene',)


def write_portable_config(cfg: Config, path: Path) -> None:
    """Write a config, with the files that its pipelines need beside it.

    Paths below its folder are written as MMEngine's ``{{ fileDirname }}``.

    Args:
        cfg: the config.
        path: file to write; its folder gets copies of the pictures of empty scenes.
    """
    content = cfg.to_dict()
    text = ''.join(f'{key} = {pformat(value)}\n' for key, value in content.items())
    for file in sorted({Path(name) for name in _needed(content)}):
        if file.is_file() and file.resolve().parent != path.parent.resolve():
            shutil.copyfile(file, path.parent / file.name)
            text = text.replace(f"'{file}'", f"'{path.parent / file.name}'")
    text = text.replace(f"'{path.parent}/", "'{{ fileDirname }}/")
    path.write_text(text, encoding='utf-8')


def _needed(content: Any) -> Iterator[str]:
    """Values of the keys of needed files, at any depth."""
    if isinstance(content, dict):
        for key, value in content.items():
            if key in NEEDED and isinstance(value, str):
                yield value
            yield from _needed(value)
    elif isinstance(content, list | tuple):
        for value in content:
            yield from _needed(value)
