"""Every row of docs/formulas.md: where the formula stands, its config key, a value."""

import importlib
import inspect
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from formula_values import VALUES_WITHOUT_LABELS
from mmengine.structures import InstanceData, PixelData
from mmpose.registry import (
    DATASETS,
    HOOKS,
    KEYPOINT_CODECS,
    METRICS,
    MODELS,
    TRANSFORMS,
)
from mmpose.structures import PoseDataSample

import mmkp.apis as apis
import mmkp.models as models
import mmkp.ops.part_affinity.formula as fields
from mmkp.codecs.make_skeleton import make_skeleton
from mmkp.models.generators.lmdis_generator import fitted_gaussians
from mmkp.models.stages.stage_outputs import StageOutputs
from mmkp.ops.edge_map.formula import plain_edge_map, squared_segment_distance
from mmkp.ops.geometry import MapGeometry
from mmkp.ops.heatmaps.gaussian_maps import gaussian_maps, normalized_gaussian_maps
from mmkp.ops.heatmaps.hourglass_heatmap import gaussian_patch
from mmkp.ops.heatmaps.moments import expected_squared_distance
from mmkp.ops.heatmaps.peaks import locate_maxima, peak_positions
from mmkp.ops.heatmaps.soft_argmax import soft_argmax, spatial_softmax
from mmkp.ops.part_affinity.assembly import assemble_poses
from mmkp.ops.part_affinity.grouping_config import GroupingConfig
from mmkp.ops.part_affinity.limb_skeleton import limb_tables
from mmkp.ops.part_affinity.line_integrals import LimbCandidates, line_integral
from mmkp.ops.part_affinity.matching import match_limbs
from mmkp.ops.part_affinity.peaks import find_peaks
from mmkp.ops.part_affinity.targets import RenderedMaps
from mmkp.ops.part_affinity.weights import label_weights
from mmkp.ops.token_maps.attention_maps import attention_maps
from mmkp.ops.token_maps.furthest_point_sampling import furthest_point_sampling
from mmkp.ops.token_maps.gaussian_divergence import gaussian_kl_divergence
from mmkp.ops.token_maps.localization_targets import peak_gaussians
from mmkp.ops.token_maps.view_aggregation import ViewAggregator
from mmkp.ops.warps.affine import AffineWarp
from mmkp.ops.warps.thin_plate_kernel import (
    solve_thin_plate_spline,
    thin_plate_kernel,
)

PAGE = Path(__file__).parents[1] / 'docs/formulas.md'
# What docstrings call the paper of each section of the page.
PAPERS = {
    'Stacked hourglass': 'Newell',
    'OpenPose': "CVPR'17",
    'Factorized': 'Thewlis',
    'LMDIS': 'LMDIS',
    'AutoLink': 'AutoLink',
    'StableKeypoints': 'StableKeypoints',
    'IMM': 'IMM',
    'Feature clusters': 'Amir',
    'YOLOX': 'YOLOX',
    'Ridge regression': 'Golub',
    'Score without labels': 'ours',
    'Image moments': 'Hu',
    'Films': 'ours',
    'Which images': 'Chen',
}
REGISTRIES = MODELS, KEYPOINT_CODECS, HOOKS, DATASETS, METRICS, TRANSFORMS
GEOMETRY = MapGeometry.cell_centers((4, 4), (4, 4))
IDENTITY = AffineWarp(torch.eye(2, 3)[None], (4, 4), align_corners=False)


def rows():
    """(paper, place, function, config key) of each row of the page."""
    found, paper = [], ''
    for line in PAGE.read_text().splitlines():
        if line.startswith('## '):
            paper = next(name for key, name in PAPERS.items() if key in line)
        cells = [cell.strip() for cell in line.strip('|').split('|')]
        if line.startswith('| ') and cells[0] != 'place':
            found.append((paper, cells[0], cells[2].strip('`'), cells[3].strip('`')))
    return found


ROWS = rows()


