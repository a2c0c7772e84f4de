"""The part affinity head: losses, flip test, several sizes, strides, output."""

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmpose.codecs.base import BaseKeypointCodec
from mmpose.registry import KEYPOINT_CODECS, MODELS
from mmpose.structures import PoseDataSample
from torch import nn

from mmkp.codecs import build_skeleton
from mmkp.models.stages import StageOutputs

COCO = build_skeleton('coco18')
# Its limb of head and tail is listed tail first on one side only, and the limb that
# joins a left to a right paw has no mirror image but a limb of its own ends.
CAT = build_skeleton(
    dict(
        dataset_name='cat',
        keypoint_info={
            index: dict(name=name, id=index, color=[0, 0, 0], type='', swap=swap)
            for index, (name, swap) in enumerate(
                [
                    ('head', ''),
                    ('left_paw', 'right_paw'),
                    ('right_paw', 'left_paw'),
                    ('tail', ''),
                ]
            )
        },
        skeleton_info={},
        joint_weights=[1.0] * 4,
        sigmas=[0.05] * 4,
        part_affinity=dict(
            limbs=[
                ('head', 'left_paw'),
                ('right_paw', 'head'),
                ('left_paw', 'right_paw'),
                ('tail', 'left_paw'),
            ]
        ),
    )
)


@KEYPOINT_CODECS.register_module()
class StrongestPerson(BaseKeypointCodec):
    """One person made of the strongest cells, nobody where none exceeds 0.5."""

    def __init__(self, skeleton='coco18', stride=8):
        self.skeleton, self.stride = build_skeleton(skeleton), stride

    def encode(self, keypoints, keypoints_visible=None):
        raise NotImplementedError

    def decode(self, heatmaps, part_affinity_fields):
        raise NotImplementedError

    def batch_decode(self, batch_heatmaps, batch_fields):
        people = []
        for maps in batch_heatmaps[:, :-1].cpu().numpy():
            cells = maps.reshape(len(maps), -1).argmax(1)
            rows, columns = np.unravel_index(cells, maps.shape[1:])
            points = np.stack([columns, rows], -1) * self.stride + (self.stride - 1) / 2
            scores = np.where(maps.max((1, 2)) > 0.5, maps.max((1, 2)), 0)
            number = int((scores > 0).any())
            points, scores = self.skeleton.to_source(
                points[None][:number], scores[None][:number]
            )
            people.append((points, scores, scores.mean(1)))
        return tuple(map(list, zip(*people, strict=True)))


def draw(skeleton, keypoints, size, stride=8):
    """Maps (1, K + 1, h, w) and (1, 2L, h, w) of one person, w x h cells."""
    width, height = size
    x, y = np.meshgrid(*(np.arange(side) * stride + (stride - 1) / 2 for side in size))
    cells = np.stack([x, y], -1)
    distance = np.square(cells[None] - keypoints[:, None, None]).sum(-1)
    heat = np.exp(-distance / (2 * 7**2))
    heat = np.concatenate([heat, 1 - heat.max(0, keepdims=True)])
    fields = np.zeros((skeleton.num_limbs, 2, height, width))
    for limb, (a, b) in enumerate(skeleton.limbs):
        axis = keypoints[b] - keypoints[a]
        length = np.linalg.norm(axis)
        along, beside = (
            (cells - keypoints[a]) @ direction / length
            for direction in (axis, axis[::-1] * (-1, 1))
        )
        inside = (along > -9) & (along < length + 9) & (abs(beside) < 8)
        fields[limb] = inside * (axis / length)[:, None, None]
    fields = fields.reshape(1, -1, height, width)
    return torch.tensor(heat[None]).float(), torch.tensor(fields).float()


def mirrored_person(skeleton, keypoints, width):
    """What a mirror of ``width`` pixels shows, by the names of the keypoints."""
    names = list(skeleton.keypoints)
    swap = {'left': 'right', 'right': 'left'}
    order = [
        names.index('_'.join(swap.get(word, word) for word in name.split('_')))
        for name in names
    ]
    return (keypoints * (-1, 1) + (width - 1, 0))[order]


