# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What of ops is held to full precision: maps, moments, layers of networks."""

import torch
from precision import Case

from mmkp.ops import image_moments, mirrored_keypoints
from mmkp.ops.batch_norm import BatchNorm2d, channel_statistics
from mmkp.ops.border_background import border_background, border_contrast
from mmkp.ops.doubled_convolution import channels_first_mixed, doubled_convolution
from mmkp.ops.edge_map.edge_map import edge_map
from mmkp.ops.edge_map.formula import (
    complete_graph,
    plain_edge_map,
    squared_segment_distance,
)
from mmkp.ops.geometry import MapGeometry
from mmkp.ops.heatmaps import gaussian_maps, moments, peaks, soft_argmax, window_sums
from mmkp.ops.precision import full_precision_product, product_by_elements
from mmkp.ops.token_maps import (
    by_rows,
    feature_clusters,
    salience,
    separable_divergence,
    view_aggregation,
)
from mmkp.ops.token_maps.attention_maps import attention_maps
from mmkp.ops.token_maps.gaussian_divergence import gaussian_kl_divergence
from mmkp.ops.token_maps.localization_targets import peak_gaussians
from mmkp.ops.warps import affine

SIZE = (60, 40)
GEOMETRY = MapGeometry.cell_centers((76, 48), (18, 12), (8, 4))
draw = torch.Generator().manual_seed(0)
POINTS = 35 * torch.rand(2, 5, 2, generator=draw)
LOGITS = 3 * torch.randn(2, 3, 12, 18, generator=draw)
MAPS = LOGITS.flatten(2).softmax(-1).view_as(LOGITS)
IMAGES = torch.rand(2, 3, SIZE[1], SIZE[0], generator=draw)
MASSES = IMAGES[:, 0] ** 3
MOMENTS = image_moments.central_moments(MASSES, image_moments.centroid(MASSES))
ANGLES = torch.tensor([0.3, -1.0])
LINE_X, LINE_Y = GEOMETRY.columns(MAPS), GEOMETRY.rows(MAPS)
CELLS = GEOMETRY.centers(MAPS)
EDGES = complete_graph(5)
WEIGHTS = torch.rand(10, generator=draw)
ATTENTION = 2 * torch.randn(2, 2, 6, 8, 7, generator=draw)
TURNED = torch.tensor([[0.9, 0.2, 0.1], [-0.2, 0.8, 0.0]]).expand(2, -1, -1)
FEATURES = torch.randn(2, 24, 4, 6, generator=draw)
KERNELS, BIAS = torch.randn(8, 24, 3, 3, generator=draw) / 9, torch.zeros(8)
POSITIVE = torch.rand(4, 6, generator=draw) + 0.1


def batch_norm(features):
    return BatchNorm2d(24).train()(features)


def aggregate(maps):
    views = view_aggregation.ViewAggregator(GEOMETRY)
    # Predictions only: no gradient.
    views.add(maps.detach(), affine.AffineWarp(TURNED, (76, 48)))
    return views.result(), views.coverage()


def tokens_of(function):
    return lambda layer: function([layer, layer], (16, 12), torch.tensor([[1, 4]] * 2))


