# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""How OpenPose and its ports name their modules, and how mmkp does.

L1 and L2 are the branches of fields and of heatmaps in the networks of CVPR 2017, and
of heatmaps and of fields in BODY_25.
"""

import re
from collections.abc import Iterable
from enum import Enum

from mmkp.converters.names import Rule
from mmkp.converters.vgg19 import VGG19_LAYERS

BACKBONE = 'backbone.layers'
STAGES = 'head.stages'
#: What data parallelism and a port's modules put before Caffe's names.
PREFIX = r'(module\.)?(model\d(_[12])?\.(?=M?(conv|prelu)\d))?'


class Layout(Enum):
    """Whose names a file uses; the value is what users call it."""

    TWO_BRANCH = 'OpenPose COCO or MPI, Caffe names'
    BODY_25 = 'OpenPose BODY_25, Caffe names'
    SEQUENTIAL = 'OpenPose COCO or MPI, numbered layers'
    LIGHTWEIGHT = 'Lightweight OpenPose'
    VGG19 = 'VGG19 of torchvision'


_BRANCHES = {'1': 'field_branches', '2': 'heatmap_branches'}
_DENSE_STAGES = {'1': 'heatmap_stages', '2': 'field_stages'}
#: A layer's convolution and the slopes behind it.
_PLACES = {'conv': 0, 'prelu': 1}
_MAPS = {'heatmaps': 'heatmaps', 'pafs': 'fields'}
_SEQUENTIAL_TRUNK = {str(index): layer for layer, index in VGG19_LAYERS.items()} | {
    '23': 'conv4_3_CPM',
    '25': 'conv4_4_CPM',
}


def _branch_layer(branch: str, stage: int, layer: str) -> str:
    # Each convolution but the last is followed by a ReLU, which counts as a layer.
    return f'{STAGES}.{_BRANCHES[branch]}.{stage}.{2 * int(layer) - 2}'


def _dense_layer(found: re.Match) -> str:
    kind, layer, stage, branch, repeat = found.groups()
    place = f'blocks.{int(layer) - 1}.convolutions.{repeat}.{_PLACES[kind]}'
    return f'{STAGES}.{_DENSE_STAGES[branch]}.{stage}.{place}'


def _light_layer(found: re.Match) -> str:
    *stage, maps, layer = found.groups()
    place = f'refinements.{stage[0]}' if stage else 'initial'
    return f'{STAGES}.{place}.{_MAPS[maps]}.{("0.0", "1")[int(layer)]}'


_CAFFE_TRUNK: Rule = (r'((?:conv|prelu)[1-4]_\d(?:_CPM)?)', rf'{BACKBONE}.\1')

RULES: dict[Layout, tuple[Rule, ...]] = {
    Layout.TWO_BRANCH: (
        _CAFFE_TRUNK,
        (r'conv5_(\d)_CPM_L([12])', lambda m: _branch_layer(m[2], 0, m[1])),
        (
            r'Mconv(\d)_stage(\d+)_L([12])',
            lambda m: _branch_layer(m[3], int(m[2]) - 1, m[1]),
        ),
    ),
    Layout.BODY_25: (
        _CAFFE_TRUNK,
        (r'M(conv|prelu)(\d)_stage(\d+)_L([12])_([0-2])', _dense_layer),
        (
            r'M(conv|prelu)6_stage(\d+)_L([12])',
            lambda m: f'{STAGES}.{_DENSE_STAGES[m[3]]}.{m[2]}.hidden.{_PLACES[m[1]]}',
        ),
        (
            r'Mconv7_stage(\d+)_L([12])',
            lambda m: f'{STAGES}.{_DENSE_STAGES[m[2]]}.{m[1]}.output',
        ),
    ),
    Layout.SEQUENTIAL: (
        (
            rf'model0\.({"|".join(_SEQUENTIAL_TRUNK)})',
            lambda m: f'{BACKBONE}.{_SEQUENTIAL_TRUNK[m[1]]}',
        ),
        (
            r'model([1-9])_([12])\.(\d+)',
            lambda m: f'{STAGES}.{_BRANCHES[m[2]]}.{int(m[1]) - 1}.{m[3]}',
        ),
    ),
    Layout.LIGHTWEIGHT: (
        (r'model\.(\d+\.\d)', rf'{BACKBONE}.\1'),
        (r'cpm\.(align\.0|trunk\.\d\.\d)', rf'{STAGES}.adapter.\1'),
        (r'cpm\.conv\.0', f'{STAGES}.adapter.output.0'),
        (r'initial_stage\.(trunk\.\d\.0)', rf'{STAGES}.initial.\1'),
        (r'refinement_stages\.(\d+\.trunk\..+)', rf'{STAGES}.refinements.\1'),
        (r'initial_stage\.(heatmaps|pafs)\.([01])\.0', _light_layer),
        (r'refinement_stages\.(\d+)\.(heatmaps|pafs)\.([01])\.0', _light_layer),
    ),
}


def detect_layout(names: Iterable[str]) -> Layout:
    """Recognise a layout.

    Args:
        names: of all parameters, without :data:`PREFIX`.

    Returns:
        The layout. That all names belong to it is not checked.

    Raises:
        ValueError: none of those known.
    """
    known = set(names)
    if 'conv1_1.weight' in known:
        dense = any(re.match(r'Mconv\d_stage\d+_L[12]_\d\.', name) for name in known)
        return Layout.BODY_25 if dense else Layout.TWO_BRANCH
    for name, layout in (
        ('model0.0.weight', Layout.SEQUENTIAL),
        ('initial_stage.trunk.0.0.weight', Layout.LIGHTWEIGHT),
        ('features.21.weight', Layout.VGG19),
    ):
        if name in known:
            return layout
    examples = ', '.join(sorted(known)[:3]) or 'no weights'
    raise ValueError(
        'it is neither of OpenPose (COCO, MPI, BODY_25) nor of Lightweight OpenPose '
        f"nor torchvision's VGG19: it holds {examples}, ..."
    )
