# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Losses on the heatmaps of every stack, keypoints from the last."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.structures import InstanceData, PixelData
from mmpose.models.heads import HeatmapHead
from mmpose.models.utils.tta import flip_heatmaps
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor

from mmkp.models.refused_options import refuse_options
from mmkp.ops.arguments import one_of
from mmkp.ops.heatmaps.peak_accuracy import peak_accuracy
from mmkp.ops.precision import full_precision

Features = Sequence[Tensor]

STACK_REDUCTIONS = ('sum', 'mean')
_REFUSED = {'multiscale_test': "MMPose's top-down estimators have none, leave it out"}


@MODELS.register_module()
class StackedHourglassHead(HeatmapHead):
    """Supervision of every stack (Newell, Yang, Deng, ECCV 2016, section 3.2).

    The heatmaps are made in the backbone, :class:`StackedHourglass`, which feeds them
    back; this head has no weights. Codecs of MMPose that make one heatmap a keypoint
    (``MSRAHeatmap``, ``UDPHeatmap``) work as well as ``HourglassHeatmap``.

    Args:
        num_stacks: N, as in the backbone.
        num_keypoints: K, the backbone's ``num_keypoints``.
        loss: config of the loss of one stack, called with heatmaps, targets and weights
            of the keypoints. By default their mean squared error.
        stack_reduction: 'sum' over stacks, as in the author's code, or 'mean', as in
            the Princeton port, whose gradients are N times smaller.
        decoder: config of the codec.
        init_cfg: as in MMEngine.

    Raises:
        ValueError: unknown ``stack_reduction``.
    """

    def __init__(
        self,
        num_stacks: int,
        num_keypoints: int,
        loss: dict | None = None,
        stack_reduction: str = 'sum',
        decoder: dict | None = None,
        init_cfg: dict | list | None = None,
    ) -> None:
        super().__init__(
            in_channels=num_keypoints,
            out_channels=num_keypoints,
            deconv_out_channels=None,
            deconv_kernel_sizes=None,
            final_layer=None,
            loss=loss or dict(type='KeypointMSELoss', use_target_weight=True),
            decoder=decoder,
            init_cfg=init_cfg,
        )
        self.num_stacks = num_stacks
        self.stack_reduction = one_of(
            'stack_reduction', stack_reduction, STACK_REDUCTIONS
        )

    def stack_heatmaps(self, feats: Features) -> list[Tensor]:
        """Take the heatmaps of all stacks from what the backbone returns.

        Args:
            feats: N heatmaps (B, K, h, w), then N feature maps.

        Returns:
            The heatmaps, at least float32.

        Raises:
            ValueError: a backbone with another number of stacks or keypoints.
        """
        maps = [full_precision(each) for each in feats[: self.num_stacks]]
        # Sizes are tensors, which differ from any number, while operations are counted.
        channels = [int(heatmaps.shape[1]) for heatmaps in maps]
        if len(feats) != 2 * self.num_stacks or set(channels) != {self.out_channels}:
            raise ValueError(
                f'StackedHourglassHead expects {self.num_stacks} stacks with heatmaps '
                f'of {self.out_channels} keypoints, then their features, but the '
                f'backbone gives {len(feats)} maps of {[f.shape[1] for f in feats]} '
                'channels: take StackedHourglass with the same num_stacks, and '
                'num_keypoints equal to num_keypoints'
            )
        return maps

    def forward(self, feats: Features) -> Tensor:
        """Take the heatmaps of the last stack.

        Args:
            feats: N heatmaps (B, K, h, w), then N feature maps.

        Returns:
            Heatmaps (B, K, h, w).
        """
        return self.stack_heatmaps(feats)[-1]

    def loss(
        self,
        feats: Features,
        batch_data_samples: Sequence[PoseDataSample],
        train_cfg: dict | None = None,
    ) -> dict[str, Tensor]:
        """Compare heatmaps of every stack with the targets: intermediate supervision.

        Args:
            feats: N heatmaps (B, K, h, w), then N feature maps.
            batch_data_samples: B samples with ``gt_fields.heatmaps`` and
                ``gt_instance_labels.keypoint_weights``.
            train_cfg: ``compute_acc=False`` leaves out ``acc_pose``.

        Returns:
            ``loss_stack0`` and so on. To be logged and not part of the loss:
            ``acc_pose``, the share of keypoints within 5 % of the map, and
            ``heatmap_peak``, the mean over the last stack's maps of their maximum,
            which ``HeatmapCollapseHook`` watches.
        """
        stacks = self.stack_heatmaps(feats)
        targets = torch.stack([s.gt_fields.heatmaps for s in batch_data_samples])
        weights = torch.cat(
            [s.gt_instance_labels.keypoint_weights for s in batch_data_samples]
        )
        share = self.num_stacks if self.stack_reduction == 'mean' else 1
        losses = {
            f'loss_stack{index}': self.loss_module(maps, targets, weights) / share
            for index, maps in enumerate(stacks)
        }
        with torch.no_grad():
            losses['heatmap_peak'] = stacks[-1].amax((2, 3)).mean()
        if (train_cfg or {}).get('compute_acc', True):
            losses['acc_pose'] = peak_accuracy(stacks[-1], targets, weights)
        return losses

    def predict(
        self,
        feats: Any,
        batch_data_samples: Sequence[PoseDataSample],
        test_cfg: dict | None = None,
    ) -> list[InstanceData] | tuple[list[InstanceData], list[PixelData]]:
        """Read the keypoints from the last stack.

        Args:
            feats: what the backbone returns; with ``flip_test`` that of the images and
                that of the mirrored images.
            batch_data_samples: B samples; their metainfo has ``flip_indices`` for the
                flip test.
            test_cfg: ``flip_test``, ``shift_heatmap`` (False for ``HourglassHeatmap``)
                and ``output_heatmaps`` as in MMPose. ``output_stacks`` also returns the
                heatmaps of each stack.

        Returns:
            B instances with ``keypoints`` (1, K, 2) in pixels of the network's input
            and ``keypoint_scores`` (1, K), numpy. With ``output_heatmaps`` or
            ``output_stacks`` also B fields with ``heatmaps`` (K, h, w); with
            ``output_stacks`` these have ``heatmaps_stack0`` and so on, too.

        Raises:
            ValueError: ``multiscale_test``, or a ``flip_mode`` other than 'heatmap'.
        """
        test_cfg = test_cfg or {}
        refuse_options(test_cfg, type(self).__name__, _REFUSED, flip_mode='heatmap')
        if test_cfg.get('flip_test', False):
            stacks = [
                (plain + mirrored) / 2
                for plain, mirrored in zip(
                    self.stack_heatmaps(feats[0]),
                    self._mirrored_back(feats[1], batch_data_samples, test_cfg),
                    strict=True,
                )
            ]
        else:
            stacks = self.stack_heatmaps(feats)
        instances = self.decode(stacks[-1])
        shows_stacks = test_cfg.get('output_stacks', False)
        if not (shows_stacks or test_cfg.get('output_heatmaps', False)):
            return instances
        named = {'heatmaps': stacks[-1]}
        if shows_stacks:
            named |= {f'heatmaps_stack{i}': maps for i, maps in enumerate(stacks)}
        return instances, [
            PixelData(**{name: maps[index].detach() for name, maps in named.items()})
            for index in range(len(instances))
        ]

    def _mirrored_back(
        self, feats: Features, samples: Sequence[PoseDataSample], test_cfg: dict
    ) -> list[Tensor]:
        """Heatmaps of mirrored images as those of the images."""
        return [
            flip_heatmaps(
                maps,
                flip_indices=samples[0].metainfo['flip_indices'],
                flip_mode='heatmap',
                shift_heatmap=test_cfg.get('shift_heatmap', False),
            )
            for maps in self.stack_heatmaps(feats)
        ]
