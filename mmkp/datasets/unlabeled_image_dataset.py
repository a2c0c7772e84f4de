# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Images without labels, from a folder, a pattern or a list."""

import logging
import os.path as osp
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.logging import print_log
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS

from mmkp.datasets.damaged_images import DamagedImages
from mmkp.datasets.found_keypoints import add_found_keypoints
from mmkp.datasets.image_boxes import box_remarks, plain_name, read_boxes
from mmkp.datasets.image_decoding import CorruptImageError
from mmkp.datasets.image_files import find_images
from mmkp.datasets.metainfo import (
    check_num_keypoints,
    discovered_metainfo,
    unlabeled_keypoints,
)
from mmkp.datasets.object_detection import cached_box_file

BOX_READERS = ('GetBBoxCenterScale',)
BOX_WRITERS = ('LoadVerifiedImage',)
# In the metainfo of a sample that takes the place of a damaged image in an evaluation.
STANDS_IN = 'stands_in'


@DATASETS.register_module()
class UnlabeledImageDataset(BaseCocoStyleDataset):
    """Unlabelled images for the discovery of K keypoints.

    Files are listed, not opened, so a folder of 100,000 images is ready at once; the
    box of a whole image is added when it is loaded (``LoadVerifiedImage``).

    A damaged image, one that cannot be read or one that is gone does not stop a
    training: it is replaced by another one at random, with a warning the first time it
    is met by any loader process, ten in all; ``corrupt_images`` lists those met so far.
    More than a tenth, beyond twenty, is an error. In test
    mode the next image stands in, so that batches keep their size, and is marked by
    ``stands_in``, so that the metrics of unlabelled images leave it out.

    Samples hold ``img_path``, ``img_id`` and ``id`` (int), the keys that MMPose takes
    from the metainfo, and with a box file or a detector ``bbox`` (1, 4) float32
    ``x1, y1, x2, y2`` in image pixels and ``bbox_score`` (1,) float32. With a box
    file there is one sample a box, and images without a box are left out. In training
    they also hold K keypoints without annotation (:func:`unlabeled_keypoints`), so that
    they can stand beside labeled ones in a data set of data sets.

    Args:
        num_keypoints: Number K of keypoints to discover; it sets the metainfo.
        data_root: Folder that the other paths are relative to.
        data_prefix: ``img`` is the folder of the images below ``data_root``.
        files: Names of the images relative to that folder, or a text file (relative
            to ``data_root``) with one name a line.
        pattern: Glob pattern below the folder; see
            :func:`mmkp.datasets.image_files.find_images`.
        recursive: Whether to search subfolders.
        bbox_file: Json file with boxes, relative to ``data_root``; see
            :func:`mmkp.datasets.image_boxes.read_boxes`.
        metainfo: Metainfo in MMPose's format in place of the one for K discovered
            keypoints.
        detector: In place of a box file, what finds the boxes: arguments of
            :func:`mmkp.datasets.object_detection.build_detector`. They are found once
            and kept in ``work_dirs/boxes``, see
            :func:`mmkp.datasets.object_detection.cached_box_file`. Without a
            ``model`` there is no detector.
        keypoint_file: The ``keypoints.json`` that ``mmkp predict`` has written of these
            images, relative to the working folder; in training samples hold them in
            place of keypoints without annotation, see
            :func:`mmkp.datasets.found_keypoints.add_found_keypoints`.
        **kwargs: Other arguments of MMPose's ``BaseCocoStyleDataset``: ``pipeline``,
            ``test_mode``, ``indices``, ``sample_interval``, ``lazy_init``, ...

    Raises:
        FileNotFoundError: If the folder, a list or a file of boxes or keypoints does
            not exist, or if there is no image.
        ValueError: If ``num_keypoints`` is no whole number of at least 1, if no box or
            no found keypoints fit any image, if there are a box file and a detector, or
            if the pipeline reads a box that nothing has written.
    """

    # Only read by MMPose when a model is built without checkpoint and config metainfo.
    METAINFO: dict = discovered_metainfo(10)

    def __init__(
        self,
        num_keypoints: int,
        data_root: str = '',
        data_prefix: dict | None = None,
        files: str | Sequence[str] | None = None,
        pattern: str | None = None,
        recursive: bool = True,
        bbox_file: str | None = None,
        metainfo: dict | None = None,
        detector: Mapping[str, Any] | None = None,
        keypoint_file: str | None = None,
        **kwargs: Any,
    ) -> None:
        check_num_keypoints(num_keypoints)
        self.num_keypoints = int(num_keypoints)
        self.files, self.pattern, self.recursive = files, pattern, recursive
        self.image_bbox_file, self.keypoint_file = bbox_file, keypoint_file
        self.detector = detector if detector and detector.get('model') else None
        if bbox_file and self.detector:
            raise ValueError('give either bbox_file or detector, not both')
        self._damaged = DamagedImages(0, '')
        if not bbox_file and not self.detector:
            self._check_pipeline(kwargs.get('pipeline', []))
        super().__init__(
            data_root=data_root,
            data_prefix=dict(img='') if data_prefix is None else data_prefix,
            metainfo=metainfo or discovered_metainfo(num_keypoints),
            **kwargs,
        )

    @staticmethod
    def _check_pipeline(pipeline: Sequence) -> None:
        """Refuse a pipeline that reads boxes before any transform has set them."""
        for step in pipeline:
            name = step.get('type') if isinstance(step, dict) else type(step).__name__
            name = name if isinstance(name, str) else getattr(name, '__name__', '')
            if name in BOX_WRITERS:
                return
            if name in BOX_READERS:
                raise ValueError(
                    f'{name} needs boxes, but UnlabeledImageDataset has no bbox_file: '
                    "begin the pipeline with dict(type='LoadVerifiedImage'), which "
                    'adds the box of the whole image, in place of LoadImage'
                )

    def _below_root(self, path: str) -> str:
        """Return a path as it is if absolute, else below the data root."""
        return osp.join(self.data_root or '', path)

    def load_data_list(self) -> list[dict]:
        """List the images, or the boxes of the images.

        Returns:
            One dict a sample; see the class for its keys.
        """
        folder = self.data_prefix['img']
        files = self.files
        if isinstance(files, str):
            files = self._below_root(files)
        names = find_images(folder, files, self.pattern, self.recursive)
        names = names[:: self.sample_interval]
        if self.detector:
            found = cached_box_file(self.detector, folder, names)
            samples = self._box_samples(folder, names, found)
        elif self.image_bbox_file:
            path = self._below_root(self.image_bbox_file)
            samples = self._box_samples(folder, names, path)
        else:
            samples = [
                dict(img_path=osp.join(folder, name), img_id=index, id=index)
                for index, name in enumerate(names)
            ]
        if self.keypoint_file and not self.test_mode:
            file, number = self.keypoint_file, self.num_keypoints
            add_found_keypoints(samples, names, file, number)
        # In shared memory, so that all loader processes know what one has met.
        self._damaged = DamagedImages(len(names), self.data_prefix['img'] or '.')
        return samples

    def _box_samples(self, folder: str, names: list[str], path: str) -> list[dict]:
        """Return one sample for each box of the listed images."""
        boxes, left_out = read_boxes(path)
        for remark in box_remarks(path, boxes, left_out, names):
            print_log(remark, logger='current', level=logging.WARNING)
        samples: list[dict] = []
        for index, name in enumerate(names):
            for box in boxes.get(plain_name(name), ()):
                samples.append(
                    dict(
                        img_path=osp.join(folder, name),
                        img_id=index,
                        id=len(samples),
                        bbox=box[None, :4],
                        bbox_score=box[4:],
                    )
                )
        if not samples:
            raise ValueError(
                f'{path} has no usable box for any of the {len(names)} images in '
                f'{folder} (it names {list(boxes)[:2]}, the folder has {names[:2]})'
            )
        return samples

    @property
    def corrupt_images(self) -> list[int]:
        """``img_id`` of the damaged images met so far by any loader process."""
        return self._damaged.met.nonzero().flatten().tolist()

    def get_data_info(self, idx: int) -> dict:
        """Return one sample.

        Args:
            idx: Index of the sample.

        Returns:
            See the class for its keys.
        """
        sample = super().get_data_info(idx)
        if not self.test_mode and 'keypoints' not in sample:
            sample.update(unlabeled_keypoints(self.num_keypoints))
        return sample

    def prepare_data(self, idx: int) -> Any:
        """Run the pipeline on one sample.

        Args:
            idx: Index of the sample.

        Returns:
            What the pipeline returns; for a damaged image in training ``None``, upon
            which MMEngine draws another sample, and in test mode the sample of the
            next image, with ``stands_in`` in its metainfo.

        Raises:
            CorruptImageError: If every image has turned out to be damaged, or more
                than a tenth of them.
        """
        number = len(self) if self.test_mode else 1
        for offset in range(number):
            index = (idx + offset) % len(self)
            try:
                found = super().prepare_data(index)
            except CorruptImageError as error:
                purpose = 'the evaluation' if self.test_mode else 'training'
                img_id = self.get_data_info(index)['img_id']
                self._damaged.note(img_id, error, purpose)
                continue
            if offset and isinstance(found, dict) and 'data_samples' in found:
                found['data_samples'].set_metainfo({STANDS_IN: True})
            return found
        return None
