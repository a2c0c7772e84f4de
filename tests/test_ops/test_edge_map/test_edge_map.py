# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The edge map, in each form, against the plain formula and closed forms."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from mmkp.ops.edge_map import edge_map as room
from mmkp.ops.edge_map.formula import complete_graph, plain_edge_map

DEVICE = {'name': 'cpu'}


@pytest.fixture(autouse=True)
def _form(device_form, monkeypatch):
    monkeypatch.setitem(DEVICE, 'name', device_form)


def edge_map(keypoints, weights, *args, edges=None):
    """Draw on the device at hand; results are on the CPU again."""
    moved = (None if t is None else t.to(DEVICE['name']) for t in (weights, edges))
    weights, edges = moved
    return room.edge_map(keypoints.to(DEVICE['name']), weights, *args, edges).cpu()


def assert_same(actual, expected):
    """The same to the bit where the order of additions is the same, too."""
    on_cpu = DEVICE['name'] == 'cpu'
    scale = dict(rtol=0, atol=0) if on_cpu else dict(rtol=1e-5, atol=1e-5)
    assert_close(actual, expected, **scale)


def formula(keypoints, weights, image_size, thickness_px2, edges=None):
    edges = complete_graph(keypoints.shape[1]) if edges is None else edges
    return plain_edge_map(keypoints, weights, image_size, thickness_px2, edges)


def random_inputs(seed, batch, num_keypoints, image_size, dtype=torch.float64):
    """Keypoints in and around the image, and weights around 1."""
    generator = torch.Generator().manual_seed(seed)
    options = dict(generator=generator, dtype=torch.float64)
    size = torch.tensor(image_size)
    keypoints = (torch.rand(batch, num_keypoints, 2, **options) * 1.4 - 0.2) * size
    weights = torch.rand(len(complete_graph(num_keypoints)), **options) * 2
    target = torch.rand(batch, 1, *image_size[::-1], **options) * 2 - 1
    return (t.to(dtype) for t in (keypoints, weights, target))


def with_gradients(function, keypoints, weights, target, *args, **kwargs):
    inputs = [t.clone().requires_grad_() for t in (keypoints, weights)]
    values = function(*inputs, *args, **kwargs)
    return values.detach(), *torch.autograd.grad((values * target).sum(), inputs)


def test_complete_graph_lists_the_upper_triangle():
    expected = [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]
    assert complete_graph(4).tolist() == expected
    assert complete_graph(4).dtype == torch.int64
    for num_keypoints in (0, 1):
        assert complete_graph(num_keypoints).shape == (0, 2)
    with pytest.raises(ValueError, match='num_keypoints must be at least 0, got -1'):
        complete_graph(-1)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    batch=st.integers(1, 3),
    num_keypoints=st.integers(2, 9),
    width=st.integers(1, 40),
    height=st.integers(1, 40),
    thickness=st.sampled_from([0.05, 0.3, 4.0, 60.0, 1e4]),
    zeros=st.booleans(),
)
def test_equals_the_plain_formula(
    seed, batch, num_keypoints, width, height, thickness, zeros
):
    size = (width, height)
    keypoints, weights, target = random_inputs(seed, batch, num_keypoints, size)
    if zeros:
        weights[1::2] = 0
    args = keypoints, weights, target, size, thickness
    actual = with_gradients(edge_map, *args)
    expected = with_gradients(formula, *args)
    assert actual[0].shape == (batch, 1, height, width)
    for ours, reference in zip(actual, expected, strict=True):
        assert_close(ours, reference, rtol=1e-9, atol=1e-11)


def test_float32_is_close_to_float64():
    keypoints, weights, target = random_inputs(3, 2, 12, (96, 64))
    args = (96, 64), 4.0
    double = with_gradients(edge_map, keypoints, weights, target, *args)
    single = (t.float() for t in (keypoints, weights, target))
    single = with_gradients(edge_map, *single, *args)
    for ours, reference in zip(single, double, strict=True):
        assert ours.dtype == torch.float32
        scale = float(reference.abs().max())
        assert_close(ours.double(), reference, rtol=0, atol=2e-5 * scale)


