# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Losses, heads, generators and view transforms under autocast and of half inputs."""

from types import SimpleNamespace

import pytest
import torch
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from precision import HALVES, Case, check_autocast, check_half_inputs

import mmkp.models  # noqa: F401  registers them
from mmkp.models.stages.stage_outputs import StageOutputs
from mmkp.ops.geometry import MapGeometry
from mmkp.ops.warps.affine import AffineWarp

SIZE = (48, 40)
GEOMETRY = MapGeometry.cell_centers(SIZE, (12, 10))
draw = torch.Generator().manual_seed(0)
TURN = torch.tensor([[0.9, 0.2, 0.1], [-0.2, 0.8, 0.0]]).expand(2, -1, -1)
WARP = AffineWarp(TURN, SIZE)
MAPS = (3 * torch.randn(2, 2, 3, 120, generator=draw)).softmax(-1).view(2, 2, 3, 10, 12)
POINTS = 35 * torch.rand(2, 2, 3, 2, generator=draw)
IMAGES = torch.rand(2, 3, 40, 48, generator=draw)
DRAWN = torch.rand(2, 3, 40, 48, generator=draw)
LOGITS = 4 * torch.randn(2, 4, 10, 12, generator=draw)
FEATURES = torch.randn(2, 6, 10, 12, generator=draw)
WEIGHTS = torch.ones(2, 3)
CODEC = dict(type='PartAffinityField', skeleton='coco18', input_size=SIZE, stride=4)


def build(kind, **options):
    torch.manual_seed(0)
    model = MODELS.build(dict(type=kind, **options))
    return model.train()


def loss_of(kind, *inputs, about=(), **options):
    """The loss of inputs after what does not come from a network."""
    loss = build(kind, **options)
    return Case(lambda *given: loss(*about, *given), inputs)


def stage_loss(*maps):
    loss = build('PartAffinityLoss')
    return loss(StageOutputs([maps[0]], [maps[1]]), *(m.flip(-1) for m in maps))


def perceptual(distance):
    loss = build(
        'PerceptualLoss', base_channels=4, image_size=None, chunk_size=1,
        distance=distance, layers=('relu1_2', 'relu2_2'),
    )  # fmt: skip
    # Convolutions of a network, that of the target too.
    return Case(loss, (DRAWN, IMAGES), bound=1, gradient_bound=0.25)


LOSSES = {
    'ConcentrationLoss': [loss_of('ConcentrationLoss', MAPS[0], about=[GEOMETRY])],
    'DiversityLoss': [
        loss_of('DiversityLoss', *MAPS, both_views=True, variant=variant)
        for variant in ('max', 'count_minus_max', 'quadratic')
    ],
    'EquivarianceLoss': [
        loss_of('EquivarianceLoss', *MAPS, about=[GEOMETRY, WARP]),
        Case(
            lambda *points: build('EquivarianceLoss', variant='means')(
                GEOMETRY, WARP, None, None, *points
            ),
            tuple(POINTS),
        ),
    ],
    'FigureCoverageLoss': [
        Case(
            lambda *given: build('FigureCoverageLoss')(*given, GEOMETRY),
            (IMAGES, POINTS[0]),
        )
    ],
    'FigureGroundLoss': [
        Case(
            lambda images, maps, share, edges: build(
                'FigureGroundLoss', edge_weight=1.0
            )(images, maps, share, GEOMETRY, edges),
            (IMAGES, MAPS[0], LOGITS.softmax(1)[:, -1], IMAGES[:, :1]),
        )
    ],
    'FlipConsistencyLoss': [
        Case(
            lambda *points: build(
                'FlipConsistencyLoss', num_keypoints=points[0].shape[1], pairs=[(0, 1)]
            )(*points, GEOMETRY),
            tuple(POINTS),
        )
    ],
    'KeypointRegressionLoss': [
        Case(
            lambda points: build('KeypointRegressionLoss')(
                GEOMETRY, points, POINTS[1], WEIGHTS
            ),
            (POINTS[0],),
        )
    ],
    'LocalizationLoss': [loss_of('LocalizationLoss', MAPS[0] * 9)],
    'MapEquivarianceLoss': [
        Case(
            lambda *maps: build('MapEquivarianceLoss')(*maps, WARP, GEOMETRY),
            tuple(MAPS),
        )
    ],
    'PartAffinityLoss': [Case(stage_loss, (LOGITS, FEATURES))],
    'PerceptualLoss': [perceptual('l1'), perceptual('l2')],
    'SeparationLoss': [loss_of('SeparationLoss', POINTS[0], about=[GEOMETRY])],
    'SquaredErrorLoss': [loss_of('SquaredErrorLoss', DRAWN, IMAGES)],
}

