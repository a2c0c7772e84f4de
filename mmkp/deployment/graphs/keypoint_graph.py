# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""From images to keypoints by tensor operations alone."""

from typing import Any

import torch
from mmpose.models.pose_estimators import TopdownPoseEstimator
from torch import Tensor, nn

from mmkp.deployment.graphs.decoders import decoder_of
from mmkp.deployment.graphs.heads import outputs_of
from mmkp.deployment.graphs.normalization import InputNormalization
from mmkp.deployment.graphs.token_keypoints import TokenKeypoints
from mmkp.models.heads import SoftArgmaxHead
from mmkp.models.unsupervised import StableKeypoints, UnsupervisedPoseEstimator
from mmkp.ops.geometry import size_of

Found = tuple[Tensor, Tensor]


class KeypointGraph(nn.Module):
    """Images to keypoints, equal to what the model itself predicts.

    Args:
        model: a discovery model, or MMPose's ``TopdownPoseEstimator``, with its
            weights; it is put into evaluation mode.
        normalized_inside: whether images are BGR pixels of 0 to 255, else what the data
            preprocessor makes of them.
        flip_test: whether mirrored images are looked at too; as the model's
            ``test_cfg`` says when None.
        flip_indices: of the keypoints, for that; those of the model's ``dataset_meta``
            when None.

    Raises:
        TypeError: a model, head, codec or data preprocessor that cannot become a graph.
        ValueError: mirrored images are asked for, and no ``flip_indices`` are known.
    """

    def __init__(
        self,
        model: Any,
        normalized_inside: bool = True,
        flip_test: bool | None = None,
        flip_indices: list[int] | None = None,
    ) -> None:
        super().__init__()
        model.eval()
        self.normalization: nn.Module = nn.Identity()
        if normalized_inside:
            self.normalization = InputNormalization(model.data_preprocessor)
        self.keypoints: nn.Module
        if isinstance(model, StableKeypoints):
            self.keypoints = Discovered(model, TokenKeypoints(model))
        elif isinstance(model, UnsupervisedPoseEstimator):
            self.keypoints = Discovered(model, SpatialKeypoints(model))
        elif isinstance(model, TopdownPoseEstimator):
            flips = model.test_cfg.get('flip_test', False)
            if flips if flip_test is None else flip_test:
                flip_indices = flip_indices or _flip_indices(model)
            else:
                flip_indices = None
            self.keypoints = Supervised(model, flip_indices)
        else:
            raise TypeError(
                f'a {type(model).__name__} cannot become a graph of keypoints: '
                "discovery models and MMPose's TopdownPoseEstimator can"
            )
        indices = model.test_cfg.get('output_keypoint_indices')
        self.indices: Tensor | None
        chosen = None if indices is None else torch.tensor(list(indices))
        self.register_buffer('indices', chosen, persistent=False)

    def forward(self, images: Tensor) -> Found:
        """Find keypoints.

        Args:
            images: (B, 3, H, W) float32, see the class.

        Returns:
            Keypoints (x, y) in pixels of the network input, (B, K, 2), and their scores
            (B, K).
        """
        keypoints, scores = self.keypoints(self.normalization(images))
        if self.indices is None:
            return keypoints, scores
        return keypoints.index_select(1, self.indices), scores.index_select(
            1, self.indices
        )


class SpatialKeypoints(nn.Module):
    """What a discovery model with a :class:`SoftArgmaxHead` finds."""

    def __init__(self, model: UnsupervisedPoseEstimator) -> None:
        super().__init__()
        if not isinstance(model.head, SoftArgmaxHead):
            raise TypeError(
                f'the head {type(model.head).__name__} of {type(model).__name__} '
                'cannot become a graph: SoftArgmaxHead, ChannelSoftmaxHead and '
                'TokenHead can'
            )
        self.model = model

    def forward(self, inputs: Tensor) -> Found:
        """Keypoints (B, K, 2) in pixels of the network input and scores (B, K)."""
        keypoints, heatmaps = self.model.detect(inputs)
        return keypoints, self.model.head.scores(heatmaps, keypoints, size_of(inputs))


class Discovered(nn.Module):
    """The prediction of a discovery model, its regression and half turn included.

    Args:
        model: with ``regressor`` and ``half_turn``, each may be None.
        detector: from inputs to what the model discovers.
    """

    def __init__(self, model: UnsupervisedPoseEstimator, detector: nn.Module) -> None:
        super().__init__()
        self.detector = detector
        self.half_turn, self.regressor = model.half_turn, model.regressor

    def forward(self, inputs: Tensor) -> Found:
        """Keypoints (B, K, 2) in pixels of the network input and scores (B, K)."""
        size = size_of(inputs)
        if self.half_turn is not None:
            inputs, turned = self.half_turn(inputs)
        keypoints, scores = self.detector(inputs)
        if self.regressor is not None:
            keypoints = self.regressor(keypoints, size)
            scores = self.regressor.average(scores)
        if self.half_turn is not None:
            last = keypoints.new_tensor([size[0] - 1, size[1] - 1])
            keypoints = torch.where(turned[:, None, None], last - keypoints, keypoints)
        return keypoints, scores


class Supervised(nn.Module):
    """The prediction of MMPose's top-down estimator.

    Args:
        model: the estimator.
        flip_indices: of the keypoints where mirrored images are looked at too, or None.
    """

    def __init__(
        self, model: TopdownPoseEstimator, flip_indices: list[int] | None
    ) -> None:
        super().__init__()
        self.model, self.flip_indices = model, flip_indices
        self.outputs = outputs_of(model.head, model.test_cfg)
        self.decoder = decoder_of(model.head.decoder)

    def forward(self, inputs: Tensor) -> Found:
        """Keypoints (B, K, 2) in pixels of the network input and scores (B, K)."""
        if self.flip_indices is None:
            found: Any = self.outputs(self.model.extract_feat(inputs))
        else:
            both = torch.cat((inputs, inputs.flip(-1)))
            outputs: Any = self.outputs(self.model.extract_feat(both))
            found = self.outputs.averaged(outputs, self.flip_indices)
        return self.decoder(found)  # type: ignore[no-any-return]


def _flip_indices(model: Any) -> list[int]:
    """What a mirrored image exchanges, from the data set that the model knows."""
    meta = getattr(model, 'dataset_meta', None) or model.metainfo or {}
    if 'flip_indices' not in meta:
        raise ValueError(
            'test_cfg has flip_test, but it is not known which keypoints a mirrored '
            'image exchanges: give flip_indices, or flip_test=False'
        )
    return [int(index) for index in meta['flip_indices']]
