"""Configs of StableKeypoints: parts that fit each other, and what was published."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS, MODELS
from tiny import (  # noqa: F401
    call_tool,
    draw_figures,
    quick_mmengine,
    write_config,
)
from tiny_diffusion import tiny_config

import mmkp  # noqa: F401  registers the model
from mmkp.evaluation.functional.protocols import get_protocol

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / 'configs/unsupervised_2d_keypoint/stable_keypoints'
CONFIGS = sorted(p for p in FOLDER.rglob('*.py') if '_base_' not in p.parts)
DIFFUSION = [path for path in CONFIGS if path.stem.startswith('stable-keypoints')]
ADAPTERS = [path for path in CONFIGS if path not in DIFFUSION]
CELEBA = FOLDER / 'celeba/stable-keypoints_celeba-aligned-512x512.py'
PROTOCOLS = {
    'celeba-aligned': ('mafl', 10),
    'celeba-wild': ('celeba', 8),
    'cub': ('cub', 4),
    'cub-001': ('cub', 4),
    'cub-002': ('cub', 4),
    'cub-003': ('cub', 4),
    'cub-aligned': ('cub', 10),
    'taichi': ('taichi', 10),
    'deepfashion': ('deepfashion', 16),
    'human36m-masked': ('human36m', 16),
    'human36m-unaligned': ('human36m', 16),
}


def relative(path):
    return str(path.relative_to(FOLDER))


def sizes(config):
    """Size of the network input, of both pipelines."""
    datasets = (config.train_dataloader.dataset, config.val_dataloader.dataset)
    return {
        tuple(step.input_size)
        for dataset in datasets
        for step in dataset.pipeline
        if 'input_size' in step
    }


@pytest.mark.parametrize('path', CONFIGS, ids=relative)
def test_parts_fit(path):
    config = Config.fromfile(path)
    model, k = config.model, config.model.head.num_keypoints
    assert config.train_dataloader.dataset.num_keypoints == k
    assert config.val_dataloader.dataset.num_keypoints == k
    # Ten views of each image take their time: validation is on some of them.
    limits = ('max_fit', 'max_score')
    limited = {name: config.val_dataloader.dataset.pop(name, 200) for name in limits}
    assert set(limited.values()) == {200}
    assert config.test_dataloader == config.val_dataloader
    # As many tokens are trained an image as there are keypoints in the end.
    settings = model.train_cfg
    assert 'num_selected' not in settings and k <= settings.num_candidates
    assert settings.num_candidates <= model.head.num_tokens
    side = int(path.stem.rsplit('x', 1)[1])
    assert sizes(config) == {(side, side)}
    assert tuple(model.test_cfg.view_map_size) == (side, side)
    # The choice of tokens, the loss and the maps speak of the same Gaussian.
    assert settings.sigma == model.losses.localization.sigma
    assert sorted(model.losses) == ['equivariance', 'localization']
    assert [hook.type for hook in config.custom_hooks] == ['TokenSelectionHook']
    types = [step.type for step in config.train_dataloader.dataset.pipeline]
    assert 'RandomFlip' not in types
    assert config.train_cfg.val_interval <= config.train_cfg.max_iters


@pytest.mark.parametrize('path', DIFFUSION, ids=relative)
def test_published_numbers(path):
    config = Config.fromfile(path)
    model = config.model
    assert model.head.num_tokens == 500
    assert tuple(model.head.map_size) == (128, 128)
    assert model.losses.localization.loss_weight == 100
    assert model.losses.equivariance.loss_weight == 1000
    assert model.train_cfg.sigma == 2
    assert model.train_cfg.num_candidates == 25
    assert model.view_transform.preset == 'stable_keypoints'
    assert model.test_cfg.num_views == 10
    assert config.custom_hooks[0].num_images == 100
    optimizer = config.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.lr) == ('Adam', 5e-3)
    # A step is four images, which the loop counts one by one.
    images = config.train_dataloader.batch_size
    assert images * config.optim_wrapper.accumulative_counts == 4
    steps = config.train_cfg.max_iters / config.optim_wrapper.accumulative_counts
    assert steps == (10000 if path.parent.name == 'cub' else 500)


@pytest.mark.parametrize('path', DIFFUSION, ids=relative)
def test_scored_as_in_the_paper(path):
    config = Config.fromfile(path)
    data = path.stem.split('_')[-1].removesuffix('-512x512')
    evaluator = config.val_evaluator
    assert config.test_evaluator == evaluator
    if data == 'folder':
        assert evaluator.type == 'KeypointCollapseMetric'
        return
    protocol, k = PROTOCOLS[data]
    assert config.model.head.num_keypoints == k
    assert evaluator.type == 'DiscoveredKeypointMetric'
    assert (evaluator.protocol, evaluator.variant) == (protocol, 'stable_keypoints')
    scored = get_protocol(evaluator.protocol, evaluator.variant)
    assert (scored.center, scored.bias) == (0.5, False)


def test_every_data_set_of_the_paper_has_a_config():
    found = {path.stem.split('_')[-1].removesuffix('-512x512') for path in DIFFUSION}
    assert found == {*PROTOCOLS, 'folder'}


@pytest.mark.parametrize(
    ('family', 'prefix', 'width'),
    [('sd1', '', 768), ('sd2', '_sd21', 1024), ('sdxl', '_sdxl', 2048)],
)
def test_widths_and_layers_of_the_base_models(family, prefix, width):
    pytest.importorskip('diffusers')
    init_default_scope('mmpose')
    path = FOLDER / f'celeba/stable-keypoints{prefix}_celeba-aligned-512x512.py'
    model = Config.fromfile(path).model
    assert model.head.token_width == width
    base_model = tiny_config(family)
    base_model['unet']['cross_attention_dim'] = width
    model.backbone.base_model = base_model
    built = MODELS.build(model).eval()
    assert [tuple(p.shape) for p in built.parameters()] == [(500, width)]
    # Three layers of the first block with attention on the way up, one of the next.
    first = 0 if family == 'sdxl' else 1
    assert list(built.backbone.layers) == [
        f'up_blocks.{block}.attentions.{index}.transformer_blocks.0.attn2'
        for block, index in ((first, 0), (first, 1), (first, 2), (first + 1, 0))
    ]
    with torch.no_grad():
        logits = built.attend(torch.zeros(1, 3, 64, 64))
    # A quarter and half of the latents' resolution, 16 and 32 cells at 512 pixels.
    cells = [tuple(layer.shape[2:]) for layer in logits]
    assert cells == [(2, 2, 500)] * 3 + [(4, 4, 500)]


class TestDataPieces:
    """Every piece reads files as the converters write them."""

    @pytest.fixture
    def images(self, tmp_path):
        return draw_figures(tmp_path / 'images', number=4)

    def annotations(self, folder, num_points, name):
        """A COCO-style file of all images."""
        rng = np.random.default_rng(0)
        content = {
            'images': [],
            'annotations': [],
            'categories': [
                dict(
                    id=1,
                    name='object',
                    keypoints=[f'point_{i}' for i in range(num_points)],
                )
            ],
        }
        for number, path in enumerate(sorted(folder.glob('*.png')), start=1):
            height, width = cv2.imread(str(path)).shape[:2]
            points = np.full((num_points, 3), 2.0)
            points[:, :2] = rng.uniform(0, [width - 1, height - 1], (num_points, 2))
            content['images'].append(
                dict(id=number, file_name=path.name, width=width, height=height)
            )
            content['annotations'].append(
                dict(
                    id=number,
                    image_id=number,
                    category_id=1,
                    bbox=[0, 0, width, height],
                    area=width * height,
                    iscrowd=0,
                    num_keypoints=num_points,
                    keypoints=points.ravel().tolist(),
                )
            )
        path = folder.parent / name
        path.write_text(json.dumps(content))
        return str(path)

    @pytest.mark.parametrize('path', DIFFUSION, ids=relative)
    def test_reads(self, path, images, tmp_path):
        init_default_scope('mmpose')
        config = Config.fromfile(path)
        train, val = config.train_dataloader.dataset, config.val_dataloader.dataset
        if train.get('files'):
            listed = tmp_path / 'train.txt'
            listed.write_text(''.join(f'{p.name}\n' for p in images.glob('*.png')))
            train.files = str(listed)
        if train.get('bbox_file'):
            train.bbox_file = self.annotations(images, 5, 'boxes.json')
        if train.get('data_prefix'):
            train.data_prefix.img = str(images)
        else:
            train.data_root = str(images)
        if val.type == 'DiscoveryEvaluationDataset':
            scored = get_protocol(config.val_evaluator.protocol)
            for part in (val.fit, val.score):
                part.ann_file = self.annotations(images, scored.num_annotated, 'a.json')
                part.data_prefix.img = str(images)
        else:
            val.data_root = str(images)
        for dataset, number in (
            (train, 4),
            (val, 8 if val.type == 'DiscoveryEvaluationDataset' else 4),
        ):
            built = DATASETS.build(dataset)
            assert len(built) == number
            sample = built[0]
            assert sample['inputs'].shape == (3, 512, 512)
            assert sample['data_samples'].input_size == (512, 512)


@pytest.mark.parametrize('path', ADAPTERS, ids=relative)
def test_adapters_on_a_random_network(path):
    init_default_scope('mmpose')
    config = Config.fromfile(path)
    model = config.model
    network = model.backbone.backbone
    network.weights = None
    built = MODELS.build(model)
    trained = [name for name, _ in built.named_parameters()]
    assert trained == ['head.tokens']
    side = config.train_dataloader.dataset.pipeline[2].input_size[0]
    losses = built.loss(torch.rand(2, 3, side, side))
    total = sum(losses.values())
    total.backward()
    assert built.head.tokens.grad.abs().sum() > 0


def test_a_training_on_a_diffusion_model_through_the_runner(tmp_path, capsys):
    pytest.importorskip('diffusers')
    model = Config.fromfile(FOLDER / 'folder/stable-keypoints_folder-512x512.py').model
    model.backbone.base_model = tiny_config()
    model.head.update(num_tokens=12, num_keypoints=4, token_width=32, map_size=(16, 16))
    model.train_cfg.update(num_candidates=8, num_selected=4)
    model.test_cfg.update(num_views=2, view_map_size=(32, 32))
    text = f"""
