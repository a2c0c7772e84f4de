# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Part affinity models as graphs find what the models find."""

import numpy as np
import pytest
import tiny_people_network
import torch
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from torch import nn

from mmkp.deployment.graphs.people_graph import PeopleGraph, grouping_rules
from mmkp.deployment.mmkp_runner import people
from mmkp.ops.part_affinity.grouping_config import PROFILES


def drawn(*shape, seed=0):
    """Smooth images (B, 3, H, W), BGR, 0 to 255."""
    draw = torch.Generator().manual_seed(seed)
    small = torch.rand(shape[0], 3, shape[2] // 16, shape[3] // 16, generator=draw)
    size = shape[2:]
    images = nn.functional.interpolate(small * 255, size, mode='bicubic')
    return images.clamp(0, 255).round()


def predicted(model, images):
    """People by the model itself, in pixels of the network input."""
    height, width = images.shape[2:]
    samples = []
    for _ in images:
        size = np.array([width, height], np.float32)
        sample = PoseDataSample(gt_instances=InstanceData())
        geometry = dict(input_size=(width, height), input_scale=size)
        sample.set_metainfo(dict(geometry, input_center=size / 2))
        samples.append(sample)
    with torch.no_grad():
        found = model.predict(images, samples)
    return [one.pred_instances for one in found]


@pytest.mark.parametrize('profile', PROFILES)
@pytest.mark.parametrize('flip_test', [False, True])
def test_people_of_the_graph_are_those_of_the_model(profile, flip_test, tmp_path):
    model = tiny_people_network.build_model(tmp_path, f"profile='{profile}'")
    model.test_cfg = dict(flip_test=flip_test)
    images = drawn(2, 3, 64, 96)
    with torch.no_grad():
        found = PeopleGraph(model).eval()(images)
    rules = grouping_rules(model.head.decoder)
    for index, expected in enumerate(predicted(model, images)):
        with torch.no_grad():
            alone = PeopleGraph(model).eval()(images[index : index + 1])
        points, scores, totals = people([part.numpy() for part in alone], rules)
        assert len(points) == len(expected.keypoints) > 3
        np.testing.assert_allclose(points, expected.keypoints, atol=2e-3)
        np.testing.assert_allclose(scores, expected.keypoint_scores, atol=1e-5)
        # Of a limb of 25 samples, one at the threshold may pass in one precision only.
        np.testing.assert_allclose(totals, expected.bbox_scores, rtol=1e-4, atol=2e-3)
        rows = found.peaks[found.peaks[:, 0] == index]
        torch.testing.assert_close(rows[:, 1:], alone.peaks[:, 1:], atol=1e-3, rtol=0)


def test_models_that_cannot_be_a_graph_are_refused(tmp_path):
    model = tiny_people_network.build_model(tmp_path)
    model.test_cfg = dict(multiscale_test=True)
    with pytest.raises(ValueError, match='one size'):
        PeopleGraph(model)
    model.test_cfg, model.head = {}, nn.Identity()
    with pytest.raises(ValueError, match='PartAffinityHead'):
        PeopleGraph(model)


def test_maps_that_are_not_finite_count_as_zero(tmp_path):
    model = tiny_people_network.build_model(tmp_path)
    with torch.no_grad():
        model.head.stages.heatmaps.bias.fill_(float('nan'))
        found = PeopleGraph(model).eval()(drawn(1, 3, 64, 64))
    assert len(found.peaks) == len(found.limbs) == 0
    points, _, totals = people(
        [part.numpy() for part in found], grouping_rules(model.head.decoder)
    )
    assert points.shape == (0, 17, 2) and totals.shape == (0,)


@pytest.fixture(scope='module')
def exported():
    """A graph and its ONNX file."""
    pytest.importorskip('onnxscript')
    model, folder = tiny_people_network.exported()
    return PeopleGraph(model).eval(), folder / 'model.onnx'


SHAPES = [(1, 3, 96, 64), (3, 3, 128, 160)]


def check(graph, run, images):
    """Compare a file's outputs with the graph's."""
    with torch.no_grad():
        expected = graph(images)
    for found, wanted in zip(run(images.numpy()), expected, strict=True):
        np.testing.assert_allclose(found, wanted.numpy(), atol=2e-4, rtol=1e-4)


def onnx_run(path):
    runtime = pytest.importorskip('onnxruntime')
    session = runtime.InferenceSession(path)
    return lambda images: session.run(None, {'images': images})


def openvino_run(path):
    openvino = pytest.importorskip('openvino')
    precise = {'INFERENCE_PRECISION_HINT': 'f32'}
    model = openvino.compile_model(openvino.convert_model(path), 'CPU', precise)
    return lambda images: list(model(images).values())


@pytest.mark.parametrize(
    'runtime', [onnx_run, pytest.param(openvino_run, marks=pytest.mark.slow)]
)
def test_files_take_other_sizes_and_numbers_of_images(exported, runtime):
    graph, path = exported
    run = runtime(path)
    for shape in SHAPES:
        check(graph, run, drawn(*shape, seed=shape[0]))
    # Of a flat image nothing, or the same of each cell: no peak, no limb.
    check(graph, run, torch.zeros(2, 3, 64, 64))
