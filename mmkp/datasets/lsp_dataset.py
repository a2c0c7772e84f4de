# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Leeds Sports Pose and its extended training set: people with 14 joints."""

from mmpose.registry import DATASETS

from mmkp.datasets.body_metainfo import body_metainfo
from mmkp.datasets.landmark_dataset import BodyLandmarkDataset

LSP_JOINTS = (
    'right_ankle',
    'right_knee',
    'right_hip',
    'left_hip',
    'left_knee',
    'left_ankle',
    'right_wrist',
    'right_elbow',
    'right_shoulder',
    'left_shoulder',
    'left_elbow',
    'left_wrist',
    'neck',
    'head_top',
)
LSP_LINKS = (
    ('right_ankle', 'right_knee'),
    ('right_knee', 'right_hip'),
    ('right_hip', 'left_hip'),
    ('left_hip', 'left_knee'),
    ('left_knee', 'left_ankle'),
    ('right_hip', 'right_shoulder'),
    ('left_hip', 'left_shoulder'),
    ('right_wrist', 'right_elbow'),
    ('right_elbow', 'right_shoulder'),
    ('right_shoulder', 'neck'),
    ('left_shoulder', 'neck'),
    ('left_shoulder', 'left_elbow'),
    ('left_elbow', 'left_wrist'),
    ('neck', 'head_top'),
)


@DATASETS.register_module()
class LspDataset(BodyLandmarkDataset):
    """Leeds Sports Pose (Extended) in COCO's format.

    ``tools/dataset_converters/lsp_to_coco.py`` writes the files. Left and right are
    the person's. The torso that scales PCK is ``left_hip`` (3) to ``right_shoulder``
    (8). Boxes are taken as edges, as in ``LandmarkDataset``: that of a whole W x H
    crop is ``(0, 0, W, H)``. They may reach beyond the picture, which keeps them
    centred on the person.

    LSP: Johnson and Everingham, "Clustered Pose and Nonlinear Appearance Models for
    Human Pose Estimation", BMVC 2010; the extended set: "Learning Effective Human Pose
    Estimation from Inaccurate Annotation", CVPR 2011.

    Args:
        ann_file: COCO-style json, relative to ``data_root``.
        metainfo: Metainfo in place of ``METAINFO``.
        **kwargs: Other arguments of ``LandmarkDataset``.
    """

    METAINFO: dict = body_metainfo(
        'lsp',
        LSP_JOINTS,
        LSP_LINKS,
        dict(
            author='Sam Johnson and Mark Everingham',
            title='Learning Effective Human Pose Estimation from Inaccurate Annotation',
            container='Conference on Computer Vision and Pattern Recognition (CVPR)',
            year='2011',
            homepage='http://sam.johnson.io/research/lspet.html',
        ),
    )