@MODELS.register_module()
class Scenes(nn.Module):
    """Knows the right maps of a picture, whose brighter side is on the left.

    ``scenes`` maps whether the picture is mirrored, and its width in cells, to maps.
    """

    scenes = {}

    def __init__(self, in_channels, num_keypoints, num_fields):
        super().__init__()

    def forward(self, features):
        is_mirrored = bool(features[0, 0, 0, 0] < features[0, 0, 0, -1])
        heatmaps, fields = self.scenes[is_mirrored, features.shape[-1]]
        return StageOutputs([heatmaps], [fields])


def oracle(skeleton, width=10, height=6, scales=(1,)):
    """Head that shows a person, features of each size, and the person's place."""
    rng = np.random.default_rng(3)
    sides = np.array([8 * width, 8 * height])
    keypoints = rng.uniform(0.25, 0.75, (skeleton.num_keypoints, 2)) * sides
    scenes, feats = {}, []
    for scale in scales:
        cells = (round(width * scale), round(height * scale))
        person = (keypoints + 0.5) * scale - 0.5
        other = mirrored_person(skeleton, person, 8 * cells[0])
        scenes[False, cells[0]] = draw(skeleton, person, cells)
        scenes[True, cells[0]] = draw(skeleton, other, cells)
        ramp = torch.linspace(1, 0, cells[0]).expand(1, 1, cells[1], cells[0])
        feats.append([(ramp,), (ramp.flip(-1),)])
    decoder = dict(type='StrongestPerson', skeleton=skeleton)
    head = MODELS.build(
        dict(
            type='PartAffinityHead',
            in_channels=1,
            stages=dict(type='Scenes'),
            decoder=decoder,
        )
    )
    head.stages.scenes = scenes
    sample = PoseDataSample(metainfo=dict(input_size=(8 * width, 8 * height)))
    return head, feats, [sample], keypoints


def fields_of(head, feats, samples, **test_cfg):
    _, [fields] = head.predict(feats, samples, dict(output_heatmaps=True, **test_cfg))
    return fields


@pytest.mark.parametrize('width', [10, 11])
@pytest.mark.parametrize('skeleton', [COCO, CAT], ids=['coco18', 'cat'])
def test_flip_test_changes_nothing_for_a_network_that_sees_mirrors(skeleton, width):
    head, [views], samples, _ = oracle(skeleton, width)
    plain = fields_of(head, views[0], samples)
    flipped = fields_of(head, views, samples, flip_test=True)
    assert plain.heatmaps.max() > 0.9 and plain.part_affinity_fields.max() > 0.9
    for name in ('heatmaps', 'part_affinity_fields'):
        torch.testing.assert_close(
            plain.get(name), flipped.get(name), atol=1e-6, rtol=0
        )


def test_a_network_that_sees_no_mirrors_is_averaged():
    head, [views], samples, _ = oracle(COCO)
    head.stages.scenes[True, 10] = tuple(m * 0 for m in head.stages.scenes[True, 10])
    plain = fields_of(head, views[0], samples)
    flipped = fields_of(head, views, samples, flip_test=True)
    for name in ('heatmaps', 'part_affinity_fields'):
        torch.testing.assert_close(plain.get(name) / 2, flipped.get(name))


def test_the_field_of_a_limb_without_mirror_image_is_kept():
    assert CAT.limb_flip_indices == (1, 0, 2, -1)
    assert CAT.limb_flip_signs[:3] == (-1, -1, -1)
    head, [views], samples, _ = oracle(CAT)
    flipped = head.stages.scenes[True, 10]
    head.stages.scenes[True, 10] = flipped[0], flipped[1] * 0
    plain = fields_of(head, views[0], samples).part_affinity_fields
    found = fields_of(head, views, samples, flip_test=True).part_affinity_fields
    torch.testing.assert_close(found[:6], plain[:6] / 2)
    assert torch.equal(found[6:], plain[6:]) and plain[6:].abs().max() > 0.5


