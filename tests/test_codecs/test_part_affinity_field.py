"""The codec's encoding half: shapes, symmetries and what it refuses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmpose.registry import KEYPOINT_CODECS

from mmkp.codecs import PartAffinityField, build_skeleton

SIZE = (96, 64)
KEYS = ('heatmaps', 'part_affinity_fields', 'heatmap_weights', 'field_weights')


def small(skeleton='coco18', **options):
    return PartAffinityField(skeleton, input_size=SIZE, **options)


def people(seed, number, count):
    random = np.random.default_rng(seed)
    points = random.uniform(-10, 100, (number, count, 2)).astype(np.float32)
    return points, random.integers(0, 2, (number, count)).astype(np.float32)


def mirrored(codec, points, visible):
    """What MMPose's RandomFlip makes of the data set's keypoints."""
    skeleton = codec.skeleton
    index = np.arange(skeleton.num_source_keypoints)
    for parents, other in zip(skeleton.sources, skeleton.flip_indices, strict=True):
        if len(parents) == 1:
            index[parents[0]] = skeleton.sources[other][0]
    points = points[:, index].copy()
    points[..., 0] = codec.input_size[0] - 1 - points[..., 0]
    return points, visible[:, index]


@pytest.mark.parametrize(
    ('skeleton', 'keypoints', 'limbs'),
    [('coco18', 18, 19), ('body25', 25, 26), ('body25_body', 25, 26)],
)
def test_is_built_by_name_and_gives_four_fields(skeleton, keypoints, limbs):
    codec = KEYPOINT_CODECS.build(
        dict(type='PartAffinityField', skeleton=skeleton, input_size=(96, 64))
    )
    source = codec.skeleton.num_source_keypoints
    targets = codec.encode(*people(0, 3, source))
    assert set(targets) == set(codec.field_mapping_table) == set(KEYS)
    channels = (keypoints + 1, 2 * limbs, keypoints + 1, 2 * limbs)
    for key, number in zip(KEYS, channels, strict=True):
        assert targets[key].shape == (number, 8, 12)
        assert targets[key].dtype == np.float32
    assert codec.auxiliary_encode_keys == {'keypoints_ignored', 'labeled_mask'}
    assert codec.support_batch_decoding
    assert skeleton in repr(codec)


@pytest.mark.parametrize('skeleton', ['coco18', 'body25', 'AP10KDataset', 'mpi15'])
@given(seed=st.integers(0, 2**32 - 1), number=st.integers(0, 3))
@settings(max_examples=15, deadline=None)
def test_encoding_commutes_with_mirroring(skeleton, seed, number):
    codec = small(skeleton, field_alignment='centred')
    points, visible = people(seed, number, codec.skeleton.num_source_keypoints)
    plain = codec.encode(points, visible)
    flipped = codec.encode(*mirrored(codec, points, visible))

    order = [*codec.skeleton.flip_indices, codec.skeleton.num_keypoints]
    np.testing.assert_allclose(
        flipped['heatmaps'], plain['heatmaps'][order, :, ::-1], atol=1e-4
    )
    limbs = np.array(codec.skeleton.limb_flip_indices)
    assert (limbs >= 0).all()
    fields = plain['part_affinity_fields'].reshape(-1, 2, 8, 12)[limbs][..., ::-1]
    fields = fields * np.reshape(codec.skeleton.limb_flip_signs, (-1, 1, 1, 1))
    fields[:, 0] *= -1
    # Means of many keypoints come out of a flip in another order: cells at the very
    # edge of a limb may go either way.
    different = np.abs(flipped['part_affinity_fields'] - fields.reshape(-1, 8, 12))
    assert np.count_nonzero(different > 1e-3) <= 2


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_order_of_people_is_of_no_consequence(seed):
    codec = small()
    points, visible = people(seed, 4, 17)
    targets = codec.encode(points, visible)
    for key, value in codec.encode(points[::-1], visible[::-1]).items():
        np.testing.assert_allclose(value, targets[key], atol=1e-6)


@pytest.mark.parametrize('stride', [4, 8, 16])
def test_peak_moves_with_the_keypoint(stride):
    codec = small(stride=stride, sigma=stride)
    visible = np.zeros((1, 17))
    visible[0, 0] = 1
    points = np.zeros((1, 17, 2))
    for column in range(SIZE[0] // stride):
        points[0, 0] = column * stride + (stride - 1) / 2, 32 + (stride - 1) / 2
        heatmap = codec.encode(points, visible)['heatmaps'][0]
        assert heatmap[32 // stride, column] == 1
        assert np.unravel_index(heatmap.argmax(), heatmap.shape) == (
            32 // stride,
            column,
        )


def test_half_known_neck_is_left_out_around_the_person():
    codec = small()
    points, visible = people(1, 1, 17)
    visible[:] = 1
    visible[0, 5] = 0
    points[:] = np.random.default_rng(0).uniform(30, 50, points.shape)
    targets = codec.encode(points, visible)
    neck = codec.skeleton.keypoints.index('neck')
    assert not targets['heatmaps'][neck].any()
    assert targets['heatmap_weights'][neck, 5, 5] == 0
    assert targets['heatmap_weights'][0].all()
    for count in (17, 18):
        # Of a labelled keypoint everything is known.
        given_ignored = np.ones((1, count), bool)
        more = codec.encode(points, visible, keypoints_ignored=given_ignored)
        np.testing.assert_array_equal(
            more['heatmap_weights'][0], targets['heatmap_weights'][0]
        )
        hidden = visible.copy()
        hidden[0, 0] = 0
        more = codec.encode(points, hidden, keypoints_ignored=given_ignored)
        assert (more['heatmap_weights'][0] == 0).any()


def test_without_people_everything_is_background_and_counts():
    codec = small()
    mask = np.zeros((8, 12), np.float32)
    targets = codec.encode(np.zeros((0, 17, 2)), np.zeros((0, 17)), labeled_mask=mask)
    assert (targets['heatmaps'][-1] == 1).all() and not targets['heatmaps'][:-1].any()
    assert not targets['part_affinity_fields'].any()
    assert (targets['heatmap_weights'] == 1).all()
    assert (targets['field_weights'] == 1).all()


def test_mask_holds_where_nobody_is_labelled():
    mask = np.zeros((8, 12), np.float32)
    targets = small().encode(np.zeros((1, 17, 2)), np.zeros((1, 17)), labeled_mask=mask)
    assert not targets['heatmap_weights'].any() and not targets['field_weights'].any()


def test_undefined_keypoints_are_unlabelled_with_a_warning():
    codec = small()
    points, visible = people(2, 2, 17)
    visible[:] = 1
    points[0, 3], points[1, 0, 1] = np.nan, np.inf
    with pytest.warns(UserWarning, match='2 labelled keypoints are no finite'):
        targets = codec.encode(points, visible)
    points[~np.isfinite(points)] = 0
    visible[0, 3] = visible[1, 0] = 0
    for key, value in codec.encode(points, visible).items():
        np.testing.assert_array_equal(targets[key], value)


def test_everybody_is_visible_where_nothing_else_is_said():
    points, _ = people(3, 2, 17)
    plain = small().encode(points)
    for key, value in small().encode(points, np.ones((2, 17))).items():
        np.testing.assert_array_equal(plain[key], value)


class TestRefusals:
    def test_another_number_of_keypoints(self):
        with pytest.raises(ValueError, match=r"133 .*'body25' takes 23 or 25"):
            small('body25').encode(np.zeros((2, 133, 2)))
        with pytest.raises(ValueError, match="'coco18' takes 17 or 18"):
            small().encode(np.zeros((17, 2)))

    @pytest.mark.parametrize(
        ('options', 'message'),
        [
            (dict(skeleton='coco19'), "unknown skeleton 'coco19'"),
            (dict(input_size=(370, 368)), r'\(370, 368\) must be a multiple .* 8'),
            (dict(input_size=368), 'width, height'),
            (dict(input_size=(368.0, 368)), 'width, height'),
            (dict(stride=0), 'stride must be a whole number'),
            (dict(sigma=0.0), 'sigma must be a positive number'),
            (dict(limb_half_width=-1), 'limb_half_width must be a positive number'),
            (dict(field_alignment='left'), 'field_alignment must be one of'),
            (dict(output_keypoints='some'), 'output_keypoints must be one of'),
            (dict(trained_keypoints=['tail']), "names tail, which skeleton 'coco18'"),
        ],
    )
    def test_bad_arguments(self, options, message):
        with pytest.raises(ValueError, match=message):
            PartAffinityField(**options)

    def test_arrays_of_another_shape(self):
        points, visible = people(0, 2, 17)
        with pytest.raises(ValueError, match='keypoints_visible must have shape'):
            small().encode(points, visible[:1])
        with pytest.raises(ValueError, match=r'keypoints_ignored .* \(2, 18\)'):
            small().encode(points, visible, keypoints_ignored=visible[:, 1:])
        with pytest.raises(ValueError, match=r'labeled_mask .* \(8, 12\).*\(12, 8\)'):
            small().encode(points, visible, labeled_mask=np.ones((12, 8)))


def test_skeletons_can_be_given_in_every_form():
    skeleton = build_skeleton('coco18')
    assert PartAffinityField(skeleton).skeleton is skeleton
    metainfo = dict(from_file='configs/_base_/datasets/ap10k.py')
    assert PartAffinityField(metainfo).skeleton.num_keypoints == 17