def resolve(name):
    """An object by its dotted name, and the class that holds it."""
    parts = name.split('.')
    for end in range(len(parts), 0, -1):
        try:
            found = importlib.import_module('.'.join(parts[:end]))
        except ModuleNotFoundError:
            continue
        owner = None
        for part in parts[end:]:
            owner, found = found, getattr(found, part)
        return found, owner if inspect.isclass(owner) else None
    raise AssertionError(name)


@pytest.mark.parametrize('row', ROWS, ids=lambda row: row[2].split('.')[-1])
def test_the_function_names_paper_and_place(row):
    paper, place, name, _ = row
    found, owner = resolve(name)
    told = ' '.join(f'{inspect.getdoc(found)} {inspect.getdoc(owner) or ""}'.split())
    if place == 'ours':
        return
    if ', ' in place:  # of another paper
        paper, place = place.split(', ')
    assert paper.split()[0] in told
    for number in re.findall(r'\d[\d.]*', place):
        assert re.search(rf'\b{re.escape(number)}\b', told), (place, told)


@pytest.mark.parametrize('row', ROWS, ids=lambda row: row[2].split('.')[-1])
def test_the_config_key_exists(row):
    kind, argument = row[3].split('.')
    types = [found for registry in REGISTRIES if (found := registry.get(kind))]
    taking = [base.__init__ for found in types for base in found.mro()]
    taking = taking or [getattr(apis, kind, resolve(row[2])[0])]
    assert any(argument in inspect.signature(one).parameters for one in taking)


def test_every_row_has_a_value_and_every_value_a_row():
    assert {row[2] for row in ROWS} == set(VALUES)


@pytest.mark.parametrize('name', sorted({row[2] for row in ROWS}))
def test_value_in_closed_form(name):
    found, expected = VALUES[name]()
    torch.testing.assert_close(
        torch.as_tensor(found, dtype=torch.float64),
        torch.as_tensor(expected, dtype=torch.float64),
        rtol=1e-5,
        atol=1e-6,
    )


def one_hot(*cells, size=4):
    """Maps (1, K, size, size) with all mass in one cell (x, y) each."""
    maps = torch.zeros(1, len(cells), size, size)
    for k, (x, y) in enumerate(cells):
        maps[0, k, y, x] = 1
    return maps


def hourglass_patch():
    e1, e2 = math.exp(-1 / 8), math.exp(-2 / 8)
    return gaussian_patch(2.0, 3), [[e2, e1, e2], [e1, 1, e1], [e2, e1, e2]]


def intermediate_supervision():
    head = models.StackedHourglassHead(num_keypoints=1, num_stacks=2)
    sample = PoseDataSample()
    sample.gt_fields = PixelData(heatmaps=torch.zeros(1, 2, 2))
    sample.gt_instance_labels = InstanceData(keypoint_weights=torch.ones(1, 1))
    stacks = [torch.full((1, 1, 2, 2), value) for value in (1.0, 3.0)]
    losses = head.loss([*stacks, *stacks], [sample], dict(compute_acc=False))
    return [losses['loss_stack0'].item(), losses['loss_stack1'].item()], [1.0, 9.0]


def quarter_step():
    heatmap = torch.zeros(5, 5)
    heatmap[2, 2], heatmap[2, 3], heatmap[1, 2] = 1.0, 0.5, 0.5
    return locate_maxima(heatmap)[0], [2.25, 1.75]


def refinement():
    stages = models.TwoBranchStages(
        2, 1, 2, num_stages=2, channels=2, hidden_channels=2, kernel_size=3
    )
    features = torch.randn(1, 2, 4, 4)
    with torch.no_grad():
        outputs = stages(features)
        joined = torch.cat((outputs.fields[0], outputs.heatmaps[0], features), 1)
        return outputs.fields[1], stages.field_branches[1](joined)


