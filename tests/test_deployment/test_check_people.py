"""A file that puts other people together than its model is refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from mmkp.apis.export_pictures import network_inputs
from mmkp.apis.shipped_models import find_shipped
from mmkp.deployment.check import ExportDifferenceError
from mmkp.deployment.check_people import compare_people
from mmkp.deployment.graphs import build_graph
from mmkp.deployment.graphs.people_graph import grouping_rules

NAMES = ('peaks', 'limbs', 'heatmaps', 'fields')


@pytest.fixture(scope='module')
def model():
    return find_shipped('puppets-openpose').run.load_model('cpu')


@pytest.fixture(scope='module')
def inputs(model):
    return network_inputs(model, None, 3)


@pytest.fixture(scope='module')
def run(model):
    """The graph itself in the place of a file."""
    graph = build_graph(model)

    def run(fed):
        with torch.no_grad():
            found = graph(torch.from_numpy(fed['images']))
        return {n: part.numpy() for n, part in zip(NAMES, found, strict=True)}

    return run


def compare(run, model, inputs, **settings):
    grouping = grouping_rules(model.head.decoder)
    return compare_people(run, 'model.onnx', model, inputs, grouping, **settings)


def test_people_of_the_graph_are_those_of_the_model(run, model, inputs):
    sizes = {tuple(one.pixels.shape[1:]) for one in inputs}
    assert sizes == {(128, 128), (128, 96)}
    found = compare(run, model, inputs)
    assert found.largest < 1e-3 and found.ties == 0
    assert found.pictures == 4 and found.keypoints >= 4 * 17


def moved(outputs):
    """The peaks of the last image lie a pixel to the right."""
    last = outputs['peaks'][:, 0] == outputs['peaks'][:, 0].max()
    outputs['peaks'][last, 2] += 0.25
    return outputs


def emptied(outputs):
    return dict(outputs, peaks=outputs['peaks'][:0], limbs=outputs['limbs'][:0])


@pytest.mark.parametrize(('change', 'distance'), [(moved, '1'), (emptied, 'inf')])
def test_other_people_are_refused(run, model, inputs, change, distance):
    message = f"a person of 'drawn figure 0' lies {distance} px"
    with pytest.raises(ExportDifferenceError, match=message):
        compare(lambda fed: change(run(fed)), model, inputs)
    told = compare(lambda fed: change(run(fed)), model, inputs, tolerance=None)
    assert told.largest == (pytest.approx(1, abs=1e-3) if distance == '1' else 128)


def test_images_of_a_batch_are_told_apart(run, model, inputs):
    black = replace(inputs[0], packed=dict(inputs[0].packed))
    black.packed['inputs'] = torch.zeros_like(inputs[0].packed['inputs'])
    found = compare(run, model, [black, *inputs[:2]])
    assert found.largest < 1e-3
    assert np.isfinite(found.mean) and found.keypoints >= 2 * 17
