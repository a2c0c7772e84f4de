"""Values of formulas by hand, or by another form: clusters, boxes, scores, ridge."""

import math

import numpy as np
import torch

from mmkp.apis.motion.kalman import smooth_kalman
from mmkp.apis.motion.one_euro import smooth_one_euro
from mmkp.datasets.object_detection import decode_yolox
from mmkp.evaluation.functional import keypoint_components as components
from mmkp.evaluation.functional.kernel_herding import herd
from mmkp.evaluation.functional.keypoint_choice import choose_keypoints
from mmkp.evaluation.functional.keypoint_score import score_components, spared_share
from mmkp.evaluation.functional.ridge_regression import leave_one_out_residuals
from mmkp.ops import image_moments
from mmkp.ops.token_maps.feature_clusters import position_channels, spherical_kmeans
from mmkp.ops.token_maps.salience import peak_statistics, salient_tokens

CLUSTERS = 'mmkp.ops.token_maps.feature_clusters'
EVALUATION = 'mmkp.evaluation.functional'


def directions(*degrees, lengths=(1.0,)):
    angles = torch.tensor(degrees).deg2rad()
    return torch.stack((angles.cos(), angles.sin()), 1) * torch.tensor(lengths)[:, None]


def clusters_of_directions():
    features = directions(0.0, 90.0, 20.0, 110.0, lengths=(3.0, 1.0, 3.0, 5.0))
    centers = spherical_kmeans(features, 2)
    return centers[centers[:, 0].argsort(descending=True)], directions(10.0, 100.0)


def likeness_of_places():
    # Of a map 2 wide and high, neighbours lie 1 apart: cos(pi / 2) and cos(0).
    places = position_channels(2, 2).flatten(1).T
    expected = [[1, 0.5, 0.5, 0], [0.5, 1, 0, 0.5], [0.5, 0, 1, 0.5], [0, 0.5, 0.5, 1]]
    return places @ places.T, expected


def salience():
    maps = torch.zeros(1, 2, 20, 20)
    # Of the mass 1.1 a part lies beside the peak, and 0.3 five cells from it.
    maps[0, 0, 4, 7], maps[0, 0, 5, 7], maps[0, 0, 4, 12] = 0.6, 0.2, 0.3
    maps[0, 1, 0, 10] = 1.0  # at the border
    peaks, found = peak_statistics(maps)
    expected = [[7.5 / 20, 4.5 / 20], [10.5 / 20, 0.5 / 20]]
    return [*peaks[0].flatten(), *found[0]], [*sum(expected, []), 0.6 * 0.8 / 1.1, 0]


def chosen_tokens():
    # The second most salient lies upon the first, where a third one lies apart.
    peaks = torch.tensor([[[0.5, 0.5], [0.51, 0.5], [0.8, 0.5]]])
    return salient_tokens(peaks, torch.tensor([[0.9, 0.8, 0.7]]), 2), [0, 2]


def anchor_free_boxes():
    outputs = np.zeros((16 + 4 + 1, 6), np.float32)
    # Column 1 and row 1 of stride 8: center (1.5, 1.25) * 8, sides (2, 4) * 8.
    outputs[5] = 0.5, 0.25, math.log(2), math.log(4), 0.5, 0.25
    boxes, scores = decode_yolox(outputs, (32, 32))
    return [*boxes[5], *scores[5]], [4, -6, 20, 26, 0.125]


def rows_left_out():
    rng = np.random.default_rng(0)
    inputs, targets = rng.normal(size=(6, 2)), rng.normal(size=(6, 3))
    left, singular, _ = np.linalg.svd(inputs - inputs.mean(0), full_matrices=False)
    found = leave_one_out_residuals(left, singular, targets - targets.mean(0), 0.7)
    design, expected = np.column_stack((inputs, np.ones(6))), []
    for row in range(6):
        x, y = np.delete(design, row, 0), np.delete(targets, row, 0)
        weights = np.linalg.solve(x.T @ x + np.diag([0.7, 0.7, 0]), x.T @ y)
        expected.append(targets[row] - design[row] @ weights)
    return found, np.array(expected)


def places(*values):
    """Keypoints (n, 1, 2) that differ in x, the first coordinate."""
    return np.array([[[x, 0.0]] for x in values])


def equivariance_over_fixed():
    keypoints = places(0.2, 0.4)
    found = components.equivariance(keypoints, keypoints + 0.01, keypoints + 0.04)
    return found, [0.75]


def variance_without_error():
    # Variance .01 beside a squared error of .04^2 / 2.
    found = components.reliability(places(0.2, 0.4), places(0.24, 0.4))
    return found, [0.01 / (0.01 + 0.0008)]


def movement_over_extent():
    # Two points .4 apart: extent .2, of which 5 % count as movement enough.
    left = places(0.2, 0.216)
    found = components.movement(np.concatenate((left, left + [0.4, 0]), 1))
    return found, [0.8, 0.8]


def nearest_over_even():
    points = np.array([[[0.0, 0.0], [0.1, 0.0], [1.0, 0.0]]])
    extent = math.sqrt((0.01 + 0.81 + 1) / 9)  # of squared distances of pairs
    apart = 0.25 * extent * math.sqrt(2 * math.pi / 3)
    return components.distinctness(points), [0.1 / apart, 0.1 / apart, 1]


def recognized_features():
    # Less their mean, two keypoints differ in sign; in the third image they change.
    features = np.array([[[1.0], [-1.0]], [[1.0], [-1.0]], [[-1.0], [1.0]]])
    # Of 6 pairs of images 2 agree: a third, below the half of chance.
    alike = components.cycle_consistency(features[:2])
    return [*alike, *components.cycle_consistency(features)], [1, 1, 0, 0]


