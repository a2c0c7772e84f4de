# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Skeleton descriptions of human bodies that MMPose has no file for."""

from collections.abc import Mapping, Sequence

SIDE_COLOURS = {'left': [0, 255, 0], 'right': [255, 128, 0], '': [51, 153, 255]}
LOWER_BODY = ('hip', 'knee', 'ankle')
# How much MMPose's body data sets weight a joint, and COCO's tolerance in square roots
# of the area. For neck, top of the head and nose MPII's and COCO's are taken.
WEIGHTS_AND_SIGMAS = {
    'ankle': (1.5, 0.089),
    'knee': (1.2, 0.087),
    'hip': (1.0, 0.107),
    'wrist': (1.5, 0.062),
    'elbow': (1.2, 0.072),
    'shoulder': (1.0, 0.079),
    'eye': (1.0, 0.025),
    'nose': (1.0, 0.026),
    'neck': (1.0, 0.026),
    'head_top': (1.0, 0.026),
}


def split_side(name: str) -> tuple[str, str]:
    """Split the side off a joint's name.

    Args:
        name: Such as 'left_knee' or 'neck'.

    Returns:
        'left', 'right' or '', and the rest of the name.
    """
    side, _, rest = name.partition('_')
    return (side, rest) if side in ('left', 'right') else ('', name)


def body_metainfo(
    name: str,
    joints: Sequence[str],
    links: Sequence[tuple[str, str]],
    paper_info: Mapping[str, str],
) -> dict:
    """Describe a human body in the METAINFO format of MMPose.

    The left side is green, the right one orange and the middle blue, as in MMPose's
    body data sets.

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
            color=SIDE_COLOURS[side],
            type='lower' if part in LOWER_BODY else 'upper',
            swap=other + part if side else '',
        )
    for index, (start, end) in enumerate(links):
        side = split_side(start)[0]
        color = SIDE_COLOURS[side if side == split_side(end)[0] else '']
        skeleton_info[index] = dict(link=(start, end), id=index, color=color)
    tables = [WEIGHTS_AND_SIGMAS[split_side(joint)[1]] for joint in joints]
    return dict(
        dataset_name=name,
        paper_info=dict(paper_info),
        keypoint_info=keypoint_info,
        skeleton_info=skeleton_info,
        joint_weights=[weight for weight, _ in tables],
        sigmas=[sigma for _, sigma in tables],
    )