def test_gradcheck():
    keypoints, weights, _ = random_inputs(5, 2, 4, (9, 12))
    inputs = keypoints.requires_grad_(), weights.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda k, w: edge_map(k, w, (9, 12), 6.0), inputs, eps=1e-7, atol=1e-6
    )


@pytest.mark.parametrize('weight', [0.0181, 0.7, 3.0])
def test_value_at_and_beside_an_edge(weight):
    keypoints = torch.tensor([[[10.0, 20.0], [30.0, 20.0]]])
    values = edge_map(keypoints, torch.tensor([weight]), (48, 40), 9.0)[0, 0]
    assert_close(values[20, 10:31], torch.full((21,), weight))
    beside = weight * math.exp(-1)  # three pixels are the root of the thickness
    for y, x in ((17, 20), (23, 11), (20, 7), (20, 33)):
        assert values[y, x].item() == pytest.approx(beside, rel=1e-6)


def test_gradient_of_one_pixel_beside_an_edge():
    keypoints = torch.tensor([[[0.0, 0.0], [8.0, 0.0]]], dtype=torch.float64)
    weights = torch.tensor([2.0], dtype=torch.float64)
    target = torch.zeros(1, 1, 5, 9, dtype=torch.float64)
    target[0, 0, 2, 2] = 1  # two pixels below a quarter of the edge
    _, grad, grad_weights = with_gradients(
        edge_map, keypoints, weights, target, (9, 5), 4.0
    )
    expected = 2 * math.exp(-1) * 2 * 2 / 4  # value * 2 * distance / thickness
    assert_close(grad[0, :, 1].tolist(), [0.75 * expected, 0.25 * expected])
    assert_close(grad[0, :, 0].tolist(), [0.0, 0.0])
    assert grad_weights.item() == pytest.approx(math.exp(-1))


def test_edges_choose_and_may_repeat():
    keypoints, _, target = random_inputs(7, 2, 5, (32, 24))
    edges = torch.tensor([[4, 0], [1, 2], [1, 2], [3, 3]], dtype=torch.int32)
    weights = torch.tensor([0.5, 1.0, 1.0, 2.0], dtype=torch.float64)
    args = keypoints, weights, target, (32, 24), 5.0
    actual = with_gradients(edge_map, *args, edges=edges)
    expected = with_gradients(formula, *args, edges=edges.long())
    assert_close(actual[:2], expected[:2])
    # Of equals the first one takes the gradient.
    assert actual[2][1].abs() > 0
    assert actual[2][2] == 0


def test_coincident_keypoints_draw_a_dot():
    keypoints = torch.full((1, 2, 2), 6.0, dtype=torch.float64)
    weights = torch.tensor([1.5], dtype=torch.float64)
    target = torch.zeros(1, 1, 12, 12, dtype=torch.float64)
    target[0, 0, 6, 8] = 1
    values, grad, _ = with_gradients(
        edge_map, keypoints, weights, target, (12, 12), 4.0
    )
    assert values[0, 0, 6, 6] == 1.5
    assert values[0, 0, 6, 8].item() == pytest.approx(1.5 * math.exp(-1))
    expected = 1.5 * math.exp(-1) * 2 * 2 / 4
    assert_close(grad[0].tolist(), [[expected, 0.0], [0.0, 0.0]])


@pytest.mark.parametrize('distance', [1e-30, 1e-20, 1e-12, 1e-5])
def test_nearly_coincident_keypoints_stay_finite(distance):
    keypoints = torch.zeros(1, 3, 2)
    keypoints[0, 1, 0] = distance
    keypoints[0, 2, 1] = -distance
    values, grad, grad_weights = with_gradients(
        edge_map, keypoints, torch.ones(3), torch.ones(1, 1, 8, 8), (8, 8), 4.0
    )
    assert_close(values, formula(torch.zeros(1, 3, 2), torch.ones(3), (8, 8), 4))
    assert grad.isfinite().all()
    assert grad_weights.isfinite().all()


def test_keypoints_far_outside():
    keypoints = torch.tensor([[[-1e4, 5.0], [1e4, 5.0], [1e14, 3e14]]])
    weights = torch.tensor([1.0, 0.0, 0.0])
    values = edge_map(keypoints, weights, (16, 12), 2.0)[0, 0]
    column = torch.exp(-((torch.arange(12.0) - 5) ** 2) / 2)
    assert_close(values, column[:, None].expand(12, 16), rtol=1e-5, atol=1e-6)
    nothing = edge_map(keypoints + 1e5, weights, (16, 12), 2.0)
    assert nothing.eq(0).all()


