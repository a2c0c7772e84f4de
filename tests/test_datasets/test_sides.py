"""Left and right in names of keypoints."""

import copy

import numpy as np
import pytest
from mmpose.datasets import CocoDataset
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from mmkp.codecs import build_skeleton
from mmkp.datasets.landmark_dataset import landmark_metainfo
from mmkp.datasets.sides import complete_swaps, flip_partners, unpaired_sides

PAIRS = [
    'left_eye right_eye',
    'eye_left eye_right',
    'Left_eye Right_eye',
    'left-eye right-eye',
    'L_eye R_eye',
    'l-eye r-eye',
    'eye_L eye_R',
    'eye.l eye.r',
    'EyeL EyeR',
    'leftEye rightEye',
    'LeftEye RightEye',
    'LEFT_EYE RIGHT_EYE',
    'lefteye righteye',
    'eyeleft eyeright',
    'LEye REye',
    'leye reye',
    'lwrist rwrist',
    'Lt_eye Rt_eye',
    'LHand RHand',
    'FL FR',
    'LF_paw RF_paw',
    'forelegL4 forelegR4',
    'ear_tip_l1 ear_tip_r1',
    'leftpaw1 rightpaw1',
    '1L 1R',
    'L R',
    'sinister_fin dexter_fin',
    'oeil_gauche oeil_droit',
    'Auge_links Auge_rechts',
    'left_eye Right_eye',
    'eye_left right_eye',
]


@pytest.mark.parametrize('pair', PAIRS)
def test_pairs(pair):
    left, right = pair.split()
    names = ['nose', left, right, 'tail', 'point_2']
    assert flip_partners(names) == {left: right, right: left}
    flips = parse_pose_metainfo(landmark_metainfo(names))['flip_indices']
    assert flips == [0, 2, 1, 3, 4]


@pytest.mark.parametrize(
    ('names', 'partners'),
    [
        (['eye (left)', 'eye (right)'], ['eye (right)', 'eye (left)']),
        (
            ['left_eye_left', 'left_eye_right', 'right_eye_left', 'right_eye_right'],
            ['right_eye_right', 'right_eye_left', 'left_eye_right', 'left_eye_left'],
        ),
        (['LF', 'RF', 'LR', 'RR'], ['RF', 'LF', 'RR', 'LR']),
        (['FL', 'FR', 'RL', 'RR'], ['FR', 'FL', 'RR', 'RL']),
        (
            ['a_l1', 'a_r1', 'a_l2', 'a_r2'],
            ['a_r1', 'a_l1', 'a_r2', 'a_l2'],
        ),
        (['light', 'right', 'left'], [None, 'left', 'right']),
        (['tail', 'collar', 'bright', 'upper', 'L4', 'L5'], [None] * 6),
        (['left_eye', 'left_ear', 'right_ear'], [None, 'right_ear', 'left_ear']),
    ],
)
def test_several_names(names, partners):
    found = flip_partners(names)
    assert [found.get(name) for name in names] == partners


def test_sides_without_a_partner_are_named(monkeypatch):
    names = ['nose', 'left_eye', 'R_ear', 'eye gauche', 'L4', 'bright', 'tail']
    assert unpaired_sides(names, {}) == ['left_eye', 'R_ear', 'eye gauche']
    lines = []
    target = 'mmkp.datasets.sides.print_log'
    monkeypatch.setattr(target, lambda line, **_: lines.append(line))
    landmark_metainfo(['left_eye', 'right_eye', 'a'])
    assert not lines
    landmark_metainfo(['left_eye', 'b', 'a'], name='faces')
    assert lines[0].startswith('faces: the keypoints left_eye look like sides but have')


def metainfo(**swaps):
    names = ('nose', 'L_eye', 'R_eye')
    return dict(
        dataset_name='own',
        keypoint_info={
            i: dict(name=name, id=i) | ({'swap': swaps[name]} if name in swaps else {})
            for i, name in enumerate(names)
        },
        skeleton_info={0: dict(link=('L_eye', 'nose'), id=0)},
        joint_weights=[1.0] * 3,
        sigmas=[0.1] * 3,
    )


def test_an_explicit_swap_wins():
    def flips(**swaps):
        given = metainfo(**swaps)
        before = copy.deepcopy(given)
        data = CocoDataset(metainfo=given, lazy_init=True)
        assert given == before
        return data.metainfo['flip_indices']

    assert flips() == [0, 2, 1]
    assert flips(L_eye='', R_eye='') == [0, 1, 2]
    assert flips(L_eye='nose', nose='L_eye') == [1, 0, 2]
    # Said of one of them, it is meant of both.
    assert flips(L_eye='R_eye') == [0, 2, 1]
    swaps = complete_swaps(metainfo(L_eye='')['keypoint_info'])
    assert [entry['swap'] for entry in swaps.values()] == ['', '', '']


def test_skeletons_know_the_sides():
    skeleton = build_skeleton(metainfo())
    np.testing.assert_array_equal(skeleton.flip_indices, [0, 2, 1])