def test_mirroring_needs_whole_cells():
    head, [views], [sample], _ = oracle(COCO)
    sample.set_metainfo(dict(input_size=(83, 48)))
    head.predict(views[0], [sample])
    with pytest.raises(ValueError, match='multiple of the stride 8, got 83 pixels'):
        head.predict(views, [sample], dict(flip_test=True))


@pytest.mark.parametrize('interpolation', ['bilinear', 'bicubic'])
@pytest.mark.parametrize('flip_test', [False, True])
def test_sizes_are_averaged_where_they_belong(interpolation, flip_test):
    head, feats, samples, keypoints = oracle(COCO, 24, 20, scales=(1, 2, 0.5))
    if not flip_test:
        feats = [views[0] for views in feats]
    test_cfg = dict(
        multiscale_test=True, flip_test=flip_test, interpolation=interpolation
    )
    found = fields_of(head, feats, samples, **test_cfg)
    assert found.heatmaps.shape == (18, 20, 24)
    # The centre of mass of each heatmap stays where the keypoint is.
    heat = found.heatmaps.numpy()
    x, y = np.meshgrid(np.arange(24) * 8 + 3.5, np.arange(20) * 8 + 3.5)
    mass = heat.sum((1, 2))
    centers = np.stack([(heat * x).sum((1, 2)), (heat * y).sum((1, 2))], -1)
    np.testing.assert_allclose(centers / mass[:, None], keypoints, atol=0.6)
    first = fields_of(head, feats[:1], samples, **test_cfg)
    assert 0.05 < (found.heatmaps - first.heatmaps).abs().max() < 0.7


def test_linear_maps_are_resized_exactly():
    from mmkp.models.heads.mirrored_maps import average_of_scales

    def ramp(width, stride):
        centers = torch.arange(width) * stride + (stride - 1) / 2
        return centers.expand(1, 1, 5, width)

    pair = (ramp(8, 8), ramp(8, 8))
    # Cells of 4 pixels of the same picture lie at other places of the same ramp.
    for maps in average_of_scales([pair, (ramp(16, 4), ramp(16, 4))]):
        torch.testing.assert_close(maps, pair[0])
    with pytest.raises(ValueError, match="'area'"):
        head, [views], samples, _ = oracle(COCO)
        head.predict(views[0], samples, dict(interpolation='area'))


def test_people_boxes_and_scores():
    head, [views], samples, keypoints = oracle(COCO)
    [people] = head.predict(views[0], samples)
    names = list(COCO.keypoints)
    expected = keypoints[[names.index(name) for name in COCO.source_keypoints]]
    assert people.keypoints.shape == (1, 17, 2)
    np.testing.assert_allclose(people.keypoints[0], expected, atol=4.01)
    corners = [people.keypoints[0].min(0), people.keypoints[0].max(0)]
    np.testing.assert_array_equal(people.bboxes, np.reshape(corners, (1, 4)))
    assert people.bbox_scores.shape == (1,)
    for name, value in people.items():
        assert value.dtype == np.float32, name
    np.testing.assert_array_equal(people.keypoints_visible, people.keypoint_scores)


def test_boxes_leave_out_what_was_not_found():
    head, [views], samples, keypoints = oracle(COCO)
    head.stages.scenes[False, 10][0][:, : COCO.keypoints.index('left_hip')] *= 0.4
    [people] = head.predict(views[0], samples)
    found = people.keypoint_scores[0] > 0
    assert 0 < found.sum() < 17
    inside = people.keypoints[0, found]
    np.testing.assert_array_equal(people.bboxes[0], [*inside.min(0), *inside.max(0)])


def test_nobody():
    head, [views], samples, _ = oracle(COCO)
    head.stages.scenes[False, 10][0].zero_()
    [people] = head.predict(views[0], samples)
    shapes = {name: value.shape for name, value in people.items()}
    assert shapes == dict(
        keypoints=(0, 17, 2),
        keypoint_scores=(0, 17),
        keypoints_visible=(0, 17),
        bboxes=(0, 4),
        bbox_scores=(0,),
    )