def test_all_weights_zero_gives_an_exactly_empty_map_that_can_recover():
    keypoints, weights, _ = random_inputs(9, 2, 4, (24, 24), torch.float32)
    values, grad, grad_weights = with_gradients(
        edge_map, keypoints, weights * 0, torch.ones(2, 1, 24, 24), (24, 24), 4.0
    )
    assert values.eq(0).all()
    assert grad.eq(0).all()
    assert (grad_weights > 0).any()


def test_an_edge_of_weight_zero_wins_nowhere_beside_others():
    keypoints = torch.tensor([[[2.0, 2.0], [4.0, 2.0], [60.0, 60.0], [62.0, 60.0]]])
    edges = torch.tensor([[2, 3], [0, 1]])
    weights = torch.tensor([0.0, 1.0])
    args = keypoints, weights, torch.ones(1, 1, 64, 64), (64, 64), 1.0
    values, grad, grad_weights = with_gradients(edge_map, *args, edges=edges)
    assert values[0, 0, 60, 61] == 0
    assert grad[0, 2:].eq(0).all()
    assert grad_weights[0] == 0
    assert grad_weights[1] > 0


def test_far_pixels_are_exactly_zero_without_gradient():
    keypoints = torch.tensor([[[2.0, 2.0], [4.0, 2.0]]])
    target = torch.zeros(1, 1, 64, 64)
    target[0, 0, 40:] = 1
    values, grad, grad_weights = with_gradients(
        edge_map, keypoints, torch.ones(1), target, (64, 64), 1.0
    )
    assert values[0, 0, 40:].eq(0).all()
    assert grad.eq(0).all()
    assert grad_weights.eq(0).all()


@pytest.mark.parametrize('shape', [(2, 1, 2), (2, 0, 2), (0, 3, 2)])
def test_nothing_to_draw_keeps_the_graph(shape):
    keypoints = torch.zeros(shape, requires_grad=True)
    weights = torch.ones(len(complete_graph(shape[1])), requires_grad=True)
    values = edge_map(keypoints, weights, (6, 4), 1.0)
    assert values.shape == (shape[0], 1, 4, 6)
    assert values.eq(0).all()
    values.sum().backward()
    assert keypoints.grad.eq(0).all()
    assert weights.grad.eq(0).all()


@pytest.mark.parametrize('bad', [math.nan, math.inf, -math.inf, 1e20])
def test_bad_keypoints_make_their_own_image_nan(bad):
    keypoints, weights, target = random_inputs(11, 3, 4, (20, 20), torch.float32)
    expected = with_gradients(edge_map, keypoints, weights, target, (20, 20), 4.0)
    keypoints[1, 2, 0] = bad
    values, grad, grad_weights = with_gradients(
        edge_map, keypoints, weights, target, (20, 20), 4.0
    )
    assert values[1].isnan().all()
    assert grad[1].isnan().all()
    assert grad_weights.isnan().all()
    for image in (0, 2):
        assert values[image].equal(expected[0][image])
        assert_close(grad[image], expected[1][image])


def test_a_bad_keypoint_without_edge_is_ignored():
    keypoints, _, _ = random_inputs(11, 1, 3, (20, 20))
    keypoints[0, 2] = math.nan
    edges, weights = torch.tensor([[0, 1]]), torch.ones(1)
    assert edge_map(keypoints, weights, (20, 20), 4.0, edges=edges).isfinite().all()


@pytest.mark.parametrize('bad', [math.nan, math.inf])
def test_bad_weights_make_everything_nan(bad):
    keypoints, weights, target = random_inputs(13, 2, 3, (10, 10))
    weights[1] = bad
    results = with_gradients(edge_map, keypoints, weights, target, (10, 10), 4.0)
    assert all(result.isnan().all() for result in results)


