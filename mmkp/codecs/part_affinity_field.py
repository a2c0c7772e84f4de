# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The codec of OpenPose: people to heatmaps and part affinity fields, and back."""

import warnings
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from mmpose.codecs.base import BaseKeypointCodec
from mmpose.registry import KEYPOINT_CODECS
from torch import Tensor

from mmkp.codecs.build_skeleton import build_skeleton
from mmkp.ops.arguments import (
    check_input_size,
    check_shape,
    check_visible,
    one_of,
    positive,
    real_array,
)
from mmkp.ops.part_affinity.grouping_config import grouping_config
from mmkp.ops.part_affinity.limb_skeleton import LimbSkeleton
from mmkp.ops.part_affinity.targets import (
    FIELD_ALIGNMENTS,
    render_fields,
    render_heatmaps,
)
from mmkp.ops.part_affinity.weights import (
    boxes_of_extremities,
    boxes_of_people,
    label_weights,
)

OUTPUT_KEYPOINTS = ('source', 'all')


@KEYPOINT_CODECS.register_module()
class PartAffinityField(BaseKeypointCodec):
    """Encode people as keypoint heatmaps and limb fields, and put them together again.

    Cao et al., "OpenPose: realtime multi-person 2D pose estimation using part affinity
    fields", TPAMI 2019, sections 3.2 to 3.4. Derived keypoints, such as the neck, are
    made in here: keypoints go in, and by default come out, as the data set has them.

    N people, S keypoints of the data set, K heatmaps, L limbs, maps of w x h cells.
    Coordinates are (x, y) pixels of the network input, pixel centres at integers.

    Args:
        skeleton: anything that ``mmkp.codecs.build_skeleton`` takes: 'coco18',
            'body25', 'body25_body', 'mpi15', the name of a data set class, or its
            metainfo.
        input_size: width and height of the network input that ``encode`` draws for, in
            pixels, multiples of the stride. ``decode`` takes maps of any size.
        stride: pixels a cell.
        sigma: standard deviation of the Gaussians, in input pixels.
        limb_half_width: half width of the limbs, in input pixels.
        field_alignment: where cells of fields lie, see
            :func:`mmkp.ops.part_affinity.targets.render_fields`; 'openpose', half a
            cell off, as all released models have it, or 'centred'.
        trained_keypoints: names of the keypoints of which heatmaps and fields count in
            the loss; by default all that the data set labels. OpenPose's images with
            feet repeat the bodies of others, so of them it takes the neck, middle of
            the hips, ankles and feet only.
        output_keypoints: 'source' to decode the data set's S keypoints, 'all' for K.
        profile: decoding rules, see
            :class:`mmkp.ops.part_affinity.pose_decoder.PoseDecoder`.
        decoder: further options of the decoder by name.

    Raises:
        ValueError: unknown skeleton, keypoint, alignment or output; an input size that
            is no multiple of the stride; a size, stride or width that is not positive.
    """

    auxiliary_encode_keys = {'keypoints_ignored', 'labeled_mask'}
    field_mapping_table = dict(
        heatmaps='heatmaps',
        part_affinity_fields='part_affinity_fields',
        heatmap_weights='heatmap_weights',
        field_weights='field_weights',
    )

    def __init__(
        self,
        skeleton: str | Mapping | LimbSkeleton = 'coco18',
        input_size: Sequence[int] = (368, 368),
        stride: int = 8,
        sigma: float = 7.0,
        limb_half_width: float = 8.0,
        field_alignment: str = 'openpose',
        trained_keypoints: Sequence[str] | None = None,
        output_keypoints: str = 'source',
        profile: str = 'accurate',
        decoder: Mapping | None = None,
    ) -> None:
        super().__init__()
        self.skeleton = build_skeleton(skeleton)
        self.input_size = check_input_size(input_size, stride)
        self.map_size = (self.input_size[0] // stride, self.input_size[1] // stride)
        self.stride = stride
        self.sigma = positive('sigma', sigma)
        self.limb_half_width = positive('limb_half_width', limb_half_width)
        self.field_alignment = one_of(
            'field_alignment', field_alignment, FIELD_ALIGNMENTS
        )
        self.output_keypoints = one_of(
            'output_keypoints', output_keypoints, OUTPUT_KEYPOINTS
        )
        self.profile = profile
        self.decoder_options = dict(decoder or {})
        grouping_config(profile, **self.decoder_options)  # tells mistakes at once
        self._limbs = np.array(self.skeleton.limbs, np.int64)
        self._trained = self.skeleton.trained_keypoints(trained_keypoints)
        self._extremities = self.skeleton.unlabeled_extremities()

    def encode(
        self,
        keypoints: np.ndarray,
        keypoints_visible: np.ndarray | None = None,
        keypoints_ignored: np.ndarray | None = None,
        labeled_mask: np.ndarray | None = None,
    ) -> dict[str, np.ndarray]:
        """Draw the training targets of one image.

        Keypoints outside of the image are drawn as far as they reach into it. Keypoints
        that are not finite count as not labelled, with a warning. Without people, the
        mask is ignored: everything is background, and counts.

        Args:
            keypoints: (N, S, 2), the data set's, or (N, K, 2), those of the maps.
            keypoints_visible: positive where labelled, (N, S) or (N, K).
            keypoints_ignored: True where nothing is known of a keypoint that is not
                labelled, (N, S) or (N, K) bool, in addition to half-known derived
                keypoints and to those that the data set never labels. Around such a
                person they do not count.
            labeled_mask: 0 where people are not labelled, else 1, shape (h, w); values
                between are taken as weights.

        Returns:
            Dict of float32 arrays: ``heatmaps`` (K + 1, h, w), background last,
            ``part_affinity_fields`` (2L, h, w), x and y of limb l at 2l and 2l + 1, and
            their weights in the loss, ``heatmap_weights`` (K + 1, h, w) and
            ``field_weights`` (2L, h, w).

        Raises:
            ValueError: an array of another shape.
        """
        points, seen, ignored = self._to_maps(keypoints, keypoints_visible)
        if keypoints_ignored is not None:
            ignored = ignored | (self._unknown(keypoints_ignored, len(points)) & ~seen)
        if labeled_mask is not None:
            shape = self.map_size[::-1]
            labeled_mask = check_shape('labeled_mask', labeled_mask, shape)
            if not ((labeled_mask >= 0) & (labeled_mask <= 1)).all():
                raise ValueError(
                    'labeled_mask must hold weights from 0 to 1, got values from '
                    f'{labeled_mask.min()} to {labeled_mask.max()}'
                )
        grid: dict[str, Any] = dict(map_size=self.map_size, stride=self.stride)
        heatmaps = render_heatmaps(points, seen, sigma=self.sigma, **grid)
        fields = render_fields(
            points,
            seen,
            self._limbs,
            half_width=self.limb_half_width,
            alignment=self.field_alignment,
            **grid,
        )
        # Where feet and the like may be that nobody labels.
        ends = points[:, self._extremities][seen[:, self._extremities].all(2)]
        heatmap_weights, field_weights = label_weights(
            heatmaps,
            fields,
            self._limbs,
            labeled_mask if len(points) else None,
            self._trained,
            ignored,
            boxes_of_people(points, seen, **grid) if ignored.any() else None,
            boxes_of_extremities(ends[:, 0], ends[:, 1], **grid),
        )
        return dict(
            heatmaps=heatmaps.maps,
            part_affinity_fields=fields.maps,
            heatmap_weights=heatmap_weights,
            field_weights=field_weights,
        )

    def decode(
        self, heatmaps: np.ndarray | Tensor, part_affinity_fields: np.ndarray | Tensor
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Find the people of one image.

        Args:
            heatmaps: (K + 1, h, w), background last.
            part_affinity_fields: (2L, h, w).

        Returns:
            Keypoints (N, S, 2) in pixels of the network input (with
            ``output_keypoints='all'`` K of them), their scores (N, S), 0 where absent,
            and scores of the people (N,).
        """
        maps = (heatmaps, part_affinity_fields)
        points, scores, people = self.batch_decode(
            *(m[None] if isinstance(m, Tensor) else np.asarray(m)[None] for m in maps)
        )
        return points[0], scores[0], people[0]

    def batch_decode(
        self, batch_heatmaps: np.ndarray | Tensor, batch_fields: np.ndarray | Tensor
    ) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
        """Find the people of each image of a batch.

        Args:
            batch_heatmaps: (B, K + 1, h, w), background last.
            batch_fields: (B, 2L, h, w).

        Returns:
            Lists of keypoints, keypoint scores and scores of the people as in
            :meth:`decode`, one entry an image.

        Raises:
            ValueError: another number of maps than the skeleton has.
        """
        points, scores, instance_scores = [], [], []
        for people in self.pose_decoder(batch_heatmaps, batch_fields):
            found, found_scores = people.keypoints, people.scores
            if self.output_keypoints == 'source':
                found, found_scores = self.skeleton.to_source(found, found_scores)
            points.append(found)
            scores.append(found_scores)
            instance_scores.append(people.instance_scores)
        return points, scores, instance_scores

    @cached_property
    def pose_decoder(self) -> Any:
        """The :class:`PoseDecoder`, made when it is asked for: training never is."""
        from mmkp.ops.part_affinity.pose_decoder import PoseDecoder

        is_beside = self.field_alignment == 'openpose'
        return PoseDecoder(
            self.skeleton,
            self.stride,
            profile=self.profile,
            field_offset=(self.stride - 1) / (2 * self.stride) if is_beside else 0.0,
            **self.decoder_options,
        )

    def _to_maps(
        self, keypoints: np.ndarray, visible: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Keypoints (N, K, 2), whether labelled (N, K) and ignored (N, K)."""
        keypoints = real_array('keypoints', keypoints)
        name, sources = self.skeleton.name, self.skeleton.num_source_keypoints
        counts = list(dict.fromkeys((sources, self.skeleton.num_keypoints)))
        if keypoints.ndim == 3 and keypoints.shape[2] != 2:
            raise ValueError(
                f'keypoints must have shape (N, {counts[0]}, 2), got {keypoints.shape}'
            )
        if keypoints.ndim != 3 or keypoints.shape[1] not in counts:
            number = keypoints.shape[1] if keypoints.ndim == 3 else keypoints.shape
            raise ValueError(
                f'got {number} keypoints a person, but skeleton {name!r} takes '
                f'{" or ".join(map(str, counts))}, shape (N, {counts[0]}, 2); choose '
                'the skeleton of this data set'
            )
        shape = keypoints.shape[:2]
        seen = check_visible(np.ones(shape) if visible is None else visible, shape)
        finite = np.isfinite(keypoints).all(2)
        if not finite[seen].all():
            warnings.warn(
                f'{np.count_nonzero(seen & ~finite)} labelled keypoints are no finite '
                'numbers and count as not labelled',
                stacklevel=3,
            )
        seen &= finite
        keypoints = np.where(finite[..., None], keypoints, 0)
        if shape[1] == sources:
            points, labeled, ignored = self.skeleton.from_source(keypoints, seen)
            return points, labeled > 0, ignored
        absent = np.array([not parents for parents in self.skeleton.sources])
        return keypoints, seen, np.broadcast_to(absent, shape)

    def _unknown(self, ignored: Any, num_people: int) -> np.ndarray:
        """Which keypoints of the maps (N, K) are ignored; from (N, S) or (N, K)."""
        ignored = real_array('keypoints_ignored', ignored)
        if ignored.shape == (num_people, self.skeleton.num_source_keypoints):
            of_parents = [ignored[:, list(p)].any(1) for p in self.skeleton.sources]
            return np.stack(of_parents, 1)
        shape = (num_people, self.skeleton.num_keypoints)
        return check_shape('keypoints_ignored', ignored, shape).astype(bool)

    def __repr__(self) -> str:
        """Name the codec with what matters most."""
        return (
            f'{type(self).__name__}(skeleton={self.skeleton.name!r}, '
            f'input_size={self.input_size}, stride={self.stride}, sigma={self.sigma}, '
            f'limb_half_width={self.limb_half_width}, '
            f'field_alignment={self.field_alignment!r}, profile={self.profile!r})'
        )
