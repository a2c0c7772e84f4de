# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Edge maps and their gradients against the official AutoLink code."""

import importlib.util
import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmkp.ops.edge_map.edge_map import edge_map
from mmkp.ops.edge_map.formula import complete_graph

RANDOM = [
    f'random_{graph}_t{thickness}'
    for graph in ('k4_s128', 'k10_s128', 'k32_s64')
    for thickness in ('0.001', '7.5e-05', '0.05')
]
SPECIAL = [
    'coincident_k4_s128_t0.001',
    'allcoincident_k4_s128_t0.001',
    'outside_k4_s128_t0.001',
    'ties_square_k4_s128_t0.001',
    'ties_collinear_k4_s128_t0.001',
    'onpixel_k4_s128_t7.5e-05',
]


@pytest.fixture(scope='module')
def recipe(golden_dir):
    spec = importlib.util.spec_from_file_location('recipe', golden_dir / 'recipe.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def records(golden_dir):
    return json.loads((golden_dir / 'autolink' / 'rasterise.json').read_text())


@pytest.fixture(scope='module')
def arrays(golden_dir):
    return np.load(golden_dir / 'autolink' / 'rasterise.npz')


def draw(case, arrays, record, target, dtype):
    """Draw a case in its own units: (row, col) in [-1, 1] and a matrix of logits."""
    scale = (record['size'] - 1) / 2
    places = torch.tensor(arrays[f'{case}/kp'], dtype=dtype, requires_grad=True)
    logits = torch.tensor(arrays[f'{case}/logits'], dtype=dtype, requires_grad=True)
    keypoints = (places.flip(-1) + 1) * scale
    first, second = complete_graph(record['K']).T
    values = edge_map(
        keypoints,
        F.softplus(logits[first, second]),
        (record['size'], record['size']),
        record['thick'] * scale**2,
    )
    (values * target.to(dtype)).sum().backward()
    return values.detach(), places.grad, logits.grad


def target_without_ties(case, arrays, record, recipe):
    shape = arrays[f'{case}/map'].shape
    target = recipe.target(f'autolink/{case}', shape).astype(np.float64) * 2 - 1
    ties = np.unpackbits(arrays[f'{case}/tie'])[: target.size].reshape(shape)
    assert ties.sum() == record['tie_pixels']
    return torch.tensor(np.where(ties, 0, target))


def sum_over_coincident(places, grad):
    """Replace the gradient of coincident keypoints by that of their group."""
    same = (places[:, :, None] == places[:, None]).all(-1)
    return same.to(grad.dtype) @ grad


def relative(actual, expected):
    expected = torch.as_tensor(expected)
    return float((actual.double() - expected).abs().max() / expected.abs().max())


def test_golden_covers_every_case(records):
    assert sorted(records) == sorted(RANDOM + SPECIAL)


@pytest.mark.parametrize('case', RANDOM + SPECIAL)
@pytest.mark.parametrize('dtype', [torch.float64, torch.float32])
def test_golden_edge_map(case, dtype, arrays, records, recipe):
    record = records[case]
    target = target_without_ties(case, arrays, record, recipe)
    values, grad_places, grad_logits = draw(case, arrays, record, target, dtype)
    places = torch.tensor(arrays[f'{case}/kp'])
    expected_places = torch.tensor(arrays[f'{case}/grad_kp_noties'])
    if 'coincident' in case:
        expected_places = sum_over_coincident(places, expected_places)
        grad_places = sum_over_coincident(places, grad_places.double())
    thick = record['thick'] >= 1e-3
    if dtype == torch.float64:
        # The map is stored in float32, with values up to 2.
        map_tolerance, places_tolerance, logits_tolerance = 2e-7, 1e-9, 1e-9
    else:
        map_tolerance = 5e-6 if thick and record['K'] < 32 else 3e-5
        places_tolerance = logits_tolerance = 2e-5 if thick else 1e-4
    deviation = (values.double() - torch.tensor(arrays[f'{case}/map'])).abs().max()
    assert deviation <= map_tolerance
    assert torch.isfinite(grad_places).all()
    assert relative(grad_places, expected_places) <= places_tolerance
    expected_logits = arrays[f'{case}/grad_logits_noties']
    assert relative(grad_logits, expected_logits) <= logits_tolerance
