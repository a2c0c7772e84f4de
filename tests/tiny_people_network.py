# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A part affinity network of a few weights that can be exported, shared by tests."""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

import tiny_people
import torch
from mmengine.config import Config
from mmengine.model import BaseModule
from mmpose.apis import init_model
from mmpose.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from mmkp.models.stages import StageOutputs


@MODELS.register_module()
class MeanColorsOfAnySize(BaseModule):
    """Mean color of cells of 8 pixels, BGR."""

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """Average (B, 3, H, W) to (B, 3, H / 8, W / 8)."""
        return (F.avg_pool2d(images, 8),)


@MODELS.register_module()
class WavyStages(BaseModule):
    """Maps of many peaks, drawn by random convolutions of the colors."""

    def __init__(self, in_channels: int, num_keypoints: int, num_fields: int) -> None:
        super().__init__()
        self.heatmaps = nn.Conv2d(in_channels, num_keypoints, 3, padding=1)
        self.fields = nn.Conv2d(in_channels, num_fields, 3, padding=1)

    def forward(self, features: Tensor) -> StageOutputs:
        """One stage of maps."""
        colors = features / 128 - 1
        heat, fields = self.heatmaps(colors), self.fields(colors)
        return StageOutputs([torch.sin(9 * heat) / 2 + 0.1], [torch.cos(5 * fields)])


def build_model(folder, codec: str = '') -> nn.Module:
    """A model with its config, whose network draws people everywhere.

    Args:
        folder: for the config and its images.
        codec: further options of the codec, such as ``profile='openpose'``.
    """
    extra = (
        "\nmodel['backbone'] = dict(type='MeanColorsOfAnySize')"
        f"\ncodec.update({codec})\nmodel['head']['decoder'] = codec"
    )
    path = tiny_people.write_config(folder, stages='WavyStages', extra=extra)
    torch.manual_seed(0)
    return init_model(Config.fromfile(path), None, device='cpu')


@functools.cache
def exported() -> tuple[nn.Module, Path]:
    """Such a model and its export as ONNX, made once a session."""
    import mmkp

    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    model = build_model(folder)
    made = mmkp.export(model, ['onnx'], out=folder / 'export', data=folder / 'images')
    return model, made.path