def stage_losses():
    maps = torch.full((1, 1, 1, 2), 3.0)
    outputs = StageOutputs([maps, maps + 1], [maps])
    loss = models.PartAffinityLoss(caffe_scaling=True)
    target, weights = torch.ones(1, 1, 1, 2), torch.tensor([[[[0.5, 0.0]]]])
    found = loss(outputs, target, target, weights, weights)
    # 1/2 of (W (S - S*))^2: (0.5 * 2)^2 / 2 and, in the second stage, (0.5 * 3)^2 / 2.
    return sorted(v.item() for v in found.values()), [0.5, 0.5, 1.125]


def weights_of_cells():
    heatmaps = RenderedMaps(np.float32([[[0.5, 0]], [[0.5, 1]]]), np.array([0]))
    none = RenderedMaps(np.zeros((2, 1, 2), np.float32), np.array([], np.int64))
    limbs = np.zeros((1, 2), np.int64)
    found, _ = label_weights(heatmaps, none, limbs, mask=np.zeros((1, 2)))
    # Nobody is labelled, but where something is drawn its channel counts.
    return found, [[[1, 0]], [[1, 0]]]


def confidence():
    # Cells of 2 pixels lie at 0.5, 2.5 and 4.5; the nearer person counts.
    found = fields.confidence_map(np.array([[0.5, 0.5], [4.5, 0.5]]), (3, 1), 2, 2.0)
    return found[0], [1, math.exp(-4 / 8), 1]


def field():
    start, end = np.array([[0.0, 0.0], [3.0, 0.0]]), np.array([[3.0, 0.0], [3.0, 3.0]])
    found = fields.part_affinity_field(start, end, (5, 5), 1, 1.0)
    # On one limb its direction, on both the mean.
    return found[:, [0, 0, 3], [0, 3, 3]], [[1, 0.5, 0], [0, 0.5, 1]]


def suppression():
    x, y = np.arange(9), np.arange(9)[:, None]
    gaussian = np.exp(-((x - 4.25) ** 2 + (y - 3.5) ** 2) / 8)[None]
    peaks = find_peaks(np.ascontiguousarray(gaussian, np.float32), 0.1)
    return [len(peaks.x), peaks.x[0], peaks.y[0]], [1, 4.25, 3.5]


def integral():
    constant = np.zeros((2, 9, 9), np.float32)
    constant[0] = 1
    rules = GroupingConfig(length_penalty=False).rules(1)
    ends = ((1.0, 1.0), (5.0, 1.0)), ((1.0, 1.0), (5.0, 5.0))
    found = [line_integral(constant, *pair, rules) for pair in ends]
    return found, [1, 1 / math.sqrt(2)]


def candidates(*columns):
    """Limbs as (limb, start, end, score)."""
    limb, start, end, score = zip(*columns, strict=True)
    return LimbCandidates(
        np.array(limb), np.array(start), np.array(end), np.array(score, np.float64)
    )


def matching():
    # The best takes both of its ends; of the others the pair that is left.
    limbs = candidates((0, 0, 2, 0.9), (0, 0, 3, 0.8), (0, 1, 2, 0.7), (0, 1, 3, 0.1))
    found = match_limbs(limbs, 4)
    return [*found.start, *found.end], [0, 1, 2, 3]


def assembly():
    skeleton = make_skeleton('chain', 'abc', {}, [0.1] * 3, [('a', 'b'), ('b', 'c')])
    limbs = candidates((0, 0, 1, 0.5), (1, 1, 2, 0.25))
    poses = assemble_poses(limbs, 3, limb_tables(skeleton), True)
    return [*poses.peak[0], poses.limb_score[0]], [0, 1, 2, 0.75]


def softmax():
    logits = torch.tensor([1.0, 2.0, 3.0, 4.0]).log().view(1, 1, 2, 2)
    return spatial_softmax(logits).flatten(), [0.1, 0.2, 0.3, 0.4]


def expectation():
    maps = (one_hot((0, 1)) + 3 * one_hot((2, 3))) / 4
    return soft_argmax(maps, GEOMETRY), [[[1.5, 2.5]]]


