"""A skeleton in two parts: a mouse from above and, in a mirror, from below."""

import csv

import cv2
import numpy as np
import pytest

from mmkp.codecs import PartAffinityField, build_skeleton

SWAPS = {'paw1LH': 'paw4RH', 'paw4RH': 'paw1LH', 'paw2LF': 'paw3RF', 'paw3RF': 'paw2LF'}
OF_A_VIEW = (
    'nose-paw2LF nose-paw3RF nose-tailBase tailBase-paw1LH tailBase-paw4RH '
    'tailBase-tailMid'
)
OBSTACLES = 'nose_top-obs_top nose_bot-obsHigh_bot obsHigh_bot-obsLow_bot'
SIZE = (256, 264)


@pytest.fixture(scope='module')
def frames(data_dir):
    """Names (17), points (90, 17, 2), NaN where not labelled, and image size."""
    folder = data_dir / 'animals' / 'mirror_mouse'
    with open(folder / 'CollectedData.csv', newline='') as file:
        _, parts, _, *rows = csv.reader(file)
    points = [[float(v) if v else np.nan for v in row[1:]] for row in rows]
    height, width = cv2.imread(str(folder / rows[0][0])).shape[:2]
    return parts[1::2], np.reshape(points, (len(rows), -1, 2)), (width, height)


@pytest.fixture(scope='module')
def skeleton(frames):
    names, _, _ = frames
    links = [
        tuple(f'{part}_{view}' for part in pair.split('-'))
        for view in ('top', 'bot')
        for pair in OF_A_VIEW.split()
    ]
    links += [tuple(pair.split('-')) for pair in OBSTACLES.split()]
    keypoints = {}
    for index, name in enumerate(names):
        part, _, view = name.partition('_')
        swap = f'{SWAPS[part]}_{view}' if part in SWAPS else ''
        keypoints[index] = dict(name=name, id=index, color=[0, 0, 0], swap=swap)
    return build_skeleton(
        dict(
            dataset_name='mirror_mouse',
            paper_info={},
            keypoint_info=keypoints,
            skeleton_info={
                index: dict(link=link, id=index, color=[0, 0, 0])
                for index, link in enumerate(links)
            },
            joint_weights=[1.0] * len(names),
            sigmas=[],
        )
    )


def test_views_are_joined_by_one_limb(skeleton):
    assert (skeleton.num_keypoints, skeleton.num_limbs) == (17, 16)
    assert not skeleton.redundant_limbs
    names = [[skeleton.keypoints[k] for k in limb] for limb in skeleton.limbs]
    views = [{name.rpartition('_')[2] for name in pair} for pair in names]
    assert sum(len(view) == 2 for view in views) == 1
    assert (np.array(skeleton.limb_flip_indices) >= 0).all()
    left = skeleton.keypoints.index('paw1LH_top')
    assert skeleton.keypoints[skeleton.flip_indices[left]] == 'paw4RH_top'


def test_annotated_frames_come_back_as_one_mouse_each(frames, skeleton):
    _, points, image_size = frames
    codec = PartAffinityField(skeleton, SIZE)
    errors, on_border, missed = [], [], 0
    for frame in points:
        frame = (frame + 0.5) * SIZE / image_size - 0.5
        labeled = np.isfinite(frame).all(1)
        encoded = codec.encode(np.nan_to_num(frame)[None], labeled[None])
        mice, scores, _ = codec.decode(
            encoded['heatmaps'], encoded['part_affinity_fields']
        )
        assert len(mice) == 1
        assert not (scores[0] > 0)[~labeled].any()
        found = labeled & (scores[0] > 0)
        missed += np.count_nonzero(labeled & ~found)
        errors.append(np.abs(mice[0] - frame)[found])
        # In the outermost cells a peak stays in the middle of its cell.
        cell = np.floor((frame + 0.5) / codec.stride)
        outer = (cell <= 0) | (cell >= np.array(codec.map_size) - 1)
        on_border.append(outer[found])
    errors, on_border = np.concatenate(errors), np.concatenate(on_border)
    # Two frames hide the tail's base, and what it joins is too far from the rest.
    assert missed <= 4 and len(errors) > 1390
    assert errors[~on_border].max() < 1
    assert errors[on_border].max() <= codec.stride / 2
