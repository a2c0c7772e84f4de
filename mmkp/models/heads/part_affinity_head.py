"""Heatmaps and part affinity fields, from features to people."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from mmengine.structures import InstanceData, PixelData
from mmpose.models.heads import BaseHead
from mmpose.registry import KEYPOINT_CODECS, MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from mmkp.models.heads.mirrored_maps import (
    INTERPOLATIONS,
    average_of_scales,
    average_with_mirrored,
)
from mmkp.models.refused_options import refuse_options
from mmkp.models.stages.stage_outputs import StageOutputs
from mmkp.ops.arguments import one_of

Features = Sequence[Tensor]
_REFUSED = {
    'shift_heatmap': 'cells lie symmetrically in the image, so leave it out',
    'align_corners': 'maps are resized by the centers of their cells, so leave it out',
    'restore_heatmap_size': 'the codec refines peaks between cells, so leave it out',
    'output_keypoint_indices': "set the codec's output_keypoints instead",
}


@MODELS.register_module()
class PartAffinityHead(BaseHead):
    """The stages of OpenPose (Cao et al., CVPR 2017 and TPAMI 2019) on any backbone.

    Reads one feature map, predicts K heatmaps, the background and the fields of L limbs
    in several stages, compares each stage with the targets, and puts people together
    from the last. Works in MMPose's ``BottomupPoseEstimator``.

    The feature map must come at the stride of the codec: of most backbones choose the
    one of stride 8 (``out_indices``), or join several of them by MMPose's
    ``FeatureMapProcessor`` as the neck.

    The papers train the later stages with 4 times the learning rate, biases with twice
    that and without weight decay. That is MMEngine's ``paramwise_cfg`` in the config:
    ``optim_wrapper.paramwise_cfg.custom_keys`` maps parts of the names of parameters,
    which begin with ``head.stages``, to ``lr_mult`` and ``decay_mult``.

    Args:
        in_channels: channels C of the feature map.
        stages: config of a stage module, without ``in_channels``, ``num_keypoints`` and
            ``num_fields``, which follow from the features and the skeleton.
        decoder: config of the codec, with ``skeleton`` and ``stride``.
        loss: config of the loss, called with the outputs of the stages and the targets.
        in_index: which of the backbone's feature maps to read.
        feature_channels: channels after each of the convolutions, with ReLU, that fit
            the features to the stages; the OpenPose networks have (256, 128). None for
            no such convolution.
        feature_kernel_size: of those convolutions, odd.
        init_cfg: as in MMEngine. The papers draw from a normal distribution:
            ``dict(type='Normal', layer='Conv2d', std=0.01)``.
    """

    def __init__(
        self,
        in_channels: int,
        stages: dict,
        decoder: dict,
        loss: dict | None = None,
        in_index: int = -1,
        feature_channels: int | Sequence[int] | None = None,
        feature_kernel_size: int = 3,
        init_cfg: dict | list | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.decoder = KEYPOINT_CODECS.build(decoder)
        self.loss_module = MODELS.build(loss or dict(type='PartAffinityLoss'))
        self.in_index = in_index
        widths = feature_channels if feature_channels is not None else ()
        channels = (
            in_channels,
            *(widths if isinstance(widths, Sequence) else (widths,)),
        )
        layers: list[nn.Module] = []
        for before, after in pairwise(channels):
            padding = feature_kernel_size // 2
            layers += [
                nn.Conv2d(before, after, feature_kernel_size, padding=padding),
                nn.ReLU(inplace=True),
            ]
        self.feature_layers = nn.Sequential(*layers)
        skeleton = self.decoder.skeleton
        self.stages = MODELS.build(
            dict(
                in_channels=channels[-1],
                num_keypoints=skeleton.num_keypoints + 1,
                num_fields=2 * skeleton.num_limbs,
                **stages,
            )
        )

    def forward_stages(self, feats: Features) -> StageOutputs:
        """Compute the maps of every stage.

        Args:
            feats: feature maps of the backbone, each (B, C, h, w).

        Returns:
            Linear outputs, heatmaps (B, K + 1, h, w) and fields (B, 2L, h, w).
        """
        return self.stages(self.feature_layers(feats[self.in_index]))

    def forward(self, feats: Features) -> tuple[Tensor, Tensor]:
        """Compute the maps of the last stage.

        Args:
            feats: feature maps of the backbone, each (B, C, h, w).

        Returns:
            Heatmaps (B, K + 1, h, w), background last, and fields (B, 2L, h, w).
        """
        outputs = self.forward_stages(feats)
        return outputs.heatmaps[-1], outputs.fields[-1]

    def loss(
        self,
        feats: Features,
        batch_data_samples: Sequence[PoseDataSample],
        train_cfg: dict | None = None,
    ) -> dict[str, Tensor]:
        """Compare every stage with the targets of the codec.

        Args:
            feats: feature maps of the backbone, each (B, C, h, w).
            batch_data_samples: B samples whose ``gt_fields`` hold ``heatmaps``,
                ``part_affinity_fields``, ``heatmap_weights`` and ``field_weights``.
            train_cfg: kept for MMPose's interface.

        Returns:
            The losses of ``PartAffinityLoss``, one for every stage and branch.

        Raises:
            ValueError: the feature map does not have the codec's stride.
        """
        outputs = self.forward_stages(feats)
        fields = [sample.gt_fields for sample in batch_data_samples]
        heatmaps = torch.stack([field.heatmaps for field in fields])
        self._check_stride(outputs.heatmaps[-1], heatmaps.shape[-2:])
        return self.loss_module(
            outputs,
            heatmaps,
            torch.stack([field.part_affinity_fields for field in fields]),
            torch.stack([field.heatmap_weights for field in fields]),
            torch.stack([field.field_weights for field in fields]),
        )

    def predict(
        self,
        feats: Any,
        batch_data_samples: Sequence[PoseDataSample],
        test_cfg: dict | None = None,
    ) -> list[InstanceData] | tuple[list[InstanceData], list[PixelData]]:
        """Find the people.

        Args:
            feats: feature maps of the backbone, each (B, C, h, w); with ``flip_test``
                those of the images and those of the mirrored images; with
                ``multiscale_test`` a list of all that, for each size of the images.
            batch_data_samples: B samples whose metainfo tells ``input_size``.
            test_cfg: ``flip_test`` and ``multiscale_test`` as in MMPose: average maps
                of mirrored images, and of several sizes on the grid of the first.
                ``interpolation``, 'bilinear' or 'bicubic', says how maps are resized.
                ``output_heatmaps`` also returns the maps.

        Returns:
            B instances with ``keypoints`` (N, S, 2) and ``bboxes`` (N, 4), the box
            x1, y1, x2, y2 of the keypoints found, in pixels of the network's input;
            ``keypoint_scores`` and ``keypoints_visible`` (N, S), 0 where not found;
            ``bbox_scores`` (N,). numpy float32; N is 0 where nobody was found. With
            ``output_heatmaps`` also B fields: ``heatmaps`` (K, h, w), without the
            background as it would outshine them in MMPose's pictures, and
            ``part_affinity_fields`` (2L, h, w).

        Raises:
            ValueError: the feature map does not have the codec's stride, the width of
                the input is not a multiple of it in a flip test, ``interpolation`` is
                unknown, or an option of other bottom-up heads is on.
        """
        test_cfg = test_cfg or {}
        refuse_options(test_cfg, type(self).__name__, _REFUSED, flip_mode='heatmap')
        flip_test = test_cfg.get('flip_test', False)
        interpolation = test_cfg.get('interpolation', 'bilinear')
        one_of('test_cfg.interpolation', interpolation, INTERPOLATIONS)
        scales: list[tuple[Tensor, Tensor]] = []
        for views in feats if test_cfg.get('multiscale_test', False) else [feats]:
            maps = self._float_maps(views[0] if flip_test else views)
            if not scales:
                # Networks round the size of their maps up or down.
                sides, stride = _input_shape(batch_data_samples), self.decoder.stride
                up, down = ([(s + r) // stride for s in sides] for r in (stride - 1, 0))
                self._check_stride(maps[0], up, down)
            if flip_test:
                self._check_symmetry(batch_data_samples)
                mirrored = self._float_maps(views[1])
                maps = average_with_mirrored(maps, mirrored, self.decoder.skeleton)
            scales.append(maps)
        heatmaps, fields = average_of_scales(scales, interpolation)
        instances = self.decode((heatmaps, fields))
        if not test_cfg.get('output_heatmaps', False):
            return instances
        return instances, [
            PixelData(heatmaps=maps[:-1], part_affinity_fields=field)
            for maps, field in zip(heatmaps.detach(), fields.detach(), strict=True)
        ]

    def decode(self, batch_outputs: tuple[Tensor, Tensor]) -> list[InstanceData]:
        """Put people together from the maps, see :meth:`predict`.

        Args:
            batch_outputs: heatmaps (B, K + 1, h, w) and fields (B, 2L, h, w).

        Returns:
            B instances.
        """
        heatmaps, fields = batch_outputs
        people = self.decoder.batch_decode(heatmaps.detach(), fields.detach())
        return [_instances(*arrays) for arrays in zip(*people, strict=True)]

    def _float_maps(self, feats: Features) -> tuple[Tensor, Tensor]:
        heatmaps, fields = self.forward(feats)
        return heatmaps.float(), fields.float()

    def _check_stride(self, maps: Tensor, *expected: Sequence[int]) -> None:
        """Refuse maps that have none of the expected shapes (h, w)."""
        found = tuple(maps.shape[-2:])
        if found in [tuple(shape) for shape in expected]:
            return
        stride, (height, width) = self.decoder.stride, expected[0]
        actual = stride * width / found[1]
        raise ValueError(
            f'the features of the head (in_index={self.in_index}) come at stride '
            f'{actual:.3g}, {found[1]}x{found[0]} cells, but the codec says stride='
            f"{stride}, {width}x{height} cells: take the backbone's feature map of "
            f'stride {stride} (out_indices, head.in_index), or give the codec the '
            'stride of the features'
        )

    def _check_symmetry(self, samples: Sequence[PoseDataSample]) -> None:
        """Refuse a width at which a mirrored grid lies between the cells."""
        width = _input_shape(samples)[1]
        if width % self.decoder.stride:
            raise ValueError(
                f'flip_test needs inputs whose width is a multiple of the stride '
                f'{self.decoder.stride}, got {width} pixels: pad them in the pipeline '
                '(size_factor) or by data_preprocessor.pad_size_divisor'
            )


def _input_shape(samples: Sequence[PoseDataSample]) -> tuple[int, int]:
    """Height and width of the network's input, padding included."""
    metainfo = samples[0].metainfo
    if 'batch_input_shape' in metainfo:
        height, width = metainfo['batch_input_shape']
    else:
        width, height = metainfo['input_size']
    return int(height), int(width)


def _instances(
    keypoints: np.ndarray, scores: np.ndarray, instance_scores: np.ndarray
) -> InstanceData:
    """People of an image with their boxes; arrays as the codec gives them."""
    keypoints = np.asarray(keypoints, np.float32)
    scores = np.asarray(scores, np.float32)
    found = scores[..., None] > 0
    boxes = np.concatenate(
        [
            np.where(found, keypoints, np.inf).min(1, initial=np.inf),
            np.where(found, keypoints, -np.inf).max(1, initial=-np.inf),
        ],
        axis=1,
    )
    return InstanceData(
        keypoints=keypoints,
        keypoint_scores=scores,
        keypoints_visible=scores.copy(),
        bboxes=boxes.astype(np.float32).reshape(-1, 4),
        bbox_scores=np.asarray(instance_scores, np.float32),
    )
