import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.registry import init_default_scope
from mmpose.datasets.transforms import RandomFlip
from mmpose.registry import DATASETS

from mmkp.datasets import PersonScaledAffine

STILL = dict(scale_range=(1, 1), rotation=0, shift=0)


def sample(people=1, size=(200, 150), **fields):
    """Grey picture with people of 5 keypoints in boxes 20 wide and 50 high."""
    boxes = [[30 * i, 10, 30 * i + 20, 60] for i in range(people)]
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    points = np.zeros((people, 5, 2), np.float32)
    points[:] = boxes[:, None, :2] + [[0, 0], [20, 50], [10, 25], [5, 5], [15, 40]]
    return dict(
        img=np.full((*size[::-1], 3), 90, np.uint8),
        keypoints=points,
        keypoints_visible=np.ones((people, 5), np.float32),
        bbox=boxes,
        area=np.full(people, 2000, np.float32),
        iscrowd=[0] * people,
        **fields,
    )


def test_person_gets_the_target_size_in_the_middle():
    result = PersonScaledAffine((160, 160), **STILL)(sample())
    assert result['img'].shape == (160, 160, 3) and result['img_shape'] == (160, 160)
    left, top, right, bottom = result['bbox'][0]
    assert bottom - top == pytest.approx(0.6 * 160, abs=1e-3)
    np.testing.assert_allclose([(left + right) / 2, (top + bottom) / 2], 79.5, 1e-5)
    scale = 0.6 * 160 / 50
    np.testing.assert_allclose(result['keypoints'][0, 2], [79.5, 79.5], atol=1e-3)
    np.testing.assert_allclose(
        result['keypoints'][0, 1] - result['keypoints'][0, 0],
        [20 * scale, 50 * scale],
        atol=1e-3,
    )
    assert result['area'][0] == pytest.approx(2000 * scale**2, rel=1e-5)
    assert 'input_size' not in result


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_random_numbers_stay_in_their_ranges(seed):
    np.random.seed(seed)
    transform = PersonScaledAffine((160, 128))
    result = transform(sample())
    matrix = result['warp_mat'][:, :2]
    scale = np.sqrt(np.linalg.det(matrix))
    assert 0.5 - 1e-6 <= scale * 50 / (0.6 * 128) <= 1.1 + 1e-6
    angle = np.rad2deg(np.arctan2(matrix[1, 0], matrix[0, 0]))
    assert abs(angle) <= 40
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(2) * scale**2, atol=1e-9)
    moved = result['keypoints'][0, 2] - [79.5, 63.5]
    assert (np.abs(moved) <= 40.001).all()


@pytest.mark.parametrize('target', [0.15, 0.5, 0.9])
def test_picture_and_keypoints_move_alike(target):
    image = np.zeros((150, 200), np.float32)
    cv2.circle(image, (70, 60), 6, 255, -1, cv2.LINE_AA)
    cv2.circle(image, (90, 90), 6, 255, -1, cv2.LINE_AA)
    fields = sample()
    fields['img'] = np.repeat(image[..., None], 3, 2).astype(np.uint8)
    fields['bbox'] = np.array([[60, 50, 110, 100]], np.float32)
    fields['keypoints'] = np.array([[[70, 60], [90, 90]] + [[70, 60]] * 3], np.float32)
    np.random.seed(3)
    result = PersonScaledAffine((160, 160), target, shift=5, pad_val=0)(fields)
    seen = result['img'][..., 0].astype(np.float64)
    columns, rows = np.meshgrid(np.arange(160), np.arange(160))
    total = seen.sum()
    middle = [(seen * columns).sum() / total, (seen * rows).sum() / total]
    expected = result['keypoints'][0, :2].mean(0)
    np.testing.assert_allclose(middle, expected, atol=0.15)


def test_the_main_person_is_labelled_well_enough():
    fields = sample(4)
    fields['keypoints_visible'][0, 0] = 0
    fields['area'][1] = 32**2 - 1
    fields['iscrowd'][2] = 1
    transform = PersonScaledAffine((160, 160), **STILL)
    for seed in range(5):
        np.random.seed(seed)
        middle = transform(dict(fields))['keypoints'][3, 2]
        np.testing.assert_allclose(middle, [79.5, 79.5], atol=1e-3)