def foretold_variance():
    keypoints, others = places(0.0, 0.0, 1.0, 1.0), places(3.0, 5.0, 5.0, 3.0)
    # Each half foretells the other from two rows, by a weight that 1e-3 of half the
    # Gram matrix' trace shrinks; y is 0. The others' halves contradict each other.
    same = components.agreement(keypoints, keypoints)
    shrunk = 1 / (1 + 1e-3 / 2)
    expected = 1 - (0.5 - 0.5 * shrunk) ** 2 / 0.25
    return [*same, *components.agreement(keypoints, others)], [expected, 0]


def spared_by_the_worst():
    # Half is spared; of movement there is half of what is enough, of sharpness all.
    parts = {'reliability': [0.75], 'movement': [0.5], 'sharpness': [0.3]}
    return score_components(parts).scores, [0.25]


def spared_errors():
    # Errors of fixed places over errors: variances of 1 over .25 and over .01.
    return spared_share(np.array([0.0, 0.75, 0.99])), [0.0, 0.5, 0.9]


def far_before_good():
    # Of half the score, four times as far: .25 * 1 against .3, then against .2.
    near, far = (np.array([[[0, 0], [1, 0], [x, 0]]]) for x in (0.2, 0.3))
    scores = np.array([1, 0.5, 1])
    return [choose_keypoints(scores, at, 2) for at in (near, far)], [[0, 1], [0, 2]]


def masses(*pixels, size=4):
    """An image (1, size, size) with masses m at (x, y)."""
    image = torch.zeros(1, size, size)
    for x, y, mass in pixels:
        image[0, y, x] = mass
    return image


def two_masses():
    """Of two pixels at (0, 0) and (2, 1), about (1, 1/2)."""
    image = masses((0, 0, 1), (2, 1, 1))
    return image_moments.central_moments(image, image_moments.centroid(image), 2)


def moments_of_two_masses():
    return two_masses()[0], [[2, 0, 0.5], [0, 1, 0], [2, 0, 0.5]]


def angle_of_two_masses():
    return image_moments.principal_angle(two_masses()), [math.atan(0.5)]


def skewness_of_a_line():
    # Two at 0, one at 3: about 1 the second moment is 6, and so is the third.
    image = masses((0, 0, 2), (3, 0, 1))
    center = image_moments.centroid(image)
    moments = image_moments.central_moments(image, center)
    return image_moments.axis_skewness(moments, torch.zeros(1)), [math.sqrt(0.5)]


def half_of_the_way():
    # A cutoff of 1 / (2 pi) Hz and a step of a second: alpha is 1 / 2.
    points, seconds = np.array([[[0.0, 0.0]], [[4.0, -2.0]]]), np.ones(2)
    found = smooth_one_euro(points, 1.0, seconds, 1 / (2 * np.pi), beta=0.0)
    return found, [[[0.0, 0.0]], [[2.0, -1.0]]]


def line_of_least_squares():
    # Without acceleration: a line, held at the first point with a variance of 100.
    measured = np.array([0.0, 0.0, 3.0, 0.0, 1.0])
    points = np.stack([measured, -measured], 1)[:, None]
    found = smooth_kalman(points, 1.0, rest=1e-9, per_speed=0.0)
    terms = np.stack([np.ones(5), np.arange(5)], 1)
    fit = np.linalg.solve(terms.T @ terms + np.eye(2) / 100, terms.T @ measured)
    return found, np.stack([terms @ fit, -(terms @ fit)], 1)[:, None]


def common_before_rare():
    # 1 has the most likeness to all; then 0 and 2 are nearer to it than 3 is.
    return herd(np.array([[0.0], [1.0], [2.0], [9.0]]), 2, bandwidth=10.0), [1, 3]


VALUES_WITHOUT_LABELS = {
    'mmkp.apis.motion.one_euro.smooth_one_euro': half_of_the_way,
    'mmkp.apis.motion.kalman.smooth_kalman': line_of_least_squares,
    f'{EVALUATION}.kernel_herding.herd': common_before_rare,
    f'{CLUSTERS}.spherical_kmeans': clusters_of_directions,
    f'{CLUSTERS}.position_channels': likeness_of_places,
    'mmkp.ops.token_maps.salience.peak_statistics': salience,
    'mmkp.ops.token_maps.salience.salient_tokens': chosen_tokens,
    'mmkp.datasets.object_detection.yolox.decode_yolox': anchor_free_boxes,
    f'{EVALUATION}.ridge_regression.leave_one_out_residuals': rows_left_out,
    f'{EVALUATION}.keypoint_components.equivariance': equivariance_over_fixed,
    f'{EVALUATION}.keypoint_components.reliability': variance_without_error,
    f'{EVALUATION}.keypoint_components.movement': movement_over_extent,
    f'{EVALUATION}.keypoint_components.distinctness': nearest_over_even,
    f'{EVALUATION}.keypoint_components.cycle_consistency': recognized_features,
    f'{EVALUATION}.keypoint_components.agreement': foretold_variance,
    f'{EVALUATION}.keypoint_score.score_components': spared_by_the_worst,
    f'{EVALUATION}.keypoint_score.spared_share': spared_errors,
    f'{EVALUATION}.keypoint_choice.choose_keypoints': far_before_good,
    'mmkp.ops.image_moments.central_moments': moments_of_two_masses,
    'mmkp.ops.image_moments.principal_angle': angle_of_two_masses,
    'mmkp.ops.image_moments.axis_skewness': skewness_of_a_line,
}
