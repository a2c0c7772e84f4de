# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Joints of a puppet, their orders and the MMPose meta information of each."""

import numpy as np

#: The 17 keypoints of COCO, in COCO's order.
COCO_JOINTS = (
    'nose',
    'left_eye',
    'right_eye',
    'left_ear',
    'right_ear',
    'left_shoulder',
    'right_shoulder',
    'left_elbow',
    'right_elbow',
    'left_wrist',
    'right_wrist',
    'left_hip',
    'right_hip',
    'left_knee',
    'right_knee',
    'left_ankle',
    'right_ankle',
)

#: The 18 keypoints of OpenPose's COCO model; the neck is the midpoint of the
#: shoulders ("Realtime Multi-Person 2D Pose Estimation", section 2).
OPENPOSE_JOINTS = (
    'nose',
    'neck',
    'right_shoulder',
    'right_elbow',
    'right_wrist',
    'left_shoulder',
    'left_elbow',
    'left_wrist',
    'right_hip',
    'right_knee',
    'right_ankle',
    'left_hip',
    'left_knee',
    'left_ankle',
    'right_eye',
    'left_eye',
    'right_ear',
    'left_ear',
)

JOINT_ORDERS: dict[str, tuple[str, ...]] = dict(
    coco=COCO_JOINTS, openpose=OPENPOSE_JOINTS
)

_COCO_LINKS = (
    ('left_ankle', 'left_knee'),
    ('left_knee', 'left_hip'),
    ('right_ankle', 'right_knee'),
    ('right_knee', 'right_hip'),
    ('left_hip', 'right_hip'),
    ('left_shoulder', 'left_hip'),
    ('right_shoulder', 'right_hip'),
    ('left_shoulder', 'right_shoulder'),
    ('left_shoulder', 'left_elbow'),
    ('right_shoulder', 'right_elbow'),
    ('left_elbow', 'left_wrist'),
    ('right_elbow', 'right_wrist'),
    ('left_eye', 'right_eye'),
    ('nose', 'left_eye'),
    ('nose', 'right_eye'),
    ('left_eye', 'left_ear'),
    ('right_eye', 'right_ear'),
    ('left_ear', 'left_shoulder'),
    ('right_ear', 'right_shoulder'),
)

_OPENPOSE_LINKS = (
    ('neck', 'right_shoulder'),
    ('neck', 'left_shoulder'),
    ('right_shoulder', 'right_elbow'),
    ('right_elbow', 'right_wrist'),
    ('left_shoulder', 'left_elbow'),
    ('left_elbow', 'left_wrist'),
    ('neck', 'right_hip'),
    ('right_hip', 'right_knee'),
    ('right_knee', 'right_ankle'),
    ('neck', 'left_hip'),
    ('left_hip', 'left_knee'),
    ('left_knee', 'left_ankle'),
    ('neck', 'nose'),
    ('nose', 'right_eye'),
    ('right_eye', 'right_ear'),
    ('nose', 'left_eye'),
    ('left_eye', 'left_ear'),
)

# OKS constants of COCO's keypoint evaluation by joint (left and right alike);
# the neck, which COCO lacks, takes that of the shoulders it is made of.
_SIGMAS = dict(
    nose=0.026,
    eye=0.025,
    ear=0.035,
    shoulder=0.079,
    elbow=0.072,
    wrist=0.062,
    hip=0.107,
    knee=0.087,
    ankle=0.089,
    neck=0.079,
)
_WEIGHTS = dict(elbow=1.2, wrist=1.5, knee=1.2, ankle=1.5)
_HEAD = ('nose', 'eye', 'ear', 'neck')
_COLOURS = dict(left=[0, 220, 90], right=[255, 128, 0], middle=[51, 153, 255])


def _side(name: str) -> str:
    side = name.split('_')[0]
    return side if side in ('left', 'right') else 'middle'


def _kind(name: str) -> str:
    return name.split('_')[-1]


def _swap(name: str) -> str:
    opposite = dict(left='right', right='left').get(_side(name))
    return f'{opposite}_{_kind(name)}' if opposite else ''


def joint_order(order: str) -> tuple[str, ...]:
    """Names of the joints of an order.

    Args:
        order (str): ``'coco'`` (17 joints) or ``'openpose'`` (18, with neck).

    Returns:
        tuple[str]: The joints' names.

    Raises:
        ValueError: For any other order.
    """
    if order not in JOINT_ORDERS:
        raise ValueError(
            f'joint_order={order!r} is not known; choose one of {sorted(JOINT_ORDERS)}'
        )
    return JOINT_ORDERS[order]


def puppet_metainfo(order: str = 'coco') -> dict:
    """Meta information of puppets in the format of MMPose's ``METAINFO``.

    Args:
        order (str): ``'coco'`` or ``'openpose'``.

    Returns:
        dict: Keypoint names, swaps, types and colours, the skeleton's links,
        the joints' loss weights and their OKS sigmas.
    """
    names = joint_order(order)
    links = _COCO_LINKS if order == 'coco' else _OPENPOSE_LINKS
    keypoint_info = {}
    for index, name in enumerate(names):
        upper = _kind(name) in _HEAD + ('shoulder', 'elbow', 'wrist')
        keypoint_info[index] = dict(
            name=name,
            id=index,
            color=_COLOURS[_side(name)],
            type='upper' if upper else 'lower',
            swap=_swap(name),
        )
    skeleton_info = {
        index: dict(link=link, id=index, color=_link_color(link))
        for index, link in enumerate(links)
    }
    return dict(
        dataset_name=f'puppets_{order}',
        keypoint_info=keypoint_info,
        skeleton_info=skeleton_info,
        joint_weights=[_WEIGHTS.get(_kind(name), 1.0) for name in names],
        sigmas=[_SIGMAS[_kind(name)] for name in names],
    )


def _link_color(link: tuple[str, str]) -> list[int]:
    """Colour of a limb: that of its side, unless it joins both sides."""
    sides = {_side(name) for name in link} - {'middle'}
    return _COLOURS[sides.pop() if len(sides) == 1 else 'middle']


def reorder_joints(joints: np.ndarray, order: str) -> np.ndarray:
    """Bring joints from COCO's order into another one.

    Args:
        joints (np.ndarray): COCO-17 joints of shape (N, 17, ...); positions
            (pixels) or any value a joint, of which the neck gets the mean of
            the shoulders.
        order (str): ``'coco'`` or ``'openpose'``.

    Returns:
        np.ndarray: The joints of shape (N, K, ...) in the asked order.
    """
    if order == 'coco':
        return joints
    index = [
        COCO_JOINTS.index(name) if name != 'neck' else 0 for name in joint_order(order)
    ]
    reordered = joints[:, index]
    left, right = (COCO_JOINTS.index(f'{side}_shoulder') for side in ('left', 'right'))
    reordered[:, OPENPOSE_JOINTS.index('neck')] = (
        joints[:, left] + joints[:, right]
    ) / 2
    return reordered