def expected_distance():
    p, u = torch.tensor([[[0.5, 0.5]]]), torch.tensor([[0.0, 0.0], [2.0, 0.0]])
    q, v = torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[1.0, 1.0], [9.0, 9.0]]])
    return expected_squared_distance(p, u, q, v)[0], [[2.0]]


def diversity():
    maps = one_hot((1, 1), (1, 1), (3, 3))
    return models.DiversityLoss(window=1)(maps), 1.0


def spline():
    control = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]])
    targets = (control + torch.tensor([[0.1, 0.0], [0, 0], [0, 0], [0, 0]]))[None]
    affine, coefficients = solve_thin_plate_spline(control, targets)
    kernel = thin_plate_kernel(control[None], control, 'shifted')
    homogeneous = torch.cat((control, torch.ones(4, 1)), 1)
    return homogeneous @ affine[0].T + kernel[0] @ coefficients[0], targets[0]


def channel_softmax():
    head = models.ChannelSoftmaxHead(1, 1)
    # The keypoint has 3/4 of one cell and 1/2 of the other.
    logits = torch.tensor([[[[3.0, 1.0]], [[1.0, 1.0]]]]).log()
    return head.distributions(logits).flatten(), [0.6, 0.4, 1 / 3, 2 / 3]


def concentration():
    maps = (one_hot((0, 0)) + one_hot((2, 2))) / 2  # deviation 1 pixel of 4
    loss = models.ConcentrationLoss()
    return loss(GEOMETRY, maps), 2 * math.pi * math.e / 16


def separation():
    points = torch.tensor([[[0.0, 0.0], [1.0, 0.0]]])
    loss = models.SeparationLoss(bandwidth=0.25)  # 1 pixel of 4
    return loss(GEOMETRY, points), 2 * math.exp(-0.5)


def equivariance_of_means():
    loss = models.EquivarianceLoss(variant='means')
    points = torch.tensor([[[1.0, 1.0]]])
    # 1 pixel is 1/2 of half an edge.
    found = loss(GEOMETRY, IDENTITY, keypoints=points, warped_keypoints=points + 1)
    return found, 0.5


def lmdis_generator(**changes):
    """A generator of 1 keypoint with features of 2 channels."""
    tiny = dict(
        type='LMDISHourglass', encoder=((4,),), bottleneck=(4,), decoder=((4,), (2,))
    )
    return models.LMDISGenerator(
        1, tiny, tiny, 2, descriptor_channels=2, sigmas=(0.25,), **changes
    )


def descriptor():
    features = torch.arange(32.0).view(1, 2, 4, 4)
    maps = torch.cat((one_hot((1, 0)), torch.full((1, 1, 4, 4), 1 / 16)), 1)
    found = lmdis_generator().pool(features, maps, GEOMETRY)
    return found, [[[1.0, 17.0], [7.5, 23.5]]]


def fitted():
    geometry = MapGeometry.cell_centers((5, 5), (5, 5))
    maps = (one_hot((1, 2), size=5) + one_hot((3, 2), size=5)) / 2
    found = fitted_gaussians(maps, geometry)[0, 0, 2]
    # Deviations 1 along x and 0 along y: their mean, half a cell.
    line = torch.tensor([math.exp(-((x - 2) ** 2) / 0.5) for x in range(5)])
    return found / found[2], line


def normalized_gaussians():
    points, geometry = torch.tensor([[[1.0, 1.0]]]), GEOMETRY
    found = normalized_gaussian_maps(points, geometry, (0.5,))[0, 0, :, 1, 1]
    density = 1 / (2 * math.pi * 0.25) / 16  # of the image's area 1, over a cell
    total = density + 1 / 16
    return found, [density / total, 1 / 16 / total]


def lmdis_decoder_input():
    generator = lmdis_generator()
    points, descriptors = torch.tensor([[[1.0, 1.0]]]), torch.randn(1, 2, 2)
    with torch.no_grad():
        drawn = generator.decoder_input(points, descriptors, (4, 4))
        raised = generator.expand(descriptors)
    maps = normalized_gaussian_maps(points, GEOMETRY, (0.25,))[0]
    spread = (maps[:, :, None] * raised[..., None, None]).sum(1)
    return drawn, torch.cat((maps, spread), 1)


