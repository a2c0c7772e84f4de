# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""How an image becomes the network input, told for runners without MMPose."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from mmpose.registry import TRANSFORMS

_TYPES = {
    'TopdownResize': 'resize',
    'TopdownAffine': 'affine',
    'BottomupResize': 'bottomup',
    'BottomupHeightResize': 'height',
}
# They move no pixel.
_NEUTRAL = ('LoadImage', 'LoadVerifiedImage', 'GetBBoxCenterScale', 'PackPoseInputs')


def describe_placement(pipeline: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Tell a test pipeline's placement, see :class:`ExportDescription`.

    Args:
        pipeline: configs of its transforms.

    Returns:
        ``type`` with all arguments of the transform, and ``box_padding`` where boxes
        are placed; or the type 'other' with the ``reason``.
    """
    names = [_name(step) for step in pipeline]
    unknown = [name for name in names if name not in (*_TYPES, *_NEUTRAL)]
    placing = [step for step in pipeline if _name(step) in _TYPES]
    if unknown or len(placing) != 1:
        what = ', '.join(unknown) or f'{len(placing)} transforms that place the image'
        reason = f'the test pipeline has {what}, which needs MMPose and mmkp'
        return dict(type='other', reason=reason)
    arguments = _arguments(placing[0])
    placement = dict(arguments, type=_TYPES[_name(placing[0])])
    for step in pipeline:
        if _name(step) == 'GetBBoxCenterScale':
            placement['box_padding'] = float(_arguments(step)['padding'])
    reason = _what_runners_lack(placement)
    return dict(type='other', reason=reason) if reason else placement


def _what_runners_lack(placement: Mapping[str, Any]) -> str:
    """Why a runner cannot do it, or nothing."""
    if placement.get('aug_scales'):
        return 'the test pipeline shows each image at several scales'
    fits = placement.get('resize_mode', 'fit') == 'fit'
    if placement['type'] == 'bottomup' and (placement['use_udp'] or not fits):
        return 'BottomupResize with use_udp or resize_mode expand needs MMPose'
    return ''


def _name(step: Mapping[str, Any]) -> str:
    return str(step['type']).rsplit('.', 1)[-1]


def _arguments(step: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of a transform, those that are left out too, as plain data."""
    kind = TRANSFORMS.get(step['type'])
    assert kind is not None  # the pipeline was built before
    known = inspect.signature(kind).parameters.values()
    given = {key: value for key, value in step.items() if key != 'type'}
    defaults = {one.name: one.default for one in known if one.default is not one.empty}
    return {key: _plain(value) for key, value in {**defaults, **given}.items()}


def _plain(value: Any) -> Any:
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
