"""Configs of LMDIS: parts that fit each other, and what was published."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmpose.registry import MODELS
from tiny import call_tool, quick_mmengine, write_config  # noqa: F401

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / 'configs/unsupervised_2d_keypoint/lmdis'
CONFIGS = sorted(p for p in FOLDER.rglob('*.py') if '_base_' not in p.parts)
LOSSES = ['concentration', 'equivariance', 'reconstruction', 'separation']


def relative(path):
    return str(path.relative_to(FOLDER))


@pytest.mark.parametrize('path', CONFIGS, ids=relative)
def test_parts_fit(path):
    config = Config.fromfile(path)
    model, name = config.model, path.stem
    k = model.head.num_keypoints
    datasets = [config.train_dataloader.dataset, config.val_dataloader.dataset]
    assert [d.num_keypoints for d in datasets] == [k, k]
    side = int(name.rsplit('x', 1)[1])
    for pipeline in (d.pipeline for d in datasets):
        sizes = [tuple(s.input_size) for s in pipeline if 'input_size' in s]
        assert sizes == [(side, side)]
    # Figure and ground take the place of the reconstruction.
    figures = [x for x in ('figure', 'coverage') if x in model.losses]
    kept = [x for x in LOSSES if not figures or x != 'reconstruction']
    added = [x for x in ('flip', 'regression') if x in model.losses]
    assert sorted(model.losses) == sorted(kept + figures + added)
    assert ('coverage' in figures) == ('guarded' in name or 'covered' in name)
    assert model.head.padding == 8
    flow = model.view_transform.type == 'OpticalFlowView'
    assert flow == ('flow' in name)
    assert flow != model.get('warp_padded', True)
    decoder = model.backbone.get('decoder', ((32,),))
    width = model.backbone.get('channels', decoder[-1][-1])
    assert model.head.in_channels == width


def test_the_published_networks():
    config = Config.fromfile(FOLDER / 'celeba/lmdis_celeba-aligned-80x80.py')
    model = MODELS.build(config.model)

    def weights(module):
        return sum(p.numel() for n, p in module.named_parameters() if 'norm' not in n)

    # 3x3 kernels of the table, and those of the K + 1 scores.
    assert weights(model.backbone) == 673632
    assert weights(model.head) == 9 * 32 * 11
    assert model.generator.decoder.encoder[0][0].convolution.in_channels == 5 * 75
    (maps,) = model.generator.decoder(torch.zeros(1, 375, 80, 80))
    assert maps.shape == (1, 32, 80, 80)
    schedule = config.custom_hooks[0].losses.reconstruction
    assert [tuple(step) for step in schedule] == [(0, 0.1), (100000, 1), (200000, 10)]
    assert config.param_scheduler.milestones == [100000, 200000]
    assert config.train_dataloader.batch_size == 16


def test_a_training_through_the_runner(tmp_path):
    model = Config.fromfile(FOLDER / 'puppets/lmdis-light_puppets-64x64.py').model
    model.head.num_keypoints = 4
    text = f'\nmodel = {model.to_dict()!r}\n'
    text += (
        "custom_hooks = [dict(type='LossWeightSchedule', "
        'losses=dict(reconstruction=[(0, 0.1), (1, 1.0)]))]\n'
    )
    # The validation after the fourth step draws pictures.
    config = write_config(tmp_path, extra=text, max_iters=4)
    call_tool('train.py', config, '--work-dir', tmp_path / 'work')
    assert (tmp_path / 'work' / 'iter_4.pth').is_file()
    assert list((tmp_path / 'work').rglob('vis_image/discovery*.png'))
