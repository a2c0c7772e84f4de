# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""COCO's average precision, of some of the keypoints or of animals of any species."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmpose.evaluation.metrics import CocoMetric
from mmpose.registry import METRICS


@METRICS.register_module()
class BottomupCocoMetric(CocoMetric):
    """``CocoMetric`` for people put together by the model itself.

    Scores are those of the people, nothing is suppressed, and three things can be
    chosen that MMPose's metric cannot do:

    - some of the keypoints: so the body and the feet of BODY_25 are scored apart, as
      their papers do. People of whom none of them is found or labelled do not count.
    - keypoints which the annotation file keeps apart, such as ``foot_kpts``.
    - species are not told apart: bottom-up models predict animals, not what they are.

    Args:
        keypoints: names of the keypoints to score, or their numbers, from 0; None for
            all.
        annotation_keys: which entries of an annotation, joined, are the keypoints of
            the data set.
        class_agnostic: whether all categories count as one.
        score_mode: as in ``CocoMetric``.
        nms_mode: as in ``CocoMetric``.
        **kwargs: other arguments of ``CocoMetric``, among them ``prefix``, which names
            the results.
    """

    def __init__(
        self,
        keypoints: Sequence[str | int] | None = None,
        annotation_keys: Sequence[str] = ('keypoints',),
        class_agnostic: bool = False,
        score_mode: str = 'bbox',
        nms_mode: str = 'none',
        **kwargs: Any,
    ) -> None:
        super().__init__(score_mode=score_mode, nms_mode=nms_mode, **kwargs)
        self.keypoints = None if keypoints is None else list(keypoints)
        self.annotation_keys = tuple(annotation_keys)
        self.class_agnostic = class_agnostic
        self._indices: np.ndarray | None = None
        self._converted: Any = None
        self._num_annotated = 0

    @property
    def dataset_meta(self) -> dict | None:
        """Metainfo of the keypoints that are scored."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, dataset_meta: dict) -> None:
        self._num_annotated = dataset_meta['num_keypoints']
        if self.keypoints is not None:
            names = dataset_meta['keypoint_name2id']
            known = dict(names) | {number: number for number in names.values()}
            strange = [str(k) for k in self.keypoints if k not in known]
            if strange:
                raise ValueError(
                    f'keypoints names {", ".join(strange)}, which data set '
                    f'{dataset_meta["dataset_name"]} lacks; it has {", ".join(names)}'
                )
            self._indices = np.array([known[k] for k in self.keypoints])
            dataset_meta = dict(
                dataset_meta,
                sigmas=np.asarray(dataset_meta['sigmas'])[self._indices],
                num_keypoints=len(self._indices),
            )
        CocoMetric.dataset_meta.fset(self, dataset_meta)

    def process(self, data_batch: Sequence[dict], data_samples: Sequence[dict]) -> None:
        """Keep the predictions of a batch.

        Args:
            data_batch: not used.
            data_samples: each with ``pred_instances``: ``keypoints`` (N, K, 2) in
                pixels of the image, ``keypoint_scores`` (N, K), ``bbox_scores`` (N,).
        """
        super().process(data_batch, [self._choose(sample) for sample in data_samples])

    def _choose(self, sample: dict) -> dict:
        """Reduce predictions to the chosen keypoints, and to people who have any."""
        if self._indices is None or 'pred_instances' not in sample:
            return sample
        people = dict(sample['pred_instances'])
        scores = people['keypoint_scores'][:, self._indices]
        found = (scores > 0).any(1)
        chosen = dict(
            keypoints=people['keypoints'][:, self._indices][found],
            keypoint_scores=scores[found],
        )
        for key in ('bbox_scores', 'bboxes'):
            if key in people:
                chosen[key] = people[key][found]
        return dict(sample, pred_instances=chosen)

    def _do_python_keypoint_eval(self, outfile_prefix: str) -> list:
        """Evaluate against annotations reduced like the predictions."""
        if self._converted is not self.coco:
            for annotation in self.coco.dataset['annotations']:
                self._convert(annotation)
            if self.class_agnostic:
                self.coco.dataset['categories'] = [dict(id=1, name='object')]
            self.coco.createIndex()
            self._converted = self.coco
        return super()._do_python_keypoint_eval(outfile_prefix)

    def _convert(self, annotation: dict) -> None:
        """Reduce one annotation of the ground truth to what is scored."""
        if self.class_agnostic:
            annotation['category_id'] = 1
        if 'keypoints' not in annotation:
            return
        joined = [annotation.get(key) or [] for key in self.annotation_keys]
        points = np.concatenate(joined).reshape(-1, 3)
        # What an annotation does not have is not labelled, as in CocoBodyFootDataset.
        absent = max(self._num_annotated - len(points), 0)
        points = np.concatenate([points, np.zeros((absent, 3))])
        if self._indices is not None:
            points = points[self._indices]
        annotation['keypoints'] = points.ravel().tolist()
        annotation['num_keypoints'] = int(np.count_nonzero(points[:, 2] > 0))
