# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Keypoints as the centre of what a softmax over channels gives them."""

from collections.abc import Sequence

from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.models.heads.soft_argmax_head import SoftArgmaxHead
from mmkp.models.layers.normalized_convolution import NormalizedConvolution
from mmkp.ops.geometry import MapGeometry, size_of
from mmkp.ops.heatmaps.soft_argmax import soft_argmax, spatial_softmax
from mmkp.ops.precision import full_precision, per_axis


@MODELS.register_module()
class ChannelSoftmaxHead(SoftArgmaxHead):
    """Share each cell out between K keypoints and the background.

    The head of LMDIS (Zhang et al., CVPR 2018, section 3.1): a softmax over K + 1
    channels in each cell, the background last; a keypoint is the mean position of the
    cells, weighted by its channel. As channels compete, keypoints cover different
    parts, and what belongs to none goes to the background. Divided by its mass, a
    channel is a distribution over space, which all losses take.

    The maps may reach beyond the image, see ``padding``; keypoints are pixels of the
    image all the same.

    Args:
        in_channels: channels of the feature map that it reads.
        num_keypoints: number K of keypoints to discover, at least 1.
        upsample_channels: channels after each doubling of the size; none by default.
        padding: pixels by which the maps reach beyond the image on each side,
            one number or (x, y). :class:`LMDIS` pads by it.
        final_norm: batch normalisation of the scores, as released; without it they
            have a bias.
        norm_momentum: share of a batch in the update of running statistics.
        background_logit: what the background's score starts from, before
            ``logit_scale``. With 0, as released, it is one channel of K + 1 and takes
            hundreds of steps to win what belongs to none.
        mass_epsilon: added to the mass by which a keypoint's channel is divided;
            1e-6 in the release, in units of cells. The default needs none, as the
            division is done on logarithms.
        in_index: which of the backbone's feature maps to read.
        score_radius: radius around a keypoint, as a share of the longer image side;
            its score is the share of its mass inside.
        logit_scale: factor on the scores before the softmax.
        init_cfg: as in MMEngine.

    Raises:
        ValueError: K below 1, or a negative padding or epsilon.
    """

    def __init__(
        self,
        in_channels: int,
        num_keypoints: int,
        upsample_channels: Sequence[int] = (),
        padding: int | Sequence[int] = 0,
        final_norm: bool = True,
        norm_momentum: float = 3e-4,
        mass_epsilon: float = 0.0,
        in_index: int = -1,
        score_radius: float = 0.125,
        logit_scale: float = 1.0,
        background_logit: float = 0.0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(
            in_channels,
            num_keypoints,
            upsample_channels,
            'cell_centers',
            in_index,
            score_radius,
            logit_scale,
            init_cfg=init_cfg,
        )
        pair = (padding,) * 2 if isinstance(padding, int) else padding
        if len(pair) != 2 or min(pair) < 0:
            raise ValueError(
                'padding must be a whole number of pixels from 0, or two for x and y, '
                f'got {padding!r}'
            )
        if mass_epsilon < 0:
            raise ValueError(f'mass_epsilon must be at least 0, got {mass_epsilon}')
        self.padding: tuple[int, int] = (int(pair[0]), int(pair[1]))
        self.mass_epsilon = mass_epsilon
        self.background_logit = background_logit
        channels = (in_channels, *upsample_channels)[-1]
        if final_norm:
            self.final_layer = NormalizedConvolution(
                channels,
                num_keypoints + 1,
                activation=False,
                norm_momentum=norm_momentum,
            )
        else:
            self.final_layer = nn.Conv2d(channels, num_keypoints + 1, 3, padding=1)

    def init_weights(self) -> None:
        """Start as the base class does, with the background's score."""
        super().init_weights()
        last = self.final_layer
        bias = last.norm.bias if isinstance(last, NormalizedConvolution) else last.bias
        if self.background_logit and isinstance(bias, nn.Parameter):
            nn.init.constant_(bias[-1], self.background_logit)

    def channel_maps(self, logits: Tensor) -> Tensor:
        """Share of each channel in each cell.

        Args:
            logits: scores, shape (B, K + 1, h, w).

        Returns:
            Shares that sum to 1 over the channels, same shape, at least float32.
        """
        return full_precision(logits).softmax(1)

    def distributions(self, logits: Tensor) -> Tensor:
        """Distribution over space of each channel, the background included.

        Args:
            logits: scores, shape (B, K + 1, h, w).

        Returns:
            Shape (B, K + 1, h, w), at least float32; each sums to 1 over (h, w), or to
            mass / (mass + epsilon) where there is a ``mass_epsilon``.
        """
        shares = full_precision(logits).log_softmax(1)
        # Normalising on logarithms, a channel may be as weak as it likes.
        distributions = spatial_softmax(shares)
        if self.mass_epsilon:
            mass = shares.flatten(2).exp().sum(-1)
            kept = mass / (mass + self.mass_epsilon)
            distributions = distributions * kept[..., None, None]
        return distributions

    def geometry(
        self, image_size: tuple[int, int], map_size: tuple[int, int]
    ) -> MapGeometry:
        """Where the cells of the maps lie in the padded image.

        Args:
            image_size: (W, H) of the network input in pixels, without the padding.
            map_size: (w, h) of the maps in cells.
        """
        (width, height), (x, y) = image_size, self.padding
        padded = (width + 2 * x, height + 2 * y)
        return MapGeometry.cell_centers(padded, map_size, self.padding)

    def positions(self, distributions: Tensor, geometry: MapGeometry) -> Tensor:
        """Keypoints in pixels of the padded image.

        Args:
            distributions: of the keypoints, shape (B, K, h, w).
            geometry: where their cells lie.

        Returns:
            Mean positions (x, y), shape (B, K, 2).
        """
        distributions = full_precision(distributions)
        means = soft_argmax(distributions, geometry)
        if not self.mass_epsilon:
            return means
        # What is missing of the mass pulls to the corner of the padded image, not to
        # the center of its first pixel.
        return means - 0.5 * (1 - distributions.sum((-2, -1))[..., None])

    def locate(
        self, logits: Tensor, image_size: tuple[int, int]
    ) -> tuple[Tensor, Tensor]:
        """Turn scores into keypoints.

        Args:
            logits: scores, shape (B, K + 1, h, w).
            image_size: (W, H) of the network input in pixels, without the padding.

        Returns:
            Keypoints (x, y) in network-input pixels, (B, K, 2), and their
            distributions over the padded image, (B, K, h, w), both at least float32.
        """
        heatmaps = self.distributions(logits)[:, : self.num_keypoints]
        padded = self.positions(heatmaps, self.geometry(image_size, size_of(heatmaps)))
        return padded - per_axis(self.padding, padded), heatmaps