def squared_error():
    images = torch.zeros(2, 3, 2, 2)
    return models.SquaredErrorLoss()(images + 2, images), 12 * 4 / 2


def segment_distance():
    start, end = torch.tensor([0.0, 0.0]), torch.tensor([4.0, 0.0])
    x, y = torch.tensor([2.0, 7.0]), torch.tensor([3.0, 4.0])
    ends = start[:, None].expand(2, 2), end[:, None].expand(2, 2)
    return squared_segment_distance(x, y, *ends), [9.0, 25.0]


def edges():
    points = torch.tensor([[[0.0, 0.0], [3.0, 0.0], [3.0, 3.0]]])
    pairs, weights = torch.tensor([[0, 1], [1, 2]]), torch.tensor([1.0, 0.5])
    found = plain_edge_map(points, weights, (4, 4), 2.0, pairs)[0, 0]
    expected = [1.0, math.exp(-0.5), 0.5]
    return found[[0, 1, 3], [0, 0, 3]], expected


def masked_image():
    generator = models.EdgeMapGenerator(2, channels=(2, 2))
    images, mask = torch.full((1, 3, 4, 4), 0.5), torch.zeros(1, 1, 4, 4)
    mask[..., :2] = 1
    points = torch.tensor([[[0.0, 0.0], [3.0, 3.0]]])
    found = generator(images, points, mask)['masked_images']
    return found, images * mask


@pytest.mark.filterwarnings('ignore:PerceptualLoss')
def perceptual():
    loss = models.PerceptualLoss(
        image_size=None, base_channels=2, layer_weights=(1, 2, 3, 4)
    )
    first, second = torch.rand(2, 1, 3, 16, 16)
    pairs = zip(
        *(loss.features(loss.preprocess(images)) for images in (first, second)),
        strict=True,
    )
    distances = [(a - b).abs().mean() for a, b in pairs]
    return loss(first, second), sum(w * d for w, d in enumerate(distances, 1))


def attention():
    logits = torch.randn(1, 2, 4, 4, 3)  # two heads, three tokens
    found = attention_maps([logits, logits], (4, 4))
    return found, logits.softmax(-1).mean(1).permute(0, 3, 1, 2)


def localization_target():
    found = peak_gaussians(one_hot((1, 2)), 2.0)[0, 0, 2]
    return found, [math.exp(-((x - 1) ** 2) / 8) for x in range(4)]


def localization():
    maps = one_hot((1, 2))
    target = peak_gaussians(maps, 1.0)
    loss = models.LocalizationLoss(sigma=1.0, loss_weight=1.0)
    return loss(maps), (maps - target).square().mean()


def map_equivariance():
    maps = torch.rand(1, 2, 4, 4)
    loss = models.MapEquivarianceLoss(loss_weight=1.0)
    return loss(maps, maps + 0.5, IDENTITY, GEOMETRY), 0.25


def divergence():
    maps = torch.zeros(1, 1, 1, 2)
    maps[..., 0] = 1
    heights = [1 + 1e-5, math.exp(-1 / 2) + 1e-5]  # sigma 1
    g = [height / sum(heights) for height in heights]
    p = [math.e / (math.e + 1), 1 / (math.e + 1)]
    expected = sum(a * math.log(a / b) for a, b in zip(g, p, strict=True))
    return gaussian_kl_divergence(maps, sigma=1.0), [[expected]]


def furthest_points():
    points = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [10.0, 0.0], [6.0, 0.0]]])
    return furthest_point_sampling(points, 3).sort(-1).values, [[0, 2, 3]]


def peak():
    geometry = MapGeometry.cell_centers((8, 8), (4, 4))
    return peak_positions(one_hot((1, 3)), geometry), [[[2.5, 6.5]]]