model = {model.to_dict()!r}
train_dataloader['batch_size'] = 1
optim_wrapper['accumulative_counts'] = 4
default_hooks['checkpoint'] = dict(interval=4)
custom_hooks = [dict(type='TokenSelectionHook', num_images=3)]
val_evaluator = dict(type='KeypointCollapseMetric')
test_evaluator = val_evaluator
"""
    config = write_config(tmp_path, extra=text, max_iters=8)
    work = tmp_path / 'work'
    call_tool('train.py', config, '--work-dir', work)
    state = torch.load(work / 'iter_8.pth', weights_only=False)['state_dict']
    # The diffusion model is not in the checkpoint, the choice of tokens is.
    assert set(state) == {
        'head.tokens',
        'head.token_indices',
        'head.untrained_token_indices',
        'backbone.base_fingerprint',
    }
    assert state['head.tokens'].shape == (12, 32)
    assert len(set(state['head.token_indices'].tolist()) - {-1}) == 4
    assert state['backbone.base_fingerprint'].any()
    assert list(work.rglob('vis_image/discovery*.png'))
    # The same tokens on another diffusion model mean nothing.
    options = ('--cfg-options', 'model.backbone.base_model.seed=1')
    with pytest.raises(SystemExit, match='2'):
        call_tool('test.py', config, work / 'iter_8.pth', '--work-dir', work, *options)
    assert 'trained with another frozen network' in capsys.readouterr().err
