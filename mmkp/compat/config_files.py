"""How MMEngine opens configs, and where it looks for those of this package."""

import builtins
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.config import config as config_module

#: Called with the text of a config and its file name, returns the text to be read.
Edit = Callable[[str, str], str]
_edit: ContextVar[Edit | None] = ContextVar('edit_of_configs', default=None)


def read_configs() -> bool:
    """Let MMEngine find the configs of this package, and read what editors write.

    ``_base_ = 'mmkp::...'``: MMEngine allows it for the packages of a table, wants a
    folder in the name, and gives what is inherited the scope ``mmkp``, in which nothing
    is registered: types of this package are MMPose's. And a config may begin with a
    byte order mark, which editors on Windows write: MMEngine decodes plain UTF-8, and
    Python's parser then refuses the first character. Through the same door
    :func:`edited_configs` changes a text before it is read.

    Upstream: open-mmlab/mmengine#1410, #1581 for the names; the mark, in
    mmengine/config/config.py of MMEngine 0.10, is unreported.

    Returns:
        Whether it had to be mended: always, but once.
    """
    if getattr(config_module, 'open', None) is _open_config:
        return False
    config_module.open = _open_config
    upstream = Config._get_cfg_path

    def get_cfg_path(cfg_path: str, filename: str) -> tuple[str, str | None]:
        if str(cfg_path).startswith('mmkp::'):
            from mmkp.engine.config_names import find_config

            return str(find_config(cfg_path)), None
        return upstream(cfg_path, filename)

    Config._get_cfg_path = staticmethod(get_cfg_path)
    return True


@contextmanager
def edited_configs(edit: Edit) -> Iterator[None]:
    """Pass each config, also one that is inherited from, through ``edit``."""
    token = _edit.set(edit)
    try:
        yield
    finally:
        _edit.reset(token)


def _open_config(file: Any, mode: str = 'r', *args: Any, **kwargs: Any) -> Any:
    if mode not in ('r', 'rt') or kwargs.get('encoding') != 'utf-8':
        return builtins.open(file, mode, *args, **kwargs)
    text = Path(file).read_text(encoding='utf-8-sig')
    edit = _edit.get()
    return io.StringIO(text if edit is None else edit(text, str(file)))
