"""The benchmark of a training step makes real steps."""

from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / 'tools' / 'benchmarks'
CONFIG = """
default_scope = 'mmpose'
custom_imports = dict(imports=['mmkp'], allow_failed_imports=False)
codec = dict(type='PartAffinityField', skeleton='coco18', input_size=(368, 368))
norm_cfg = dict(type='BN', eps=1e-3)
model = dict(
    type='BottomupPoseEstimator',
    data_preprocessor=dict(type='PoseDataPreprocessor'),
    backbone=dict(type='MobileNetThin', widen_factor=0.25, norm_cfg=norm_cfg),
    head=dict(
        type='PartAffinityHead',
        in_channels=288,
        stages=dict(
            type='SeparableStages', channels=8, first_stage_channels=16,
            num_stages=2, norm_cfg=norm_cfg),
        decoder=codec))
optim_wrapper = dict(optimizer=dict(type='Adam', lr=1e-2))
"""


@pytest.fixture
def benchmark_module(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import openpose_training_step

    return openpose_training_step


def test_steps_reduce_the_loss(benchmark_module, tmp_path):
    config = tmp_path / 'small.py'
    config.write_text(CONFIG)
    step = benchmark_module.prepare(str(config), 2, 64, 'cpu')
    steps = [step() for _ in range(4)]
    assert steps[-1].loss < steps[0].loss
    assert steps[0].num_parameters > 10_000
    assert steps[0].extra_gpu_mib == 0