def small_head(stride=8, **kwargs):
    return MODELS.build(
        dict(
            type='PartAffinityHead',
            in_channels=6,
            stages=dict(type='TwoBranchStages', num_stages=2, channels=4),
            decoder=dict(type='StrongestPerson', stride=stride),
            **kwargs,
        )
    )


def targets(height, width, number=2):
    torch.manual_seed(0)
    shapes = dict(
        heatmaps=19, part_affinity_fields=38, heatmap_weights=19, field_weights=38
    )
    return [
        PoseDataSample(
            gt_fields=PixelData(
                **{name: torch.rand(c, height, width) for name, c in shapes.items()}
            )
        )
        for _ in range(number)
    ]


def test_one_loss_for_each_stage_and_branch_reaches_every_parameter():
    head = small_head(feature_channels=(5, 3), loss=dict(type='PartAffinityLoss'))
    features = torch.rand(2, 6, 7, 9, requires_grad=True)
    losses = head.loss((torch.zeros(1), features), targets(7, 9))
    assert sorted(losses) == [
        'loss_field_stage0', 'loss_field_stage1',
        'loss_heatmap_stage0', 'loss_heatmap_stage1',
    ]  # fmt: skip
    sum(losses.values()).backward()
    assert all(p.grad is not None for p in head.parameters())
    assert head.feature_layers[0].weight.shape == (5, 6, 3, 3)
    outputs = head.forward_stages((features,))
    heatmaps, fields = head((features,))
    assert torch.equal(heatmaps, outputs.heatmaps[-1]) and heatmaps.shape[1] == 19
    assert torch.equal(fields, outputs.fields[-1]) and fields.shape[1] == 38


def test_no_gradient_where_nothing_is_known():
    head = small_head()
    samples = targets(7, 9)
    for sample in samples:
        for name in ('heatmap_weights', 'field_weights'):
            sample.gt_fields.get(name)[:, :, :4] = 0
    head.stages = nn.Identity()
    maps = [torch.rand(2, c, 7, 9, requires_grad=True) for c in (19, 38)]
    head.forward_stages = lambda feats: StageOutputs([maps[0]], [maps[1]])
    sum(head.loss((), samples).values()).backward()
    for prediction in maps:
        assert (prediction.grad[..., :4] == 0).all()
        assert (prediction.grad[..., 4:] != 0).all()


def test_another_stride_than_the_codec_says():
    head = small_head()
    message = (
        r'come at stride 4, 20x12 cells, but the codec says stride=8, 10x6 cells: .*'
        'out_indices'
    )
    with pytest.raises(ValueError, match=message):
        head.loss((torch.rand(2, 6, 12, 20),), targets(6, 10))
    sample = PoseDataSample(metainfo=dict(input_size=(80, 48)))
    with pytest.raises(ValueError, match=message):
        head.predict((torch.rand(1, 6, 12, 20),), [sample])
    # Padding of the batch is part of the input; sizes are rounded up or down.
    sample.set_metainfo(dict(batch_input_shape=(96, 160)))
    head.predict((torch.rand(1, 6, 12, 20),), [sample])
    for rows, columns in ((5, 8), (6, 9)):
        sample.set_metainfo(dict(batch_input_shape=(45, 71)))
        head.predict((torch.rand(1, 6, rows, columns),), [sample])


def test_maps_for_mmposes_pictures_are_without_background():
    head, [views], samples, _ = oracle(COCO)
    [people], [fields] = head.predict(views[0], samples, dict(output_heatmaps=True))
    heatmaps, affinity = head.stages.scenes[False, 10]
    assert torch.equal(fields.heatmaps, heatmaps[0, :-1])
    assert torch.equal(fields.part_affinity_fields, affinity[0])
    assert len(people) == 1


def test_half_precision_maps_are_averaged_in_float32():
    head, [views], samples, _ = oracle(COCO)
    scenes = head.stages.scenes
    for key, maps in scenes.items():
        scenes[key] = tuple(m.half() for m in maps)
    fields = fields_of(head, views, samples, flip_test=True)
    assert fields.heatmaps.dtype == fields.part_affinity_fields.dtype == torch.float32
