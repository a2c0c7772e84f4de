# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""OpenPose's skeletons, by name.

Orders of keypoints, fields and assembly are those of its released models. A right limb
comes first everywhere, as there.
"""

from typing import Any


def _sided(*names: str) -> list[str]:
    return [f'{side}_{name}' for side in ('right', 'left') for name in names]


_ARMS_18 = _sided('shoulder', 'elbow', 'wrist')
_LEGS_18 = _sided('hip', 'knee', 'ankle')
_FACE = ['right_eye', 'left_eye', 'right_ear', 'left_ear']
_NECK = {'neck': ('left_shoulder', 'right_shoulder')}
_MIDDLE_HIP = {'middle_hip': ('left_hip', 'right_hip')}
_EAR_SHOULDER = [(f'{s}_shoulder', f'{s}_ear') for s in ('right', 'left')]


def _leg(side: str, root: str) -> list[tuple[str, str]]:
    names = [root, f'{side}_hip', f'{side}_knee', f'{side}_ankle']
    return list(zip(names, names[1:], strict=False))


def _arm(side: str) -> list[tuple[str, str]]:
    names = ['neck', f'{side}_shoulder', f'{side}_elbow', f'{side}_wrist']
    return list(zip(names, names[1:], strict=False))


def _head() -> list[tuple[str, str]]:
    sides = ('right', 'left')
    eyes = [('nose', f'{s}_eye') for s in sides]
    ears = [(f'{s}_eye', f'{s}_ear') for s in sides]
    return [('neck', 'nose'), *eyes, *ears]


def _head_by_side() -> list[tuple[str, str]]:
    neck, right_eye, left_eye, right_ear, left_ear = _head()
    return [neck, right_eye, right_ear, left_eye, left_ear]


def _shoulders_first() -> list[tuple[str, str]]:
    right, left = _arm('right'), _arm('left')
    return [right[0], left[0], *right[1:], *left[1:]]


def _foot(side: str) -> list[tuple[str, str]]:
    ankle, toe = f'{side}_ankle', f'{side}_big_toe'
    return [(ankle, toe), (toe, f'{side}_small_toe'), (ankle, f'{side}_heel')]


COCO_18: dict[str, Any] = dict(
    dataset='CocoDataset',
    keypoints=['nose', 'neck', *_ARMS_18, *_LEGS_18, *_FACE],
    derived_keypoints=_NECK,
    limbs=[
        *_leg('right', 'neck'),
        *_leg('left', 'neck'),
        *_arm('right'),
        _EAR_SHOULDER[0],
        *_arm('left'),
        _EAR_SHOULDER[1],
        *_head(),
    ],
    assembly_order=[
        *_shoulders_first(),
        *_leg('right', 'neck'),
        *_leg('left', 'neck'),
        *_head_by_side(),
        *_EAR_SHOULDER,
    ],
    redundant_limbs=_EAR_SHOULDER,
)

_FEET = [
    f'{s}_{n}' for s in ('left', 'right') for n in ('big_toe', 'small_toe', 'heel')
]

_BODY_25_BODY: dict[str, Any] = dict(
    dataset='CocoDataset',
    keypoints=['nose', 'neck', *_ARMS_18, 'middle_hip', *_LEGS_18, *_FACE, *_FEET],
    derived_keypoints=_NECK | _MIDDLE_HIP,
    limbs=[
        ('neck', 'middle_hip'),
        *_leg('right', 'middle_hip')[1:],
        _leg('right', 'middle_hip')[0],
        *_leg('left', 'middle_hip'),
        *_arm('right'),
        _EAR_SHOULDER[0],
        *_arm('left'),
        _EAR_SHOULDER[1],
        *_head(),
        *_foot('left'),
        *_foot('right'),
    ],
    assembly_order=[
        ('neck', 'middle_hip'),
        *_shoulders_first(),
        *_leg('right', 'middle_hip'),
        *_leg('left', 'middle_hip'),
        *_head_by_side(),
        *_EAR_SHOULDER,
        *_foot('left'),
        *_foot('right'),
    ],
    redundant_limbs=_EAR_SHOULDER,
)

# The order of fields of the MPI models and the mean that makes the chest are those of
# OpenPose's sources as remembered; no reference output was at hand to check them.
MPI_15: dict[str, Any] = dict(
    dataset='MpiiDataset',
    keypoints=['head_top', 'upper_neck', *_ARMS_18, *_LEGS_18, 'chest'],
    derived_keypoints={'chest': ('thorax', 'pelvis')},
    limbs=[
        ('head_top', 'upper_neck'),
        *[tuple(n.replace('neck', 'upper_neck') for n in p) for p in _arm('right')],
        *[tuple(n.replace('neck', 'upper_neck') for n in p) for p in _arm('left')],
        ('upper_neck', 'chest'),
        *_leg('right', 'chest'),
        *_leg('left', 'chest'),
    ],
)

#: Name to data set, keypoints and limbs. 'body25' is for data that label feet (the 17
#: keypoints of COCO and 6 of the feet), 'body25_body' for the 17 alone, where feet are
#: not trained.
PRESETS: dict[str, dict[str, Any]] = {
    'coco18': COCO_18,
    'body25': _BODY_25_BODY | dict(additional_keypoints=_FEET),
    'body25_body': _BODY_25_BODY,
    'mpi15': MPI_15,
}
