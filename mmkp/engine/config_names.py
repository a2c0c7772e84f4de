"""Where a config lies that is named by its path or, if it is ours, by a short name."""

import os
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

import mmkp

SUFFIXES = ('.py', '.json', '.yaml', '.yml')
# A folder may be anything, also the root of a disk.
_MOST_FILES = 2000


def configs_folder() -> Path:
    """The folder ``configs`` of this package: of the checkout, or as installed."""
    package = Path(mmkp.__file__).resolve().parent
    for root in (package.parent, package / '.mim'):
        if (root / 'model-index.yml').is_file() and (root / 'configs').is_dir():
            return root / 'configs'
    return package / '.mim' / 'configs'


def find_config(name: str | Path) -> Path:
    """Find a config.

    Args:
        name: a file; or one of this package's: ``mmkp::`` and its path below
            ``configs``, or the bare name of its file; ``.py`` may be left out.

    Returns:
        The file.

    Raises:
        FileNotFoundError: there is no such config; the message has the nearest name.
        ValueError: the file cannot be a config.
    """
    path = Path(name).expanduser()
    scope, separator, rest = str(name).partition('::')
    if path.is_file():
        if path.suffix.lower() not in SUFFIXES:
            raise ValueError(
                f"'{path}' is no config, which ends in {', '.join(SUFFIXES)}: name "
                'the config first, then the checkpoint'
            )
        return path
    if separator and scope == 'mmkp':
        found = _packaged(rest)
    elif separator:
        return _of_another_package(str(name))
    else:
        found = _packaged(str(name))
    if found is None:
        raise FileNotFoundError(_where_is(name, Path(rest) if separator else path))
    return found


def _of_another_package(name: str) -> Path:
    from mmengine.config import Config

    try:
        return Path(Config._get_cfg_path(name, '')[0])
    except (AssertionError, ImportError, KeyError, ValueError, OSError) as error:
        raise FileNotFoundError(f"config '{name}' does not exist: {error}") from error


def _packaged(name: str) -> Path | None:
    """One of this package's configs, None where there is none of that name."""
    folder = configs_folder()
    name = name.removeprefix('./').removeprefix('configs/')
    for spelt in (name, f'{name}.py'):
        if spelt.endswith('.py') and (folder / spelt).is_file():
            return folder / spelt
    if '/' in name or os.sep in name:
        return None
    stem = name.removesuffix('.py')
    return next((path for path in _own_configs() if path.stem == stem), None)


def _own_configs() -> list[Path]:
    return sorted(
        path for path in configs_folder().rglob('*.py') if '_base_' not in path.parts
    )


def _where_is(name: str | Path, path: Path) -> str:
    """What to say about a config that is not there."""
    if path.is_dir():
        return f"config '{name}' is a folder: name a config in it"
    choices = {path.stem: str(path) for path in _own_configs()}
    choices |= {Path(found).stem: found for found in _files_of(path.parent)}
    near = get_close_matches(path.stem, choices, 1, cutoff=0.6)
    hint = f"did you mean '{choices[near[0]]}'?" if near else ''
    return f"config '{name}' does not exist, " + (
        hint or f'those of mmkp lie in {configs_folder()}'
    )


def _files_of(folder: Path) -> Iterable[str]:
    """Configs in a folder itself; none where it cannot be listed."""
    try:
        with os.scandir(folder) as entries:
            for _, entry in zip(range(_MOST_FILES), entries, strict=False):
                if entry.name.endswith(SUFFIXES):
                    yield str(folder / entry.name)
    except OSError:
        return