def test_float32_under_autocast():
    keypoints, weights, target = random_inputs(15, 2, 5, (32, 32), torch.float32)
    args = keypoints, weights, target, (32, 32), 4.0
    expected = with_gradients(edge_map, *args)
    with torch.autocast(DEVICE['name'], dtype=torch.bfloat16):
        actual = with_gradients(edge_map, *args)
    for ours, reference in zip(actual, expected, strict=True):
        assert ours.dtype == torch.float32
        assert_same(ours, reference)


def test_half_inputs_are_drawn_in_float32():
    keypoints, weights, _ = random_inputs(15, 2, 5, (32, 32), torch.bfloat16)
    keypoints.requires_grad_()
    values = edge_map(keypoints, weights, (32, 32), 4.0)
    assert values.dtype == torch.float32
    assert values.equal(edge_map(keypoints.float(), weights.float(), (32, 32), 4.0))
    values.sum().backward()
    assert keypoints.grad.dtype == torch.bfloat16


def test_second_derivative_is_refused():
    keypoints, weights, target = random_inputs(23, 1, 3, (8, 8))
    keypoints.requires_grad_()
    values = edge_map(keypoints, weights, (8, 8), 4.0)
    options = dict(retain_graph=True)
    (expected,) = torch.autograd.grad((values * target).sum(), keypoints, **options)
    options = dict(create_graph=True)
    (grad,) = torch.autograd.grad((values * target).sum(), keypoints, **options)
    assert_same(grad, expected)
    with pytest.raises(RuntimeError, match='differentiated only once'):
        grad.sum().backward()


@pytest.mark.parametrize(
    ('changes', 'error', 'message'),
    [
        (dict(keypoints=torch.zeros(3, 2)), ValueError, r'\(B, K, 2\), got \(3, 2\)'),
        (dict(keypoints=torch.zeros(1, 3, 3)), ValueError, r'got \(1, 3, 3\)'),
        (
            dict(keypoints=torch.zeros(1, 3, 2, dtype=torch.int64)),
            TypeError,
            'keypoints must be floating point, got torch.int64',
        ),
        (dict(edge_weights=torch.ones(2)), ValueError, 'one weight for each of the 3'),
        (dict(image_size=(0, 4)), ValueError, r'image_size .* got \(0, 4\)'),
        (dict(image_size=(4.5, 4)), ValueError, r'image_size .* got \(4.5, 4\)'),
        (dict(image_size=(4, 4, 3)), ValueError, 'image_size'),
        (dict(thickness_px2=0.0), ValueError, 'thickness_px2 .* got 0.0'),
        (dict(thickness_px2=math.nan), ValueError, 'thickness_px2 .* got nan'),
        (dict(edges=torch.zeros(3, dtype=torch.int64)), ValueError, r'\(E, 2\)'),
        (dict(edges=torch.zeros(3, 2)), TypeError, 'edges must be integers'),
    ],
)
def test_errors_name_the_value(changes, error, message):
    arguments = dict(
        keypoints=torch.zeros(1, 3, 2),
        edge_weights=torch.ones(3),
        image_size=(4, 4),
        thickness_px2=1.0,
    )
    with pytest.raises(error, match=message):
        room.edge_map(**{**arguments, **changes})


def test_every_tensor_is_made_on_the_device_of_the_keypoints():
    keypoints, weights, target = random_inputs(25, 2, 4, (20, 12))
    edges = complete_graph(4)
    args = keypoints, weights, target, (20, 12), 4.0
    expected = with_gradients(edge_map, *args, edges=edges)
    # A tensor made without naming a device would now be of another one.
    with torch.device('meta'):
        actual = with_gradients(edge_map, *args, edges=edges)
    assert_same(actual, expected)


@pytest.mark.parametrize('thickness', [1e38, 3e36, 1e-37, 5e-39, 1e-45])
def test_thickness_beyond_float32_is_refused(thickness):
    points = torch.tensor([[[1.0, 1.0], [5.0, 5.0]]])
    with pytest.raises(ValueError, match='thickness_px2 must be positive and finite'):
        edge_map(points, torch.ones(1), (8, 8), thickness)


def test_maps_without_a_bound_are_refused():
    with pytest.raises(ValueError, match='more than 2147483648 pixels'):
        edge_map(torch.ones(1, 2, 2), torch.ones(1), (2**40, 1), 1.0)