def test_any_labelled_person_will_do_and_otherwise_the_picture():
    fields = sample(2)
    fields['keypoints_visible'][:] = [[0] * 5, [1, 0, 0, 0, 0]]
    transform = PersonScaledAffine((160, 160), **STILL)
    middle = transform(dict(fields))['keypoints'][1, 2]
    np.testing.assert_allclose(middle, [79.5, 79.5], atol=1e-3)
    fields['keypoints_visible'][:] = 0
    whole = transform(dict(fields))
    assert whole['warp_mat'][0, 0] == pytest.approx(160 / 150)
    nobody = transform(sample(0))
    np.testing.assert_allclose(nobody['warp_mat'], whole['warp_mat'])
    assert nobody['keypoints'].shape == (0, 5, 2)
    picture = transform(dict(img=fields['img']))
    np.testing.assert_allclose(picture['warp_mat'], whole['warp_mat'])


def test_every_good_person_is_chosen_sometimes():
    transform = PersonScaledAffine((160, 160), **STILL)
    np.random.seed(0)
    chosen = {
        int(transform(sample(3))['bbox'][:, 0].searchsorted(60)) for _ in range(30)
    }
    assert chosen == {0, 1, 2}


def test_animals_are_measured_by_their_longer_side():
    fields = sample()
    fields['bbox'] = np.array([[10, 10, 110, 60]], np.float32)
    result = PersonScaledAffine((160, 160), size_of='longer_side', **STILL)(fields)
    assert result['warp_mat'][0, 0] == pytest.approx(0.96)


def test_what_lies_outside_is_grey_and_keeps_its_coordinates():
    fields = sample()
    fields['keypoints'][0, 0] = [-300, 20]
    result = PersonScaledAffine((160, 160), 0.1, **STILL)(fields)
    assert (result['img'][0] == 128).all() and (result['img'][80, 80] == 90).all()
    assert result['keypoints'][0, 0, 0] < 0 and result['keypoints_visible'].all()


def test_undefined_keypoints_do_not_spread():
    fields = sample()
    fields['keypoints'][0, 1] = np.nan
    result = PersonScaledAffine((160, 160))(fields)
    assert np.isfinite(np.delete(result['keypoints'][0], 1, 0)).all()


@pytest.mark.parametrize('size', [(160, 160), (240, 160)])
def test_random_flip_follows(size):
    fields = sample(2, flip_indices=[0, 1, 2, 4, 3])
    np.random.seed(0)
    cropped = PersonScaledAffine(size)(fields)
    plain, image = cropped['keypoints'].copy(), cropped['img'].copy()
    flipped = RandomFlip(prob=1.0)(cropped)
    plain[..., 0] = size[0] - 1 - plain[..., 0]
    np.testing.assert_allclose(flipped['keypoints'], plain[:, [0, 1, 2, 4, 3]], 1e-5)
    np.testing.assert_array_equal(flipped['img'], image[:, ::-1])
    with pytest.raises(ValueError, match='RandomFlip must come after'):
        PersonScaledAffine(size)(flipped)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(input_size=(1.5, 3)), 'input_size must be'),
        (dict(scale_range=(1, 0.5)), 'must be positive, the range with'),
        (dict(target_size=0), 'must be positive'),
        (dict(size_of='width'), 'size_of must be one of'),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        PersonScaledAffine(**options)


@pytest.mark.filterwarnings('ignore:The metainfo config file')
def test_trains_on_real_files(data_dir):
    init_default_scope('mmpose')
    keys = ('id', 'img_id', 'img_path', 'flip')
    dataset = DATASETS.build(
        dict(
            type='CocoDataset',
            data_mode='bottomup',
            data_root=str(data_dir / 'coco'),
            ann_file='annotations/person_keypoints_train2017.json',
            data_prefix=dict(img='train2017/'),
            indices=6,
            pipeline=[
                dict(type='LoadImage'),
                dict(type='PersonScaledAffine'),
                dict(type='RandomFlip'),
                dict(type='LabeledMask'),
                dict(type='GenerateTarget', encoder=dict(type='PartAffinityField')),
                dict(type='PackPoseInputs', meta_keys=keys),
            ],
        )
    )
    for item in dataset:
        fields = item['data_samples'].gt_fields
        assert item['inputs'].shape == (3, 368, 368)
        assert fields.heatmaps.shape == fields.heatmap_weights.shape == (19, 46, 46)
        assert fields.part_affinity_fields.shape == (38, 46, 46)
        assert fields.field_weights.shape == (38, 46, 46)
        assert fields.heatmaps[:-1].max() > 0.9
    assert 'rotation=40' in repr(PersonScaledAffine())
