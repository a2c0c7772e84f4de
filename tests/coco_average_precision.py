"""Average precision of people on COCO's images, shared by the tests."""

import contextlib
import io

import numpy as np
from xtcocotools.coco import COCO
from xtcocotools.cocoeval import COCOeval

SIGMAS = np.array(
    [0.26, 0.25, 0.25, 0.35, 0.35, 0.79, 0.79, 0.72, 0.72, 0.62, 0.62]
    + [1.07, 1.07, 0.87, 0.87, 0.89, 0.89]
)


class CocoPeople:
    """The annotated people of some images.

    Args:
        ann_file: of COCO's keypoints.
    """

    def __init__(self, ann_file):
        with contextlib.redirect_stdout(io.StringIO()):
            self.coco = COCO(str(ann_file))

    def fully_annotated(self):
        """Images with keypoints whose people and crowds are all annotated, by id."""
        images = []
        for image in sorted(self.coco.getImgIds()):
            annotations = self.coco.loadAnns(self.coco.getAnnIds(image))
            official = all(a['area_source'] == 'official' for a in annotations)
            if official and any(a['num_keypoints'] for a in annotations):
                images.append(image)
        return images

    def size(self, image):
        """Width and height of an image."""
        entry = self.coco.loadImgs(image)[0]
        return entry['width'], entry['height']

    def people(self, image):
        """Keypoints (N, 17, 3) of those who have any, crowds left out."""
        annotations = self.coco.loadAnns(self.coco.getAnnIds(image))
        keypoints = [
            a['keypoints']
            for a in annotations
            if a['num_keypoints'] and not a['iscrowd']
        ]
        return np.reshape(keypoints, (-1, 17, 3)).astype(np.float64)

    def average_precision(self, predictions):
        """AP of predictions in percent.

        Args:
            predictions: of each image by its id: keypoints (N, 17, 2) in pixels of the
                image, their scores (N, 17) and scores of the people (N,).
        """
        results = [
            dict(
                image_id=int(image),
                category_id=1,
                keypoints=np.concatenate([person, of_person[:, None]], 1)
                .astype(float)
                .ravel()
                .tolist(),
                score=float(score),
            )
            for image, people in predictions.items()
            for person, of_person, score in zip(*people, strict=True)
        ]
        with contextlib.redirect_stdout(io.StringIO()):
            found = self.coco.loadRes(results)
            evaluation = COCOeval(self.coco, found, 'keypoints', SIGMAS / 10)
            evaluation.params.imgIds = sorted(map(int, predictions))
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        return 100 * evaluation.stats[0]


def resized(points, size, new_size):
    """Places (..., 2) after an image was resized, pixel centres at integers."""
    return (points + 0.5) * (np.array(new_size) / size) - 0.5
