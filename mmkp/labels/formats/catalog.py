# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The table of all formats of label files."""

from . import (
    coco,
    coco_results,
    corrections,
    cvat,
    deeplabcut_csv,
    deeplabcut_h5,
    deeplabcut_project,
    keypoints_json,
    label_studio,
    landmark_csv,
    nwb,
    openpose,
    sleap_h5,
    slp,
    tidy_csv,
    yolo,
)
from .format import Format, keeping

_DLC = keeping('names images empty several individuals scores film scorer')

# In the order in which they are recognized; a suffix stands for the first that has it.
_ALL = (
    Format(
        'json',
        "mmkp's keypoints.json, or a run",
        ('keypoints.json',),
        keypoints_json.recognize,
        keypoints_json.read,
        keypoints_json.write,
        keeping(
            'names images empty several individuals scores object_scores hidden boxes '
            'sizes times links swaps film scorer'
        ),
    ),
    Format(
        'corrections',
        "corrections.json of a run's page",
        (),
        corrections.recognize,
        corrections.read,
        None,
    ),
    Format(
        'coco',
        'COCO keypoints json',
        ('.json',),
        coco.recognize,
        coco.read,
        coco.write,
        keeping(
            'names images empty several individuals scores object_scores hidden boxes '
            'sizes links'
        ),
    ),
    Format(
        'coco-results',
        'COCO results json',
        (),
        coco_results.recognize,
        coco_results.read,
        coco_results.write,
        keeping('several scores object_scores boxes'),
    ),
    Format(
        'labelstudio',
        'Label Studio json',
        (),
        label_studio.recognize,
        label_studio.read,
        label_studio.write,
        keeping(
            'names images empty several individuals scores object_scores boxes sizes'
        ),
    ),
    Format(
        'dlc',
        'DeepLabCut csv',
        (),
        deeplabcut_csv.recognize,
        deeplabcut_csv.read,
        deeplabcut_csv.write,
        _DLC,
    ),
    Format(
        'lightning',
        'Lightning Pose csv',
        (),
        deeplabcut_csv.recognize,
        deeplabcut_csv.read,
        deeplabcut_csv.write_lightning_pose,
        keeping('names images empty scores film scorer'),
    ),
    Format(
        'csv',
        'csv of a row a keypoint',
        ('.csv',),
        tidy_csv.recognize,
        tidy_csv.read,
        tidy_csv.write,
        keeping('names images empty several individuals scores'),
    ),
    Format(
        'dlc-h5',
        'DeepLabCut h5',
        ('.h5',),
        deeplabcut_h5.recognize,
        deeplabcut_h5.read,
        deeplabcut_h5.write,
        _DLC,
    ),
    Format(
        'slp',
        'SLEAP .slp',
        ('.slp',),
        slp.recognize,
        slp.read,
        slp.write,
        keeping(
            'names images empty several individuals scores object_scores links swaps '
            'film'
        ),
    ),
    Format(
        'sleap-h5',
        'SLEAP analysis h5',
        ('.analysis.h5',),
        sleap_h5.recognize,
        sleap_h5.read,
        sleap_h5.write,
        keeping('names several individuals scores object_scores links film'),
    ),
    Format(
        'nwb',
        'NWB with ndx-pose',
        ('.nwb',),
        nwb.recognize,
        nwb.read,
        nwb.write,
        keeping(
            'names images empty several individuals scores times links film scorer'
        ),
    ),
    Format(
        'cvat',
        'CVAT xml for images',
        ('.xml',),
        cvat.recognize,
        cvat.read,
        cvat.write,
        keeping('names images empty several individuals hidden sizes'),
    ),
    Format(
        'yolo',
        'YOLO-pose folder with data.yaml',
        (),
        yolo.recognize,
        yolo.read,
        yolo.write,
        keeping('names images empty several hidden boxes sizes swaps'),
        is_folder=True,
    ),
    Format(
        'dlc-project',
        'DeepLabCut project folder',
        (),
        deeplabcut_project.recognize,
        deeplabcut_project.read,
        deeplabcut_project.write,
        keeping('names images empty several individuals links scorer'),
        is_folder=True,
    ),
    Format(
        'openpose',
        "folder as OpenPose's --write_json",
        (),
        openpose.recognize,
        openpose.read,
        openpose.write,
        keeping('images empty several scores'),
        is_folder=True,
    ),
    Format(
        'table',
        'csv of a row an object (x0, y0, ... or nose_x, nose_y, ...)',
        (),
        landmark_csv.recognize,
        landmark_csv.read,
        None,
    ),
)

#: By name.
FORMATS: dict[str, Format] = {entry.name: entry for entry in _ALL}
