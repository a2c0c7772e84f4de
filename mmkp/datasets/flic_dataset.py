# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Frames Labeled In Cinema: upper bodies with 11 joints."""

from mmpose.registry import DATASETS

from mmkp.datasets.body_metainfo import body_metainfo
from mmkp.datasets.landmark_dataset import BodyLandmarkDataset

FLIC_JOINTS = (
    'left_shoulder',
    'left_elbow',
    'left_wrist',
    'right_shoulder',
    'right_elbow',
    'right_wrist',
    'left_hip',
    'right_hip',
    'left_eye',
    'right_eye',
    'nose',
)
FLIC_LINKS = (
    ('left_shoulder', 'left_elbow'),
    ('left_elbow', 'left_wrist'),
    ('right_shoulder', 'right_elbow'),
    ('right_elbow', 'right_wrist'),
    ('left_shoulder', 'right_shoulder'),
    ('left_shoulder', 'left_hip'),
    ('right_shoulder', 'right_hip'),
    ('left_hip', 'right_hip'),
    ('left_eye', 'nose'),
    ('right_eye', 'nose'),
)


@DATASETS.register_module()
class FlicDataset(BodyLandmarkDataset):
    """Frames Labeled In Cinema in COCO's format, one person a picture.

    ``tools/dataset_converters/flic_to_coco.py`` writes the files. The torso that scales
    PCK is ``left_shoulder`` (0) to ``right_hip`` (7); PCK@0.2 is reported of elbows
    (1, 4) and wrists (2, 5).

    The box is the crop that the network sees before padding. It is taken as edges and
    may reach beyond the picture: cut there, it would no longer be centred on the torso.

    Sapp and Taskar, "MODEC: Multimodal Decomposable Models for Human Pose Estimation",
    CVPR 2013.

    Args:
        ann_file: COCO-style json, relative to ``data_root``.
        metainfo: Metainfo in place of ``METAINFO``.
        **kwargs: Other arguments of ``LandmarkDataset``.
    """

    METAINFO: dict = body_metainfo(
        'flic',
        FLIC_JOINTS,
        FLIC_LINKS,
        dict(
            author='Ben Sapp and Ben Taskar',
            title='MODEC: Multimodal Decomposable Models for Human Pose Estimation',
            container='Conference on Computer Vision and Pattern Recognition (CVPR)',
            year='2013',
            homepage='https://bensapp.github.io/flic-dataset.html',
        ),
    )
