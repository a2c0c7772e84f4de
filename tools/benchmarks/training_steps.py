# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""One training step of each method, on random pictures and targets, on any device.

Networks start at random weights, frozen ones too, as costs are the same: no file is
needed.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from measure import build_quietly
from mmengine.structures import InstanceData, PixelData
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from mmkp.engine.config import load_config

CONFIGS = Path(__file__).parents[2] / 'configs'
_UNSUPERVISED, _BODY = 'unsupervised_2d_keypoint', 'body_2d_keypoint'


class Method(NamedTuple):
    """What is trained.

    Attributes:
        published: config of the published setting, below ``configs/``.
        light: config of the light one.
        side: pixels of a side, published.
        light_side: likewise, light.
        batch: pictures of a batch, published.
    """

    published: str
    light: str
    side: int
    light_side: int
    batch: int


METHODS = {
    'AutoLink': Method(
        f'{_UNSUPERVISED}/autolink/_base_/autolink_128x128.py',
        f'{_UNSUPERVISED}/autolink/_base_/autolink_equivariance_slim_64x64.py',
        128, 64, 64,
    ),
    'FSE': Method(
        f'{_UNSUPERVISED}/factorized_spatial_embedding/_base_/fse_128x128.py',
        f'{_UNSUPERVISED}/factorized_spatial_embedding/_base_/fse_light_64x64.py',
        146, 64, 32,
    ),
    'IMM': Method(
        f'{_UNSUPERVISED}/imm/_base_/imm_equivariance_64x64.py',
        f'{_UNSUPERVISED}/imm/_base_/imm_equivariance_64x64.py',
        64, 64, 32,
    ),
    'LMDIS': Method(
        f'{_UNSUPERVISED}/lmdis/_base_/lmdis_80x80.py',
        f'{_UNSUPERVISED}/lmdis/_base_/lmdis_light_64x64.py',
        80, 64, 16,
    ),
    'StableKeypoints': Method(
        f'{_UNSUPERVISED}/stable_keypoints/_base_/feature_attention_vgg16_128x128.py',
        f'{_UNSUPERVISED}/stable_keypoints/_base_/feature_attention_vgg16_64x64.py',
        128, 64, 4,
    ),
    'OpenPose': Method(
        f'{_BODY}/openpose/coco/openpose-lightweight-r1_mobilenetv1_coco-368x368.py',
        f'{_BODY}/openpose/puppets/openpose_res18-w25_puppets-128x128.py',
        368, 128, 8,
    ),
    'StackedHourglass': Method(
        f'{_BODY}/stacked_hourglass/coco/hourglass-s2_coco-256x256.py',
        f'{_BODY}/stacked_hourglass/puppets/hourglass-s1-w64_puppets-64x64.py',
        256, 64, 8,
    ),
}  # fmt: skip


class Step(NamedTuple):
    """A model, in training mode, and a batch of it on the device of its weights.

    Attributes:
        model: the pose estimator.
        inputs: pictures as the data preprocessor gives them, (B, 3, H, W).
        data_samples: B samples, with targets where the method needs them.
    """

    model: nn.Module
    inputs: Tensor
    data_samples: list[PoseDataSample]

    def to(self, device: str) -> 'Step':
        """The same on another device; the model itself moves."""
        samples = [sample.to(device) for sample in self.data_samples]
        return Step(self.model.to(device), self.inputs.to(device), samples)

    def losses(self) -> dict[str, Tensor]:
        """Named losses of the batch, the same at each call: draws start anew."""
        torch.manual_seed(2)
        return self.model.loss(self.inputs, self.data_samples)

    def run(self) -> Tensor:
        """Forward, the sum of the losses, and backward; returns the sum, detached."""
        self.model.zero_grad(set_to_none=True)
        total = sum(v for name, v in self.losses().items() if name.startswith('loss'))
        total.backward()
        return total.detach()


def prepare_step(
    name: str,
    light: bool = True,
    batch: int | None = None,
    device: str = 'cpu',
    num_keypoints: int = 10,
) -> Step:
    """Prepare a training step.

    Args:
        name: one of ``METHODS``.
        light: the light setting instead of the published one.
        batch: pictures B; that of the setting, 2 if light, when None.
        device: of torch.
        num_keypoints: K of what is discovered.

    Returns:
        The step, with weights, pictures and targets of fixed seeds.
    """
    method = METHODS[name]
    config = load_config(CONFIGS / (method.light if light else method.published)).model
    if 'unsupervised' in method.published:
        config.head.num_keypoints = num_keypoints
    model = build_quietly(_without_files(config)).train()
    if hasattr(model.backbone, 'read'):
        model.backbone.read()  # which else waits for the first step
    side = method.light_side if light else method.side
    batch = batch or (2 if light else method.batch)
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(batch, 3, side, side, generator=generator)
    samples = _SAMPLES.get(name, _without_targets)(model, batch, side, generator)
    return Step(model, images, list(samples)).to(device)


def _without_files(config: dict) -> dict:
    """Take out of a model's config what would be read from files."""
    parts = [config, *config.get('losses', {}).values(), config.get('backbone', {})]
    for part in [*parts, parts[-1].get('backbone', {})]:
        if isinstance(part, dict):
            for key in ('weights', 'init_cfg'):
                part.pop(key, None)
    return config


def _without_targets(
    model: nn.Module, batch: int, side: int, generator: torch.Generator
) -> Sequence[PoseDataSample]:
    return [PoseDataSample(metainfo=dict(img_shape=(side, side)))] * batch


def _part_affinity(
    model: nn.Module, batch: int, side: int, generator: torch.Generator
) -> Sequence[PoseDataSample]:
    codec = model.head.decoder
    skeleton, cells = codec.skeleton, side // codec.stride
    samples = []
    for _ in range(batch):
        targets = PixelData()
        for name, weights, channels in (
            ('heatmaps', 'heatmap_weights', skeleton.num_keypoints + 1),
            ('part_affinity_fields', 'field_weights', 2 * skeleton.num_limbs),
        ):
            shape = (channels, cells, cells)
            targets.set_field(torch.rand(shape, generator=generator), name)
            targets.set_field(torch.ones(shape), weights)
        sample = PoseDataSample(metainfo=dict(img_shape=(side, side)))
        sample.gt_fields = targets
        samples.append(sample)
    return samples


def _heatmaps(
    model: nn.Module, batch: int, side: int, generator: torch.Generator
) -> Sequence[PoseDataSample]:
    channels = model.backbone.num_keypoints
    samples = []
    for _ in range(batch):
        shape = (channels, *model.head.decoder.heatmap_size[::-1])
        sample = PoseDataSample(metainfo=dict(img_shape=(side, side)))
        heatmaps = torch.rand(shape, generator=generator)
        sample.gt_fields = PixelData(heatmaps=heatmaps)
        sample.gt_instance_labels = InstanceData(
            keypoint_weights=torch.ones(1, channels)
        )
        samples.append(sample)
    return samples


_SAMPLES: dict[str, Callable[..., Sequence[PoseDataSample]]] = {
    'OpenPose': _part_affinity,
    'StackedHourglass': _heatmaps,
}
