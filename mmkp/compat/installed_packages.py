"""setuptools 82 and later, which no longer brings ``pkg_resources``."""

import importlib.util
import sys
from importlib import metadata
from pathlib import Path


def find_packages_without_setuptools() -> bool:
    """Let MMEngine find installed packages although ``pkg_resources`` is gone.

    MMEngine asks ``pkg_resources`` where a package is installed, for every config that
    inherits from ``'mmpose::...'`` and for model names in the inferencers. Its two
    functions are replaced by ones over :mod:`importlib`.

    Upstream: open-mmlab/mmengine#1676 (merged, not released).

    Returns:
        Whether the functions had to be replaced.
    """
    if importlib.util.find_spec('pkg_resources') is not None:
        return False
    import mmengine.utils.package_utils as upstream

    if upstream.is_installed is is_installed:
        return False
    for ours in (is_installed, get_installed_path):
        theirs = getattr(upstream, ours.__name__)
        # MMEngine's modules import these names from one another.
        for name, module in list(sys.modules.items()):
            if name.partition('.')[0] != 'mmengine':
                continue
            if vars(module).get(ours.__name__) is theirs:
                setattr(module, ours.__name__, ours)
    return True


def is_installed(package: str) -> bool:
    """Whether a distribution or module of this name can be found.

    Args:
        package: Name of a distribution (``mmcv-lite``) or module (``mmcv``).

    Returns:
        False for namespace packages too, as in MMEngine.
    """
    try:
        metadata.distribution(package)
    except metadata.PackageNotFoundError:
        spec = importlib.util.find_spec(package)
        return spec is not None and spec.origin is not None
    return True


def get_installed_path(package: str) -> str:
    """Return the folder of an installed package.

    Args:
        package: Name of a distribution (``mmcv-lite``) or module (``mmcv``).

    Returns:
        Path of the folder that holds the package's ``__init__.py``.

    Raises:
        importlib.metadata.PackageNotFoundError: Where there is no such package.
        RuntimeError: Where it is a namespace package, which has no single folder.
    """
    module = package
    if not package.isidentifier() or importlib.util.find_spec(package) is None:
        top_level = metadata.distribution(package).read_text('top_level.txt') or ''
        module = top_level.split('\n')[0] or package.replace('-', '_')
    spec = importlib.util.find_spec(module)
    if spec is None:
        raise metadata.PackageNotFoundError(package)
    if spec.origin is None:
        raise RuntimeError(f'{package} is a namespace package, which has no path')
    return str(Path(spec.origin).parent)
