"""xtcocotools, whose wheels are for Python 3.10 and 3.11 with NumPy 1 only."""

import importlib
import itertools
import json
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np

# Where annotations and results keep the keypoints of an evaluation of keypoints.
PARTS = {
    'keypoints': ('keypoints',),
    'keypoints_crowd': ('keypoints',),
    'keypoints_body': ('keypoints',),
    'keypoints_foot': ('foot_kpts',),
    'keypoints_face': ('face_kpts',),
    'keypoints_lefthand': ('lefthand_kpts',),
    'keypoints_righthand': ('righthand_kpts',),
    'keypoints_wholebody': (
        'keypoints',
        'foot_kpts',
        'face_kpts',
        'lefthand_kpts',
        'righthand_kpts',
    ),
}
# CrowdPose's easy, medium and hard images begin at these shares of crowded people.
CROWD_LEVELS = (-np.inf, 0.2, 0.8, np.inf)
MODULES = (
    'xtcocotools',
    'xtcocotools.mask',
    'xtcocotools.coco',
    'xtcocotools.cocoeval',
)


def provide_xtcocotools() -> bool:
    """Present pycocotools as ``xtcocotools`` where that cannot be imported.

    MMPose reads and evaluates COCO annotations through xtcocotools. It has no wheel
    for Python 3.12, the one for 3.11 fails with ``numpy.dtype size changed`` on NumPy
    2, and building it takes a compiler. pycocotools is what it was made from and has
    wheels for all of them; what MMPose uses beyond it is added here: own sigmas, areas
    from boxes, annotations without ``iscrowd``, whole bodies and their parts, crowds.

    Upstream: jin-s13/xtcocoapi#45.

    Returns:
        Whether the stand-in had to be installed.
    """
    if 'xtcocotools' in sys.modules or _xtcocotools_imports():
        return False
    try:
        modules = dict(zip(MODULES, _make_modules(), strict=True))
    except ImportError:
        return False
    sys.modules.update(modules)
    for name in MODULES[1:]:
        setattr(modules['xtcocotools'], name.rpartition('.')[2], modules[name])
    return True


def _xtcocotools_imports() -> bool:
    try:
        importlib.import_module('xtcocotools.mask')
    except (ImportError, ValueError):  # ValueError: compiled for another NumPy
        for name in MODULES:
            sys.modules.pop(name, None)
        return False
    return True


def _make_modules() -> tuple[types.ModuleType, ...]:
    from pycocotools import coco, cocoeval, mask

    class COCO(coco.COCO):
        """Annotations in COCO's format, as xtcocotools reads them."""

        def __init__(
            self,
            annotation_file: str | None = None,
            test_index: list[int] | None = None,
            ann_data: dict | None = None,
        ) -> None:
            super().__init__(None if ann_data else annotation_file)
            self.anno_file = [annotation_file]
            if ann_data:
                self.dataset = ann_data
                self.createIndex()
            for annotation in self.dataset.get('annotations', []):
                annotation.setdefault('iscrowd', False)
                if test_index is not None:
                    points = np.reshape(annotation['keypoints'], (-1, 3))
                    annotation['keypoints'] = points[test_index].ravel().tolist()

        def loadRes(self, resFile: Any, resData: Any = None) -> Any:  # noqa: N802
            """Return results as annotations; unlike pycocotools' also none at all."""
            results = resFile if resData is None else resData
            if isinstance(results, str):
                results = json.loads(Path(results).read_text(encoding='utf-8'))
            if len(self.anno_file) == 1:
                self.anno_file.append(resFile)
            if len(results):
                return super().loadRes(results)
            return COCO(ann_data={**self.dataset, 'annotations': []})

    class COCOeval(cocoeval.COCOeval):
        """COCO's evaluation of keypoints with any sigmas and areas."""

        stats: Any

        def __init__(
            self,
            cocoGt: Any = None,  # noqa: N803
            cocoDt: Any = None,  # noqa: N803
            iouType: str = 'keypoints',  # noqa: N803
            sigmas: np.ndarray | None = None,
            use_area: bool = True,
        ) -> None:
            #: Kind of evaluation, of which pycocotools knows three.
            self.kind = iouType
            keypoints = iouType in PARTS
            super().__init__(cocoGt, cocoDt, 'keypoints' if keypoints else iouType)
            self.use_area = use_area
            if sigmas is not None:
                self.params.kpt_oks_sigmas = np.asarray(sigmas)

        def _prepare(self) -> None:
            if self.params.iouType != 'keypoints':
                super()._prepare()
                return
            for annotation in self.cocoGt.anns.values():
                annotation.setdefault('num_keypoints', _num_visible(annotation))
            super()._prepare()
            for key, annotations in self._gts.items():
                self._gts[key] = [self._for_pycocotools(ann) for ann in annotations]
            for key, results in self._dts.items():
                found = [_of_part(result, self.kind) for result in results]
                self._dts[key] = [result for result in found if _num_visible(result)]

        def _for_pycocotools(self, annotation: dict) -> dict:
            """Copy an annotation in the form in which pycocotools evaluates it."""
            copy = _of_part(annotation, self.kind)
            # There an id of 0 means "no match".
            copy['id'] += 1
            # CrowdPose counts what can be seen, not what is annotated.
            is_crowd = self.kind == 'keypoints_crowd'
            shown = copy['num_keypoints'] if is_crowd else _num_visible(copy)
            copy['ignore'] = copy.get('iscrowd', False) or not shown
            if not self.use_area or 'area' not in copy:
                copy['area'] = copy['bbox'][2] * copy['bbox'][3] * 0.53
            return copy

        def summarize(self) -> None:
            """Print and keep the figures in ``stats``; of crowds nine others."""
            super().summarize()
            if self.kind == 'keypoints_crowd':
                figures = [self.stats[index] for index in (0, 1, 2, 5, 6, 7)]
                self.stats = np.array([*figures, *self._precision_by_crowding()])

        def _precision_by_crowding(self) -> list[float]:
            """Mean precision of easy, medium and hard images, to four digits."""
            images = self.cocoGt.dataset['images']
            figures = []
            for low, high in itertools.pairwise(CROWD_LEVELS):
                self.params.imgIds = [
                    image['id'] for image in images if low <= image['crowdIndex'] < high
                ]
                self.evaluate()
                self.accumulate()
                # Of all areas, -1 where there is nothing to be found.
                figures.append(round(self.eval['precision'][:, :, :, 0].mean(), 4))
            return figures

    package, coco_module, cocoeval_module = (
        types.ModuleType(name, 'Stand-in over pycocotools.')
        for name in (MODULES[0], MODULES[2], MODULES[3])
    )
    package.__path__ = []
    coco_module.COCO = COCO  # type: ignore[attr-defined]
    cocoeval_module.COCOeval = COCOeval  # type: ignore[attr-defined]
    return package, mask, coco_module, cocoeval_module


def _of_part(record: dict, kind: str) -> dict:
    """Copy an annotation or a result, its keypoints and score those of a kind."""
    keypoints = [value for name in PARTS[kind] for value in record[name]]
    score = f'{kind.removeprefix("keypoints_")}_score'
    copy = dict(record, keypoints=keypoints)
    if score in record and kind != 'keypoints_body':
        copy['score'] = record[score]
    return copy


def _num_visible(annotation: dict) -> int:
    """Number of keypoints whose third value, visibility or score, is positive."""
    return np.count_nonzero(np.asarray(annotation['keypoints'])[2::3] > 0)
