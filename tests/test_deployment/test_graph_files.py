"""Graphs of all kinds, as ONNX and TorchScript files, find what the models find."""

import pytest
import tiny_heads
import tiny_methods
import torch

from mmkp.deployment.check import compare_keypoints
from mmkp.deployment.description import ExportDescription
from mmkp.deployment.graphs import build_graph
from mmkp.deployment.onnx_file import write_onnx
from mmkp.deployment.sessions import open_session
from mmkp.deployment.torch_file import write_torch
from mmkp.deployment.tracing import trace_graph

pytest.importorskip('onnxscript')
pytest.importorskip('onnxruntime')

SQUARE = (tiny_methods.SIDE, tiny_methods.SIDE)
# Maps of random weights are flat, and Newton's step is as long as they are.
TOLERANCES = dict.fromkeys(('dark', 'udp'), 0.2)
METHODS = [name for name in tiny_methods.METHODS if name != 'BottomupPoseEstimator']


def described(files):
    return ExportDescription(
        'keypoints', 'Tiny', files, 'float32', '', [], [], [], [], {}, {}
    )


def check_files(model, inputs, folder, tolerance=1e-3):
    """Write both files, and compare each."""
    images = torch.stack([one.pixels for one in inputs[:2]])
    graph = build_graph(model)
    description = described({'onnx': 'model.onnx', 'torch': 'model.pt'})
    description.write(folder)
    write_torch(graph, images, folder / 'model.pt', description)
    write_onnx(trace_graph(graph, images), folder / 'model.onnx', description)
    for runtime, name in description.files.items():
        run = open_session(folder, runtime).run
        compare_keypoints(run, name, model, inputs, tolerance=tolerance)


def of_method(name):
    if name == 'StableKeypoints':
        model = tiny_methods.build(name, test_cfg=dict(num_views=2))
        with torch.no_grad():
            model.head.tokens.mul_(3)  # so that maps have peaks
    else:
        model = tiny_methods.build(name)
    return model.eval(), tiny_heads.pictures(4, SQUARE)


def of_head(name):
    test_cfg = dict(flip_test=True, shift_heatmap=True)
    if name == 'offsets':
        test_cfg.update(flip_mode='udp_combined', shift_heatmap=False)
    return tiny_heads.build(name, **test_cfg), tiny_heads.pictures(4)


def test_mirrored_lines_with_dark_are_files(tmp_path):
    check_files(*of_head('simcc'), tmp_path)


def test_views_of_a_test_are_files(tmp_path):
    check_files(*of_method('StableKeypoints'), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize('name', [n for n in METHODS if n != 'StableKeypoints'])
def test_each_method_is_a_file(name, tmp_path):
    check_files(*of_method(name), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize('name', [n for n in tiny_heads.HEADS if n != 'simcc'])
def test_each_head_is_a_file(name, tmp_path):
    check_files(*of_head(name), tmp_path, TOLERANCES.get(name, 1e-3))


def test_a_graph_that_asks_for_values_is_told_from_one_that_can_be_written():
    class Asking(torch.nn.Module):
        def forward(self, images):
            return images * 2 if images.sum() > 0 else images

    class Bound(torch.nn.Module):
        def forward(self, images):
            return images.reshape(len(images) * 4, -1)

    for graph in (Asking(), Bound()):
        name = type(graph).__name__
        with pytest.raises(ValueError, match=f'{name} cannot be exported for any num'):
            trace_graph(graph, torch.ones(2, 3, 4, 4))