def mean_of_views():
    aggregator = ViewAggregator(GEOMETRY)
    first, second = torch.rand(2, 1, 2, 4, 4)
    for maps in (first, second):
        aggregator.add(maps, IDENTITY)
    return aggregator.result(), (first + second) / 2


def plain_gaussians():
    found = gaussian_maps(torch.tensor([[[1.0, 2.0]]]), GEOMETRY, 2.0)[0, 0, 1]
    return found, [math.exp(-((x - 1) ** 2 + 1) / 8) for x in range(4)]


VALUES = {
    'mmkp.ops.heatmaps.hourglass_heatmap.gaussian_patch': hourglass_patch,
    'mmkp.models.heads.StackedHourglassHead.loss': intermediate_supervision,
    'mmkp.ops.heatmaps.peaks.locate_maxima': quarter_step,
    'mmkp.models.stages.TwoBranchStages.forward': refinement,
    'mmkp.models.losses.PartAffinityLoss.forward': stage_losses,
    'mmkp.ops.part_affinity.weights.label_weights': weights_of_cells,
    'mmkp.ops.part_affinity.formula.confidence_map': confidence,
    'mmkp.ops.part_affinity.formula.part_affinity_field': field,
    'mmkp.ops.part_affinity.peaks.find_peaks': suppression,
    'mmkp.ops.part_affinity.line_integrals.line_integral': integral,
    'mmkp.ops.part_affinity.matching.match_limbs': matching,
    'mmkp.ops.part_affinity.assembly.assemble_poses': assembly,
    'mmkp.ops.heatmaps.soft_argmax.spatial_softmax': softmax,
    'mmkp.ops.heatmaps.soft_argmax.soft_argmax': expectation,
    'mmkp.ops.heatmaps.moments.expected_squared_distance': expected_distance,
    'mmkp.models.losses.DiversityLoss.forward': diversity,
    'mmkp.ops.warps.thin_plate_kernel.solve_thin_plate_spline': spline,
    'mmkp.models.heads.ChannelSoftmaxHead.distributions': channel_softmax,
    'mmkp.models.losses.ConcentrationLoss.forward': concentration,
    'mmkp.models.losses.SeparationLoss.forward': separation,
    'mmkp.models.losses.EquivarianceLoss.forward': equivariance_of_means,
    'mmkp.models.generators.LMDISGenerator.pool': descriptor,
    'mmkp.models.generators.lmdis_generator.fitted_gaussians': fitted,
    'mmkp.ops.heatmaps.gaussian_maps.normalized_gaussian_maps': normalized_gaussians,
    'mmkp.models.generators.LMDISGenerator.decoder_input': lmdis_decoder_input,
    'mmkp.models.losses.SquaredErrorLoss.forward': squared_error,
    'mmkp.ops.edge_map.formula.squared_segment_distance': segment_distance,
    'mmkp.ops.edge_map.formula.plain_edge_map': edges,
    'mmkp.models.generators.EdgeMapGenerator.forward': masked_image,
    'mmkp.models.losses.PerceptualLoss.forward': perceptual,
    'mmkp.ops.token_maps.attention_maps.attention_maps': attention,
    'mmkp.ops.token_maps.localization_targets.peak_gaussians': localization_target,
    'mmkp.models.losses.LocalizationLoss.forward': localization,
    'mmkp.models.losses.MapEquivarianceLoss.forward': map_equivariance,
    'mmkp.ops.token_maps.gaussian_divergence.gaussian_kl_divergence': divergence,
    'mmkp.ops.token_maps.furthest_point_sampling.furthest_point_sampling': (
        furthest_points
    ),
    'mmkp.ops.heatmaps.peaks.peak_positions': peak,
    'mmkp.ops.token_maps.view_aggregation.ViewAggregator': mean_of_views,
    'mmkp.ops.heatmaps.gaussian_maps.gaussian_maps': plain_gaussians,
    **VALUES_WITHOUT_LABELS,
}
