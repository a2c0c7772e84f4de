# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Every public function of ops keeps full precision under autocast and of halves."""

import importlib
import pkgutil

import precision_of_maps
import precision_of_warps
import pytest
import torch
from precision import HALVES, check_autocast, check_half_inputs
from precision_of_maps import ATTENTION

import mmkp.ops
from mmkp.ops.token_maps.attention_maps import attention_maps
from mmkp.ops.token_maps.selection import candidate_tokens, select_tokens

CASES = {**precision_of_maps.CASES, **precision_of_warps.CASES}

NO_FLOATS = 'whole numbers, sizes and settings'
OF_EDGE_MAP = 'a part of edge_map, in the precision that this calls it in'
#: Name, or the module of all, and why precision is no matter.
NOT_CONCERNED = {
    'accelerators': NO_FLOATS,
    'arguments': NO_FLOATS,
    'edge_map.dense': OF_EDGE_MAP,
    'edge_map.formula.complete_graph': NO_FLOATS,
    'edge_map.fused': OF_EDGE_MAP,
    'edge_map.nearest_edges': OF_EDGE_MAP,
    'edge_map.once': OF_EDGE_MAP,
    'edge_map.tiles': OF_EDGE_MAP,
    'finite': 'numbers of Python, for JSON',
    'geometry.check_alignment': NO_FLOATS,
    'geometry.size_of': NO_FLOATS,
    'heatmaps.hourglass_heatmap': 'numpy in the loader of data',
    'heatmaps.peak_accuracy': 'compares cells of maxima',
    'heatmaps.peaks.highest_cells': 'compares values, which lifting leaves in order',
    'mirrored_keypoints.mirror_partners': 'compares costs, of which it makes numbers',
    'part_affinity': 'numpy, or lifted, tested there: PoseDecoder, batch_peaks, ...',
    'precision': 'what the others are made precise with, tested in test_precision',
    'token_maps.by_rows.bicubic_matrix': 'takes the dtype of maps that were lifted',
    'token_maps.feature_clusters.position_channels': NO_FLOATS,
    'token_maps.furthest_point_sampling': 'whole cells, whose squares are exact',
    'token_maps.salience.salient_tokens': 'compares means of peak_statistics',
    'token_maps.selection': 'compares costs of separable_kl_divergence; whole numbers',
    'turned_crop': 'numpy, of predictions that have left the model',
    'warps.warp.half_sides': NO_FLOATS,
}


def public_names() -> list[str]:
    """All functions and classes that a module of ops defines, below mmkp.ops."""
    found = []
    for info in pkgutil.walk_packages(mmkp.ops.__path__, 'mmkp.ops.'):
        for name, value in vars(importlib.import_module(info.name)).items():
            own = getattr(value, '__module__', None) == info.name and callable(value)
            if own and not name.startswith('_'):
                found.append(f'{info.name.removeprefix("mmkp.ops.")}.{name}')
    return found


def reason_of(name: str) -> str | None:
    """Why a name is not concerned, said of it or of what it is in."""
    parts = name.split('.')
    places = ('.'.join(parts[:n]) for n in range(len(parts), 0, -1))
    return next((NOT_CONCERNED[p] for p in places if p in NOT_CONCERNED), None)


def test_every_public_function_is_checked_or_named():
    names = public_names()
    assert len(names) > 90
    unknown = [n for n in names if n not in CASES and reason_of(n) is None]
    assert not unknown, f'give {unknown} a Case, or a reason in NOT_CONCERNED'
    assert not set(CASES) - set(names)


@pytest.mark.parametrize('half', HALVES, ids=str)
@pytest.mark.parametrize('name', CASES)
def test_autocast(name, half):
    check_autocast(CASES[name], half)


@pytest.mark.parametrize('half', HALVES, ids=str)
@pytest.mark.parametrize('name', [n for n, c in CASES.items() if c.takes_half])
def test_half_inputs(name, half):
    check_half_inputs(CASES[name], half)


@pytest.mark.parametrize('half', HALVES, ids=str)
def test_tokens_are_those_of_the_lifted_maps(half):
    maps = attention_maps([ATTENTION], (16, 12)).to(half)
    for strategy in ('gaussian', 'entropy'):
        with torch.autocast('cpu', dtype=half):
            found = candidate_tokens(maps, 5, strategy=strategy)
        exact = candidate_tokens(maps.float(), 5, strategy=strategy)
        assert torch.equal(found, exact)
    found = select_tokens(maps, maps.flip(1), 5, 3)
    assert torch.equal(found, select_tokens(maps.float(), maps.flip(1).float(), 5, 3))