SAMPLE = PoseDataSample(metainfo=dict(input_size=SIZE))


def located(kind, maps, **options):
    """Keypoints and their distributions from the maps of a network."""
    head = build(kind, num_keypoints=3, **options)
    return Case(lambda given: head.locate(given, SIZE), (maps,))


def layers(kind, **options):
    """What a head's convolutions make of features."""
    head = build(kind, in_channels=6, num_keypoints=3, **options)
    return Case(lambda x: head([x]), (FEATURES,), bound=1, gradient_bound=0.02)


def predicted(kind, maps, **options):
    """Predictions, numpy, from maps that the network gave."""
    head = build(kind, **options).eval()
    head.forward = lambda feats: feats[-1]

    def predict(given):
        with torch.no_grad():
            found = head.predict([given], [SAMPLE] * 2)
        names = ('keypoints', 'keypoint_scores')
        return [torch.from_numpy(f[name]) for f in found for name in names]

    return Case(predict, (maps,))


def decoded(*maps):
    head = build(
        'PartAffinityHead', in_channels=6, decoder=CODEC,
        stages=dict(type='LightweightStages'),
    ).eval()  # fmt: skip
    head.forward = lambda feats: feats
    found = head.predict(list(maps), [SAMPLE] * 2, dict(output_heatmaps=True))
    return [each.heatmaps for each in found[1]] + [
        torch.from_numpy(each.keypoints) for each in found[0]
    ]


def stacked(maps):
    head = build(
        'StackedHourglassHead', num_keypoints=4, num_stacks=1,
        decoder=dict(type='HourglassHeatmap', input_size=SIZE, heatmap_size=(12, 10)),
    )  # fmt: skip
    samples = []
    for targets in LOGITS.flip(1):
        fields = SimpleNamespace(heatmaps=targets)
        labels = SimpleNamespace(keypoint_weights=torch.ones(1, 4))
        samples.append(SimpleNamespace(gt_fields=fields, gt_instance_labels=labels))
    losses = head.loss([maps, maps], samples)
    with torch.no_grad():
        found = head.predict([maps, maps], samples)
    points = [torch.from_numpy(each.keypoints) for each in found]
    return [losses['loss_stack0'], losses['heatmap_peak'], *points]


HEADS = {
    'SoftArgmaxHead': [
        located('SoftArgmaxHead', LOGITS[:, :3], in_channels=6),
        predicted('SoftArgmaxHead', LOGITS[:, :3], in_channels=6, num_keypoints=3),
        layers('SoftArgmaxHead', upsample_channels=(), final_norm=True),
    ],
    'ChannelSoftmaxHead': [
        located('ChannelSoftmaxHead', LOGITS, in_channels=6, padding=4),
        located('ChannelSoftmaxHead', LOGITS, in_channels=6, mass_epsilon=1e-6),
        predicted('ChannelSoftmaxHead', LOGITS, in_channels=6, num_keypoints=3),
        layers('ChannelSoftmaxHead'),
    ],
    'TokenHead': [
        located('TokenHead', 0.1 + MAPS[0], num_tokens=4, centroid_radius=3.0),
        predicted('TokenHead', MAPS[0], num_tokens=4, num_keypoints=3),
    ],
    'PartAffinityHead': [
        Case(
            lambda *maps: decoded(*(m.detach() for m in maps)),
            (
                torch.randn(2, 19, 10, 12, generator=draw),
                torch.randn(2, 38, 10, 12, generator=draw),
            ),
        )
    ],
    'StackedHourglassHead': [Case(stacked, (LOGITS,))],
}