# Names below mmkp.ops. Bits are equal unless a bound is given: of layers of networks,
# whose products are what mixed precision is for.
CASES = {
    'border_background.border_background': Case(
        lambda images: border_background(images, 0.1), (IMAGES,)
    ),
    'border_background.border_contrast': Case(border_contrast, (IMAGES,)),
    'image_moments.centroid': Case(image_moments.centroid, (MASSES,)),
    # Their third powers of pixels are beyond float16, and come in float32.
    'image_moments.central_moments': Case(
        image_moments.central_moments, (MASSES, POINTS[:, 0]), takes_half=False
    ),
    'image_moments.principal_angle': Case(
        image_moments.principal_angle, (MOMENTS,), takes_half=False
    ),
    'image_moments.axis_skewness': Case(
        image_moments.axis_skewness, (MOMENTS, ANGLES), takes_half=False
    ),
    'image_moments.object_frame': Case(image_moments.object_frame, (MASSES,)),
    'mirrored_keypoints.mirror_keypoints': Case(
        lambda points: mirrored_keypoints.mirror_keypoints(points, 60), (POINTS,)
    ),
    'mirrored_keypoints.mirror_cost': Case(
        mirrored_keypoints.mirror_cost, (POINTS, POINTS.flip(1))
    ),
    'batch_norm.BatchNorm2d': Case(
        batch_norm, (FEATURES,), bound=1, gradient_bound=0.02
    ),
    'batch_norm.channel_statistics': Case(
        lambda x: channel_statistics(x.detach().to(memory_format=torch.channels_last)),
        (FEATURES,),
    ),
    'doubled_convolution.doubled_convolution': Case(
        doubled_convolution, (FEATURES, KERNELS, BIAS), bound=1, gradient_bound=0.02
    ),
    'doubled_convolution.channels_first_mixed': Case(
        channels_first_mixed, (FEATURES, KERNELS, BIAS), bound=1, gradient_bound=0.02
    ),
    'edge_map.edge_map.edge_map': Case(
        lambda points, weights: edge_map(points, weights, SIZE, 9.0),
        (POINTS, WEIGHTS),
    ),
    'edge_map.formula.plain_edge_map': Case(
        lambda points, weights: plain_edge_map(points, weights, SIZE, 9.0, EDGES),
        (POINTS, WEIGHTS),
        takes_half=False,  # edge_map lifts them
    ),
    'edge_map.formula.squared_segment_distance': Case(
        lambda x, y, start, end: squared_segment_distance(x, y, start, end),
        (LINE_X[:2], LINE_Y[:2], POINTS[0, :2], POINTS[1, :2]),
        takes_half=False,  # likewise
    ),
    'geometry.MapGeometry': Case(
        lambda maps, points: (
            GEOMETRY.columns(maps),
            GEOMETRY.rows(maps),
            GEOMETRY.centers(maps),
            GEOMETRY.to_cells(points),
            GEOMETRY.to_pixels(points),
        ),
        (MAPS, POINTS),
    ),
    'heatmaps.gaussian_maps.gaussian': Case(
        lambda distance, sigma: gaussian_maps.gaussian(distance, sigma),
        (POSITIVE, POSITIVE[:, :1]),
    ),
    'heatmaps.gaussian_maps.gaussian_line': Case(
        lambda x: (gaussian_maps.gaussian_line(torch.tensor([2]), 9, 1.5), x),
        (MAPS,),
        takes_half=False,  # it takes whole cells
    ),
    'heatmaps.gaussian_maps.normalized_gaussian_maps': Case(
        lambda x: gaussian_maps.normalized_gaussian_maps(x, GEOMETRY, (0.1, 0.2)),
        (POINTS,),
    ),
    'heatmaps.gaussian_maps.gaussian_maps': Case(
        lambda x: gaussian_maps.gaussian_maps(x, GEOMETRY, 3.0), (POINTS,)
    ),
    'heatmaps.moments.spatial_mean_and_deviation': Case(
        moments.spatial_mean_and_deviation, (MAPS, LINE_X, LINE_Y)
    ),
    'heatmaps.moments.spatial_entropy': Case(moments.spatial_entropy, (MAPS,)),
    'heatmaps.moments.expected_squared_distance': Case(
        moments.expected_squared_distance,
        (MAPS.flatten(2), CELLS, MAPS.flatten(2).flip(1), CELLS.expand(2, -1, -1)),
    ),
    'heatmaps.moments.mean_by_weight': Case(
        moments.mean_by_weight, (POSITIVE, POSITIVE.flip(0))
    ),
    'heatmaps.moments.squared_pair_distances': Case(
        moments.squared_pair_distances, (POINTS,)
    ),
    'heatmaps.peaks.peak_positions': Case(
        lambda maps: peaks.peak_positions(maps, GEOMETRY), (MAPS,)
    ),
    'heatmaps.peaks.peak_centroids': Case(
        lambda maps: peaks.peak_centroids(maps, GEOMETRY, 2.5), (MAPS,)
    ),
    'heatmaps.peaks.locate_maxima': Case(peaks.locate_maxima, (MAPS,)),
    'heatmaps.soft_argmax.spatial_softmax': Case(
        soft_argmax.spatial_softmax, (LOGITS,)
    ),
    'heatmaps.soft_argmax.soft_argmax': Case(
        lambda maps: soft_argmax.soft_argmax(maps, GEOMETRY), (MAPS,)
    ),
    'heatmaps.soft_argmax.mass_near_keypoints': Case(
        lambda maps, points: soft_argmax.mass_near_keypoints(
            maps, points, GEOMETRY, 9.0
        ),
        (MAPS, POINTS[:, :3]),
    ),
    'heatmaps.window_sums.window_sums': Case(
        lambda maps: window_sums.window_sums(maps, 3, True), (MAPS,)
    ),
    'precision.full_precision_product': Case(
        lambda maps: full_precision_product(maps.float(), LINE_X[:, None]),
        (MAPS,),
        bound=1,
        gradient_bound=0.02,  # of whoever calls it, outside autocast
    ),
    'precision.product_by_elements': Case(
        lambda maps: product_by_elements(maps.float(), LINE_X[:, None]), (MAPS,)
    ),
    'token_maps.attention_maps.attention_maps': Case(
        tokens_of(attention_maps), (ATTENTION,)
    ),
    'token_maps.by_rows.attention_maps_by_rows': Case(
        tokens_of(by_rows.attention_maps_by_rows), (ATTENTION,)
    ),
    'token_maps.feature_clusters.spherical_kmeans': Case(
        lambda features: feature_clusters.spherical_kmeans(features.detach(), 3),
        (POINTS.flatten(0, 1),),
    ),
    'token_maps.gaussian_divergence.gaussian_kl_divergence': Case(
        gaussian_kl_divergence, (MAPS,)
    ),
    'token_maps.localization_targets.peak_gaussians': Case(
        lambda maps: peak_gaussians(maps, 2.0), (MAPS,)
    ),
    'token_maps.salience.peak_statistics': Case(
        lambda maps: salience.peak_statistics(maps.detach()), (MAPS,)
    ),
    'token_maps.separable_divergence.separable_kl_divergence': Case(
        separable_divergence.separable_kl_divergence, (MAPS,)
    ),
    'token_maps.view_aggregation.ViewAggregator': Case(aggregate, (MAPS,)),
}
