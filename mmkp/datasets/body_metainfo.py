# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Skeleton descriptions of human bodies that MMPose has no file for."""

from collections.abc import Mapping, Sequence

SIDES = ('left', 'right')
_BODY = ('eye', 'ear', 'shoulder', 'elbow', 'wrist', 'hip', 'knee', 'ankle')
#: The 17 keypoints of COCO, in COCO's order.
COCO_JOINTS = ('nose', *(f'{side}_{part}' for part in _BODY for side in SIDES))
#: COCO's links, in MMPose's order.
COCO_LINKS = (
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
_SIDE_COLORS = {'left': [0, 255, 0], 'right': [255, 128, 0], '': [51, 153, 255]}
_LOWER_BODY = ('hip', 'knee', 'ankle', 'big_toe', 'small_toe', 'heel')
# How much MMPose's body data sets weight a joint, and COCO's tolerance in square roots
# of the area. For neck, top of the head and nose MPII's and COCO's are taken;
# COCO-WholeBody measured the left and the right foot apart.
_WEIGHTS_AND_SIGMAS = {
    'ankle': (1.5, 0.089),
    'knee': (1.2, 0.087),
    'hip': (1.0, 0.107),
    'wrist': (1.5, 0.062),
    'elbow': (1.2, 0.072),
    'shoulder': (1.0, 0.079),
    'eye': (1.0, 0.025),
    'ear': (1.0, 0.035),
    'nose': (1.0, 0.026),
    'neck': (1.0, 0.026),
    'head_top': (1.0, 0.026),
    'left_big_toe': (1.0, 0.068),
    'left_small_toe': (1.0, 0.066),
    'left_heel': (1.0, 0.066),
    'right_big_toe': (1.0, 0.092),
    'right_small_toe': (1.0, 0.094),
    'right_heel': (1.0, 0.094),
}


def split_side(name: str) -> tuple[str, str]:
    """Split the side off a joint's name.

    Args:
        name: Such as 'left_knee' or 'neck'.

    Returns:
        'left', 'right' or '', and the rest of the name.
    """
    side, _, rest = name.partition('_')
    return (side, rest) if side in SIDES else ('', name)


def body_metainfo(
    name: str,
    joints: Sequence[str],
    links: Sequence[tuple[str, str]],
    paper_info: Mapping[str, str] | None = None,
) -> dict:
    """Describe a human body in the METAINFO format of MMPose.

    The left side is green, the right one orange and the middle blue, as in MMPose's
    body data sets; a link has the colour of its side, unless it joins both.

    Args:
        name: Name of the data set.
        joints: Names of the K joints, in order; ``left_x`` and ``right_x`` are swapped
            by a flip.
        links: Pairs of names, the links to draw.
        paper_info: ``author``, ``title``, ``container``, ``year`` and ``homepage``.

    Returns:
        Dict with ``dataset_name``, ``paper_info``, ``keypoint_info``,
        ``skeleton_info``, ``joint_weights`` and ``sigmas``, as
        ``parse_pose_metainfo`` reads it.
    """
    keypoint_info, skeleton_info = {}, {}
    for index, joint in enumerate(joints):
        side, part = split_side(joint)
        other = {'left': 'right_', 'right': 'left_', '': ''}[side]
        keypoint_info[index] = dict(
            name=joint,
            id=index,
            color=_SIDE_COLORS[side],
            type='lower' if part in _LOWER_BODY else 'upper',
            swap=other + part if side else '',
        )
    for index, link in enumerate(links):
        sides = {split_side(joint)[0] for joint in link} - {''}
        color = _SIDE_COLORS[sides.pop() if len(sides) == 1 else '']
        skeleton_info[index] = dict(link=link, id=index, color=color)
    known = _WEIGHTS_AND_SIGMAS
    tables = [known.get(joint) or known[split_side(joint)[1]] for joint in joints]
    return dict(
        dataset_name=name,
        paper_info=dict(paper_info or {}),
        keypoint_info=keypoint_info,
        skeleton_info=skeleton_info,
        joint_weights=[weight for weight, _ in tables],
        sigmas=[sigma for _, sigma in tables],
    )