NARROW = dict(
    type='LMDISHourglass', encoder=((4,),), bottleneck=(4,), decoder=((4,), (4,))
)


def generate(kind, inputs, name, bound=0, **options):
    """One output of a generator."""
    generator = build(kind, num_keypoints=3, **options)
    about = [GEOMETRY] if kind in ('LMDISGenerator', 'EdgeDrawing') else []
    return Case(
        lambda *given: generator(*given, *about)[name],
        inputs,
        bound=bound,
        gradient_bound=0.25 if bound else 0,
    )


def edge_generator(name, bound=0):
    inputs = IMAGES, POINTS[0]
    return generate('EdgeMapGenerator', inputs, name, bound, channels=(4, 4, 4))


def imm(name, bound=0):
    options = dict(
        encoder=dict(type='AutoLinkEncoder', channels=(4, 4)),
        in_channels=4,
        channels=(4, 4),
    )
    return generate('IMMGenerator', (IMAGES, POINTS[0]), name, bound, **options)


def lmdis(bound, **options):
    shares = LOGITS.flatten(2).softmax(-1).view_as(LOGITS)
    return generate(
        'LMDISGenerator', (IMAGES, POINTS[0], shares), 'reconstruction', bound,
        features=NARROW, decoder=NARROW, feature_channels=4, **options,
    )  # fmt: skip


# What is drawn of keypoints is as exact as they are; images come out of a network,
# with batch normalisation of small batches.
GENERATORS = {
    'EdgeDrawing': [
        generate('EdgeDrawing', (IMAGES, POINTS[0], MAPS[0]), 'edge_map')
    ],
    'EdgeMapGenerator': [
        edge_generator('edge_map'), edge_generator('reconstruction', 4)
    ],
    'IMMGenerator': [imm('gaussian_maps'), imm('reconstruction', 4)],
    'LMDISGenerator': [lmdis(4), lmdis(4, pooling='gaussian')],
}  # fmt: skip


VIEWS = {
    name: [Case(build(name, brightness=0.1, contrast=0.1), (IMAGES,))]
    for name in ('RandomAffineWarp', 'RandomLMDISWarp', 'RandomThinPlateSpline')
}


def registered(part: str) -> set[str]:
    """Names of the types that a room of mmkp.models registers."""
    place = f'mmkp.models.{part}.'
    return {n for n, t in MODELS.module_dict.items() if t.__module__.startswith(place)}


def cases(parts, of_network=True):
    return [
        pytest.param(case, id=f'{name}{number}')
        for part in parts
        for name, found in part.items()
        for number, case in enumerate(found)
        if of_network or not case.bound
    ]


def test_every_registered_type_is_checked():
    assert registered('losses') == set(LOSSES)
    assert registered('heads') == set(HEADS)
    assert registered('generators') == set(GENERATORS)
    # OpticalFlowView takes its warp from the samples, see test_optical_flow_view.
    assert registered('view_transforms') == {*VIEWS, 'OpticalFlowView'}


@pytest.mark.parametrize('half', HALVES, ids=str)
@pytest.mark.parametrize('case', cases([LOSSES, HEADS, GENERATORS, VIEWS]))
def test_autocast(case, half):
    check_autocast(case, half)


# A network of float32 weights takes no half inputs outside autocast.
@pytest.mark.parametrize('half', HALVES, ids=str)
@pytest.mark.parametrize('case', cases([LOSSES, HEADS], of_network=False))
def test_half_inputs(case, half):
    check_half_inputs(case, half)


@pytest.mark.parametrize('half', HALVES, ids=str)
@pytest.mark.parametrize('kind', VIEWS)
def test_half_images_are_warped_by_exact_positions(kind, half):
    transform = build(kind)
    images = IMAGES.to(half)
    results = []
    for given in (images, images.float()):
        torch.manual_seed(3)
        results.append(transform(given))
    (found, warp), (exact, same) = results
    assert torch.equal(found, exact.to(half))
    assert warp.dtype == torch.float32
    points = 35 * torch.rand(2, 3, 2)
    assert torch.equal(warp.points_to_source(points), same.points_to_source(points))
