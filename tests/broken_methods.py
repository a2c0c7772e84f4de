# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The method of another project with one mistake each, one for every check."""

import random

import checked_methods
import cv2
import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmpose.models.pose_estimators import TopdownPoseEstimator
from mmpose.registry import MODELS, TRANSFORMS
from third_party import ThirdPartyBackbone, ThirdPartyHead, config
from torch import nn

from mmkp.models import StackedHourglassHead

BROKEN = {}


def breaks(name, **changes):
    """Register a class, and name the check that the method with it must fail."""

    def add(broken):
        registry, key = MODELS, 'head'
        if issubclass(broken, BaseTransform):
            registry, key = TRANSFORMS, None
        elif issubclass(broken, TopdownPoseEstimator):
            key = 'model'
        elif issubclass(broken, ThirdPartyBackbone):
            key = 'backbone'
        registry.register_module(module=broken)
        settings = {key: broken.__name__, **changes} if key else changes
        BROKEN[name] = config(**settings)
        return broken

    return add


class Loss(ThirdPartyHead):
    """Changes the loss."""

    def change(self, value):
        raise NotImplementedError

    def loss(self, *args, **kwargs):
        return {k: self.change(v) for k, v in super().loss(*args, **kwargs).items()}


class Located(ThirdPartyHead):
    """Changes predicted keypoints (B, K, 2)."""

    def change(self, points):
        raise NotImplementedError

    def locate(self, maps, size):
        points = super().locate(maps, size)
        return points if self.training else self.change(points)


@breaks('loss_is_finite')
class LogarithmOfNothing(Loss):
    def change(self, value):
        return value + (value * 0).log()


@breaks('loss_falls')
class WrongSign(Loss):
    def change(self, value):
        return 2 * value.detach() - value


@breaks('gradients_reach_every_parameter')
class UnreadLayer(ThirdPartyBackbone):
    def __init__(self):
        super().__init__()
        self.unread = nn.Conv2d(8, 8, 1)


@breaks('same_seed_gives_same_training')
class GeneratorOfItsOwn(Loss):
    def change(self, value):
        return value * np.random.default_rng().uniform(0.9, 1.1)


@breaks('training_draws_from_torch_or_numpy')
class DrawsFromPython(Loss):
    def change(self, value):
        return value * random.uniform(0.9, 1.1)


@breaks('prediction_draws_nothing')
class DropsInPrediction(Located):
    def change(self, points):
        return nn.functional.dropout(points, 1e-3, training=True)


@breaks('global_state_is_unchanged')
class SilencesNumPy(ThirdPartyBackbone):
    def __init__(self):
        super().__init__()
        np.seterr(over='ignore' if np.geterr()['over'] != 'ignore' else 'warn')


@breaks('prediction_is_finite')
class EmptyMass(Located):
    def change(self, points):
        return points / (points.detach() * 0)


@breaks('batch_equals_singles')
class NormalizesOverTheBatch(ThirdPartyBackbone):
    def forward(self, images):
        for layer in self.layers:
            layer.train()
        return super().forward(images)


@breaks('order_does_not_matter')
class FirstImageForAll(Located):
    def change(self, points):
        return points[:1].expand_as(points)


@breaks('prediction_changes_nothing')
class Counts(Located):
    def __init__(self, num_keypoints):
        super().__init__(num_keypoints)
        self.register_buffer('count', torch.zeros(()))

    def change(self, points):
        self.count += 1
        return points


@breaks('bad_image_spoils_no_other')
class CentersTheBatch(ThirdPartyBackbone):
    def forward(self, images):
        return super().forward(images - 0 * images.mean())


@breaks('loss_of_bad_image_is_not_finite')
class HidesNotANumber(ThirdPartyBackbone):
    def forward(self, images):
        return super().forward(images.nan_to_num() if self.training else images)


@breaks('any_number_of_keypoints')
class MeanOverTheOthers(Loss):
    def change(self, value):
        return value / (self.num_keypoints - 1) if self.num_keypoints > 1 else value / 0


# MMPose's own reader takes neither grey arrays nor looks for NaN.
BROKEN['images_of_any_kind'] = config(loader='LoadImage')
BROKEN['not_a_number_is_refused'] = config(loader='LoadImage')


@breaks('images_of_any_size', before=('HalvesTheImage',))
class HalvesTheImage(BaseTransform):
    def transform(self, results):
        height, width = results['img'].shape[:2]
        results['img'] = cv2.resize(results['img'], (width // 2, height // 2))
        return results


@breaks('keypoints_follow_resize')
class InputPixels(TopdownPoseEstimator):
    def add_pred_to_datasample(self, instances, fields, samples):
        before = [instance.keypoints.copy() for instance in instances]
        for sample, keypoints in zip(
            super().add_pred_to_datasample(instances, fields, samples),
            before,
            strict=True,
        ):
            sample.pred_instances.keypoints = keypoints
        return samples


@breaks('pipeline_and_prediction_agree', after=('ShiftsTheImage',))
class ShiftsTheImage(BaseTransform):
    def transform(self, results):
        results['img'] = np.roll(results['img'], 3, axis=1)
        return results


@MODELS.register_module()
class MirrorsWithoutSwapping(StackedHourglassHead):
    def _mirrored_back(self, feats, samples, test_cfg):
        return [maps.flip(-1) for maps in self.stack_heatmaps(feats)]


BROKEN['keypoints_follow_flip'] = checked_methods.stacked_hourglass()
BROKEN['keypoints_follow_flip']['model']['head']['type'] = 'MirrorsWithoutSwapping'


@breaks('saved_state_predicts_the_same')
class DrawnAttribute(Located):
    def __init__(self, num_keypoints):
        super().__init__(num_keypoints)
        self.offset = float(torch.rand(()))

    def change(self, points):
        return points + self.offset


@breaks('resumed_equals_uninterrupted')
class CountsSteps(Loss):
    steps = 0

    def change(self, value):
        self.steps += 1
        return value / self.steps


@breaks('pickled_and_copied')
class Lambda(ThirdPartyHead):
    def __init__(self, num_keypoints):
        super().__init__(num_keypoints)
        self.activation = lambda maps: maps


@breaks('half_precision_predicts_the_same')
class PositionsInHalfPrecision(ThirdPartyHead):
    def locate(self, maps, size):
        return super().locate(maps, size).to(maps.dtype).float()


@breaks('half_precision_trains')
class NumPyInTheLoss(ThirdPartyHead):
    def loss(self, feats, *args, **kwargs):
        self.forward(feats).detach().numpy()
        return super().loss(feats, *args, **kwargs)


@breaks('channels_last_predicts_the_same')
class ViewsMemory(ThirdPartyHead):
    def forward(self, feats):
        feature = feats[-1]
        return super().forward((feature.view(len(feature), -1).view(feature.shape),))


@breaks('inferencer_runs', before=('NeedsItsDataSet',))
class NeedsItsDataSet(BaseTransform):
    def transform(self, results):
        results['category_id'] + 1
        return results


class Exportable(TopdownPoseEstimator):
    exportable = True


MODELS.register_module(module=Exportable)


@breaks('export')
class AsksForAValue(Exportable):
    def extract_feat(self, inputs):
        return super().extract_feat(inputs if inputs.sum() > 0 else inputs + 1)
