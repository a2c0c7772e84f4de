# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""How OpenPose and its ports name their parameters, and how mmkp does.

L1 and L2 are the branches of fields and of heatmaps in the networks of CVPR 2017, and
of heatmaps and of fields in BODY_25.
"""

import re
from collections.abc import Iterable
from enum import Enum

from mmkp.models.backbones.vgg19_weights import VGG19_LAYERS

BACKBONE = 'backbone.layers.'
STAGES = 'head.stages.'


class Layout(Enum):
    """Whose names a file uses; the value is what users call it."""

    TWO_BRANCH = 'OpenPose COCO or MPI, Caffe names'
    BODY_25 = 'OpenPose BODY_25, Caffe names'
    SEQUENTIAL = 'OpenPose COCO or MPI, numbered layers'
    LIGHTWEIGHT = 'Lightweight OpenPose'
    VGG19 = 'VGG19 of torchvision'


def detect_layout(names: Iterable[str]) -> Layout:
    """Recognise a layout.

    Args:
        names: of all parameters, as :func:`plain_name` gives them.

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
    examples = ', '.join(sorted(known)[:3]) or 'nothing'
    raise ValueError(
        'it is neither of OpenPose (COCO, MPI, BODY_25) nor of Lightweight OpenPose '
        f"nor torchvision's VGG19: it holds {examples}, ..."
    )


def plain_name(name: str) -> str:
    """Remove what data parallelism and a port's modules put before Caffe's names."""
    name = name.removeprefix('module.')
    caffe = re.fullmatch(r'model\d(?:_[12])?\.(M?(?:conv|prelu)\d.*)', name)
    return caffe[1] if caffe else name


def translate(name: str, layout: Layout) -> str | None:
    """Name a parameter as mmkp does.

    Args:
        name: as :func:`plain_name` gives it.
        layout: of the file, any but VGG19.

    Returns:
        Its name in a pose estimator; None if it is none of the network's.
    """
    if layout is Layout.LIGHTWEIGHT:
        return _translate_lightweight(name)
    if layout is Layout.SEQUENTIAL:
        return _translate_sequential(name)
    if found := re.fullmatch(r'((?:conv|prelu)[1-4]_\d(?:_CPM)?\.\w+)', name):
        return f'{BACKBONE}{found[1]}'
    if layout is Layout.BODY_25:
        return _translate_dense(name)
    return _translate_two_branch(name)


def _translate_two_branch(name: str) -> str | None:
    if found := re.fullmatch(r'conv5_(\d)_CPM_L([12])\.(\w+)', name):
        layer, branch, kind = found.groups()
        stage = 0
    elif found := re.fullmatch(r'Mconv(\d)_stage(\d+)_L([12])\.(\w+)', name):
        layer, branch, kind = found[1], found[3], found[4]
        stage = int(found[2]) - 1
    else:
        return None
    kind_of_maps = {'1': 'field', '2': 'heatmap'}[branch]
    # Each convolution but the last is followed by a ReLU, which counts as a layer.
    return f'{STAGES}{kind_of_maps}_branches.{stage}.{2 * int(layer) - 2}.{kind}'


def _translate_dense(name: str) -> str | None:
    found = re.fullmatch(
        r'M(conv|prelu)(\d)_stage(\d+)_L([12])(?:_([0-2]))?\.(\w+)', name
    )
    if not found:
        return None
    operation, layer, stage, branch, repeat, kind = found.groups()
    kind_of_maps = {'1': 'heatmap', '2': 'field'}[branch]
    place = {'conv': 0, 'prelu': 1}[operation]
    prefix = f'{STAGES}{kind_of_maps}_stages.{stage}'
    if repeat:
        block = int(layer) - 1
        return f'{prefix}.blocks.{block}.convolutions.{repeat}.{place}.{kind}'
    if layer == '6':
        return f'{prefix}.hidden.{place}.{kind}'
    return f'{prefix}.output.{kind}' if (operation, layer) == ('conv', '7') else None


def _translate_sequential(name: str) -> str | None:
    by_index = {index: layer for layer, index in VGG19_LAYERS.items()}
    by_index |= {23: 'conv4_3_CPM', 25: 'conv4_4_CPM'}
    if found := re.fullmatch(r'model0\.(\d+)\.(\w+)', name):
        layer = by_index.get(int(found[1]))
        return f'{BACKBONE}{layer}.{found[2]}' if layer else None
    if found := re.fullmatch(r'model([1-9])_([12])\.(\d+\.\w+)', name):
        kind_of_maps = {'1': 'field', '2': 'heatmap'}[found[2]]
        return f'{STAGES}{kind_of_maps}_branches.{int(found[1]) - 1}.{found[3]}'
    return None


#: Patterns of Lightweight OpenPose's names and what they become.
_LIGHTWEIGHT = (
    (r'model\.(\d+\.\d\.\w+)', rf'{BACKBONE}\1'),
    (r'cpm\.((?:align\.0|trunk\.\d\.\d)\.\w+)', rf'{STAGES}adapter.\1'),
    (r'cpm\.conv\.(0\.\w+)', rf'{STAGES}adapter.output.\1'),
    (r'initial_stage\.(trunk\.\d\.0\.\w+)', rf'{STAGES}initial.\1'),
    (r'refinement_stages\.(\d+\.trunk\..+)', rf'{STAGES}refinements.\1'),
)


def _translate_lightweight(name: str) -> str | None:
    for pattern, replacement in _LIGHTWEIGHT:
        if re.fullmatch(pattern, name):
            return re.sub(pattern, replacement, name)
    found = re.fullmatch(
        r'(initial_stage|refinement_stages\.\d+)\.(heatmaps|pafs)\.([01])\.0\.(\w+)',
        name,
    )
    if not found:
        return None
    stage = found[1].replace('_stages', 's').replace('initial_stage', 'initial')
    branch = 'heatmaps' if found[2] == 'heatmaps' else 'fields'
    place = {'0': '0.0', '1': '1'}[found[3]]
    return f'{STAGES}{stage}.{branch}.{place}.{found[4]}'
