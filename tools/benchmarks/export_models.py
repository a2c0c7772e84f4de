# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The models of export_table.py: how each is built, and which pictures it sees."""

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import torch
from torch import nn

from mmkp.apis.export_pictures import network_inputs
from mmkp.apis.model import load_model
from mmkp.apis.shipped_models import open_run, shipped_names
from mmkp.datasets.puppet_dataset import PuppetDataset
from mmkp.deployment.check import NetworkInput

#: Pictures that exports are compared and timed on, and calibrated on.
NUM_COMPARED, NUM_CALIBRATED = 8, 32
#: Standard deviation of what the last layer of random weights gives, so that maps have
#: peaks as trained ones have.
_SPREAD = 3.0
_FILM = 'data/flies/videos/20190128_113421.120s.mp4'
_THIN = 'openpose_mobilenet-thin_coco-368x368'
_VGG = 'data/weights/vgg16_hed_bsds_conv1_to_conv4_fp16.npz'
_LITE0 = 'work_dirs/efficientnet_lite0.pth'


@dataclass(frozen=True)
class Model:
    """A row of the table.

    Args:
        config: file or name, or the name of a model that ships.
        weights: checkpoint; random ones, seed 0, when None.
        needs: a file of weights of its backbone, or None.
        pictures: 'puppets', 'figures' (several of them) or a folder.
        fit: likewise, to calibrate int8 on.
        options: of the config.
        figure: what its predictions are held against, 'error', 'AP' or ''.
    """

    config: str
    weights: str | None = None
    needs: str | None = None
    pictures: str = 'puppets'
    fit: str = 'puppets'
    options: dict[str, Any] = field(default_factory=dict)
    figure: str = ''

    @property
    def trained(self) -> bool:
        """Whether its weights were."""
        return self.weights is not None or self.config in shipped_names()


_FACES = dict(pictures='data/celeba/images', fit='data/celeba/images')
_COCO = dict(pictures='data/coco/val2017', fit='data/coco/train2017')
_FIGURES = dict(pictures='figures', fit='figures')
_DISCOVERY = 'unsupervised_2d_keypoint'
MODELS: dict[str, Model] = {
    'puppets-lmdis': Model('puppets-lmdis', figure='error'),
    'flies-lmdis': Model('flies-lmdis', pictures=_FILM, fit=_FILM),
    'recommended': Model('recommended_celeba-halved-64x64', **_FACES),
    'lmdis': Model('lmdis_celeba-halved-80x80', **_FACES),
    'autolink': Model('autolink_celeba-halved-128x128', **_FACES),
    'fse': Model('fse_faces-aligned-128x128', **_FACES),
    'imm': Model('imm-equivariance_celeba-halved-64x64', **_FACES),
    'tokens-vgg16': Model('feature-attention_vgg16_puppets-64x64', needs=_VGG),
    'clusters-lite0': Model(
        'feature-clusters_efficientnet-lite0_puppets-128x128',
        needs=_LITE0,
        options={'model.backbone.backbone.init_cfg.checkpoint': _LITE0},
    ),
    'hourglass-s2': Model('hourglass-s2_mpii-256x256', **_COCO),
    'hrnet-w32': Model(
        'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
        'td-hm_hrnet-w32_8xb64-210e_coco-256x192.py',
        **_COCO,
    ),
    'rtmpose-m': Model(
        'mmpose::body_2d_keypoint/rtmpose/coco/rtmpose-m_8xb256-420e_coco-256x192.py',
        **_COCO,
    ),
    'puppets-openpose': Model('puppets-openpose', **_FIGURES, figure='AP'),
    'mobilenet-thin': Model(
        _THIN, 'work_dirs/mobilenet_thin.pth', **_COCO, figure='AP'
    ),
}


def build(model: Model) -> nn.Module:
    """The model on the CPU, and peaks in the maps of one that is untrained.

    Args:
        model: a row.

    Raises:
        FileNotFoundError: its weights are not there; docs/data.md says where from.
    """
    for path in (model.weights, model.needs):
        if path is not None and not Path(path).is_file():
            raise FileNotFoundError(f"'{path}' is missing: see docs/data.md")
    torch.manual_seed(0)
    if model.config in shipped_names():
        return open_run(model.config).load_model('cpu')
    made = load_model(model.config, model.weights, 'cpu', model.options, check=False)
    if not model.trained:
        if model.needs is None:
            with quiet():
                made.init_weights()
        made.eval()
        _sharpen(made, compared(made, model))
    return made


def compared(made: nn.Module, model: Model) -> list[NetworkInput]:
    """Pictures to compare and time on, as network inputs."""
    return network_inputs(made, picture_folder(model.pictures), NUM_COMPARED)


def picture_folder(name: str) -> Path:
    """A folder of pictures; drawn ones are drawn there first.

    Args:
        name: 'puppets', 'figures', or a folder that exists.
    """
    if name not in ('puppets', 'figures'):
        return Path(name)
    many = dict(data_mode='bottomup', image_size=128, figures=(2, 4))
    kind: dict[str, Any] = many if name == 'figures' else dict(image_size=64)
    drawn = PuppetDataset(num_images=NUM_CALIBRATED, seed=0, test_mode=True, **kind)
    folder = Path('work_dirs/export_table') / name
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(NUM_CALIBRATED):
        path = folder / f'{index:03d}.png'
        if not path.is_file():
            cv2.imwrite(str(path), drawn.get_data_info(index)['img'])
    return folder


def _sharpen(made: Any, inputs: list[NetworkInput]) -> None:
    """Set batch norms by the pictures, and scale the last layers' scores."""
    images = torch.stack([one.pixels for one in inputs])
    data = dict(inputs=list(images), data_samples=None)
    images = made.data_preprocessor(
        dict(data, data_samples=[one.packed['data_samples'] for one in inputs]), False
    )['inputs']
    norms = [
        m for m in made.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)
    ]
    with torch.no_grad(), _measuring(norms):
        made.head(made.extract_feat(images))
    with torch.no_grad():
        for layer in _last_layers(made, images):
            _scale(made, layer, images)


@contextmanager
def quiet() -> Iterator[None]:
    """Without what MMEngine and others log and warn of."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter('ignore')
            yield
    finally:
        logging.disable(before)


@contextmanager
def _measuring(norms: list[Any]) -> Iterator[None]:
    """Batch norms take mean and variance of what passes."""
    before = [one.momentum for one in norms]
    for one in norms:
        one.train()
        one.momentum = 1.0
    yield
    for one, momentum in zip(norms, before, strict=True):
        one.eval()
        one.momentum = momentum


def _last_layers(made: Any, images: torch.Tensor) -> list[nn.Module]:
    """The layer that runs last in the head; two of SimCC."""
    ran: list[nn.Module] = []
    layers = [
        one for one in made.head.modules() if isinstance(one, (nn.Conv2d, nn.Linear))
    ]
    hooks = [
        one.register_forward_hook(lambda module, *_: ran.append(module))
        for one in layers
    ]
    made.head(made.extract_feat(images))
    for hook in hooks:
        hook.remove()
    number = 2 if hasattr(made.head, 'cls_x') else 1
    return ran[-number:]


def _scale(made: Any, layer: Any, images: torch.Tensor) -> None:
    """Scale a layer so that its outputs deviate by :data:`_SPREAD`."""
    found: list[torch.Tensor] = []
    hook = layer.register_forward_hook(lambda *given: found.append(given[-1]))
    made.head(made.extract_feat(images))
    hook.remove()
    factor = _SPREAD / found[-1].std().clamp_min(1e-12)
    for parameter in layer.parameters():
        parameter.mul_(factor)
