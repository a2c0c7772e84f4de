"""Annotation files of COCO's format, whose content MMPose takes as it is."""

import functools
import importlib
import logging
from typing import Any

from mmkp.compat.replacing import is_replaced, replace

# Where MMPose reads files in COCO's own format, for data sets and for metrics.
READERS = (
    'mmpose.datasets.datasets.base.base_coco_style_dataset',
    'mmpose.datasets.datasets.hand.coco_wholebody_hand_dataset',
    'mmpose.evaluation.metrics.coco_metric',
)


def check_annotation_files() -> bool:
    """Let MMPose's COCO-style data sets and metrics check what they read.

    MMPose's take every entry for granted: repeated ids put labels on other images,
    people without a box are trained as background, a wrong size in the file cuts boxes,
    and predictions have no category but 1. Here all files go through
    :func:`mmkp.datasets.coco_check.check_coco`, bottom-up training tells how many
    images show nobody (``filter_cfg=dict(filter_empty_gt=False)`` keeps them), boxes of
    a detector may have any category, and predictions get the data set's.

    Upstream: open-mmlab/mmpose#2669, #2663, #1155 (not mended).

    Returns:
        Whether anything had to be mended.
    """
    modules = [importlib.import_module(name) for name in READERS]
    base, metrics = modules[0], modules[-1]
    if is_replaced(base.BaseCocoStyleDataset.load_data_list):
        return False
    for module in modules:
        module.COCO = _checked_coco  # type: ignore[attr-defined]
    replace(metrics, 'load', _load_checked)
    dataset, metric = base.BaseCocoStyleDataset, metrics.CocoMetric
    dataset._load_metainfo = classmethod(_load_metainfo(dataset._load_metainfo))
    replace(dataset, 'load_data_list', _load_data_list)
    dataset._load_detection_results = _load_detection_results
    replace(dataset, '_get_bottomup_data_infos', _bottomup_items)
    replace(metric, 'process', _process)
    return True


def _checked_coco(*args: Any, **kwargs: Any) -> Any:
    """Stands where MMPose constructs ``COCO``; data sets are imported after shims."""
    from mmkp.datasets.coco_check.reading import CheckedCOCO

    return CheckedCOCO(*args, **kwargs)


def _load_metainfo(upstream: Any) -> Any:
    @functools.wraps(upstream)
    def _load_metainfo(cls: Any, metainfo: dict | None = None) -> dict:
        from mmkp.datasets.sides import complete_metainfo

        given = cls.METAINFO if metainfo is None else metainfo
        is_own = metainfo is None and cls.__module__.startswith(('mmpose.', 'mmkp.'))
        if isinstance(given, dict) and not is_own:
            metainfo = complete_metainfo(given)
        return upstream.__func__(cls, metainfo)

    return _load_metainfo


def _load_checked(upstream: Any, file: Any, *args: Any, **kwargs: Any) -> Any:
    from mmkp.labels import read_json

    if isinstance(file, str) and file.endswith('.json') and '://' not in file:
        return read_json(file, nan=True)
    return upstream(file, *args, **kwargs)


def _load_data_list(upstream: Any, self: Any) -> list[dict]:
    from mmkp.datasets.coco_check.reading import images_in

    folder = str(self.data_prefix.get('img', ''))
    with images_in(folder or '.'):
        items = upstream(self)
    if not items:
        raise ValueError(
            f'{self.bbox_file or self.ann_file} has no usable annotation: each '
            'needs at least one visible keypoint, and a box of positive size if '
            'it has one'
        )
    return items


def _load_detection_results(self: Any) -> list[dict]:
    from mmkp.datasets.coco_check.detections import detected_boxes

    items, categories = detected_boxes(
        self.bbox_file, self.ann_file, self.data_prefix.get('img', ''), self.metainfo
    )
    self._metainfo['CLASSES'] = categories
    return items


def _bottomup_items(
    upstream: Any, self: Any, instance_list: list[dict], image_list: list[dict]
) -> list[dict]:
    from mmengine.logging import print_log

    from mmkp.datasets.coco_check.negatives import item_without_people

    items = upstream(self, instance_list, image_list)
    if self.test_mode:
        return items
    used = {item['img_id'] for item in items}
    empty = [image for image in image_list if image['img_id'] not in used]
    if not empty:
        return items
    kept = not (self.filter_cfg or {}).get('filter_empty_gt', True)
    if kept:
        number = self.metainfo['num_keypoints']
        items += [item_without_people(image, number) for image in empty]
    what = (
        'are trained on as background'
        if kept
        else 'are left out of the training; filter_cfg=dict(filter_empty_gt=False) '
        'trains them as background'
    )
    print_log(
        f'{self.ann_file}: {len(empty)} of {len(image_list)} images without '
        f'annotated people {what}; the first: {empty[0].get("file_name")}',
        logger='current',
        level=logging.INFO if kept else logging.WARNING,
    )
    return items


def _process(upstream: Any, self: Any, data_batch: Any, data_samples: Any) -> None:
    from mmkp.evaluation.coco_predictions import complete_predictions

    upstream(self, data_batch, complete_predictions(self, data_samples))
