"""xtcocotools, whose wheels are for Python 3.10 and 3.11 with NumPy 1 only."""

import importlib
import json
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np

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
    from boxes, annotations without ``iscrowd``. Whole-body and crowd evaluation are
    not.

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

        def __init__(
            self,
            cocoGt: Any = None,  # noqa: N803
            cocoDt: Any = None,  # noqa: N803
            iouType: str = 'keypoints',  # noqa: N803
            sigmas: np.ndarray | None = None,
            use_area: bool = True,
        ) -> None:
            if iouType not in ('keypoints', 'bbox', 'segm'):
                raise NotImplementedError(
                    f'evaluation of {iouType!r} needs xtcocotools itself, which has '
                    'wheels for Python 3.10 and 3.11 with NumPy 1: pip install '
                    'xtcocotools==1.14.3'
                )
            super().__init__(cocoGt, cocoDt, iouType)
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
                self._dts[key] = [ann for ann in results if _num_visible(ann)]

        def _for_pycocotools(self, annotation: dict) -> dict:
            """Copy an annotation in the form in which pycocotools evaluates it."""
            copy = dict(annotation)
            # There an id of 0 means "no match".
            copy['id'] += 1
            copy['ignore'] = not _num_visible(copy) or copy.get('iscrowd', False)
            if not self.use_area or 'area' not in copy:
                copy['area'] = copy['bbox'][2] * copy['bbox'][3] * 0.53
            return copy

    package, coco_module, cocoeval_module = (
        types.ModuleType(name, 'Stand-in over pycocotools.')
        for name in (MODULES[0], MODULES[2], MODULES[3])
    )
    package.__path__ = []
    coco_module.COCO = COCO  # type: ignore[attr-defined]
    cocoeval_module.COCOeval = COCOeval  # type: ignore[attr-defined]
    return package, mask, coco_module, cocoeval_module


def _num_visible(annotation: dict) -> int:
    """Number of keypoints whose third value, visibility or score, is positive."""
    return np.count_nonzero(np.asarray(annotation['keypoints'])[2::3] > 0)
