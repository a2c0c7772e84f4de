# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The control beside every figure: the same detector, untrained."""

import copy
from collections.abc import Sequence

import torch
from mmengine.model import ModuleList
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from torch import nn

from mmkp.ops.turned_crop import TurnedCrop


class _QuietParent(ModuleList):
    """Initialises its part without a line about each of its parameters."""

    def _dump_init_info(self) -> None:
        pass


def untrained_detector(model: nn.Module, seed: int) -> nn.Module:
    """Copy a model with a detector at freshly drawn weights.

    Args:
        model: with the parts ``backbone``, ``head`` and, where it has one, ``neck``.
        seed: of the weights, which are drawn on the CPU, so that they are the same on
            each device; torch's own generators are left as they are.

    Returns:
        A model of these parts alone, on the CPU, in evaluation mode, without
        gradients.
    """
    detector = copy.copy(model)
    detector._modules = {
        name: copy.deepcopy(model._modules[name]).cpu()
        for name in ('backbone', 'neck', 'head')
        if name in model._modules
    }
    with torch.random.fork_rng(devices=[]):
        # torch.manual_seed would seed the accelerators as well.
        torch.default_generator.manual_seed(seed)
        for part in detector._modules.values():
            for layer in part.modules():
                if hasattr(layer, 'reset_parameters'):
                    layer.reset_parameters()
                layer._is_init = False
            _QuietParent([part]).init_weights()
    return detector.eval().requires_grad_(False)


def add_untrained_keypoints(
    samples: Sequence[PoseDataSample], control: Sequence[InstanceData]
) -> None:
    """Add what the control finds to predictions, in pixels of the image.

    Args:
        samples: B predictions with ``input_size``, ``input_center`` and
            ``input_scale`` in their metainfo; their ``pred_instances`` get
            ``untrained_keypoints`` (1, K, 2).
        control: B instances with ``keypoints`` (1, K, 2) in network-input pixels.
    """
    for sample, instance in zip(samples, control, strict=True):
        crop = TurnedCrop.of_sample(sample.metainfo)
        points = crop.to_image(instance.keypoints / crop.size)
        sample.pred_instances.set_field(points, 'untrained_keypoints')
