"""Each shim mends its defect, and does nothing where the defect is not.

Most run in an interpreter of their own: they are about the first import.
"""

import contextlib
import importlib
import importlib.util
import io
import json
import subprocess
import sys
import textwrap
import types
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.dataset import Compose, pseudo_collate
from mmpose.datasets.transforms import formatting
from mmpose.models import PoseDataPreprocessor
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

from mmkp import compat
from mmkp.compat import (
    bottomup_heatmaps,
    image_pyramid,
    installed_packages,
    mmcv_ops,
    visualizer,
    xtcocotools_stand_in,
)

LOAD_SHIM = f"""
import importlib.util, sys

def load(name):
    # Without mmkp/__init__.py, which applies them all and imports MMPose.
    path = {str(Path(compat.__file__).parent)!r} + f'/{{name}}.py'
    spec = importlib.util.spec_from_file_location(name, path)
    shim = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(shim)
    return shim
"""


def run(program, *path):
    """Run a program in a fresh interpreter and return what it printed."""
    search = f'sys.path[:0] = {[str(entry) for entry in path]}\n'
    program = LOAD_SHIM + search + textwrap.dedent(program)
    done = subprocess.run(
        [sys.executable, '-c', program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def has_compiled_mmcv():
    return importlib.util.find_spec('mmcv._ext') is not None


needs_mmcv_lite = pytest.mark.skipif(has_compiled_mmcv(), reason='mmcv is the full one')


class TestMmcvOps:
    @needs_mmcv_lite
    def test_everything_that_needs_the_ops_imports(self):
        for module in ('mmpose.models', 'mmpose.apis', 'mmdet.models', 'mmdet.apis'):
            importlib.import_module(module)
        ops = importlib.import_module('mmcv.ops')
        assert len(ops.__all__) > 100
        assert all(callable(getattr(ops, name)) for name in ops.__all__)
        assert 'provide_mmcv_ops' in compat.applied

    @needs_mmcv_lite
    def test_constructing_a_compiled_op_says_what_to_do(self):
        from mmcv.ops import DeformConv2d, nms
        from mmcv.ops.roi_align import roi_align

        for op, arguments in [
            (DeformConv2d, (3, 3, 1)),
            (nms, (np.zeros((1, 4)), np.zeros(1), 0.5)),
            (roi_align, ()),
            (type('Mine', (DeformConv2d,), {}), ()),
        ]:
            with pytest.raises(RuntimeError) as caught:
                op(*arguments)
            message = str(caught.value)
            assert message.startswith(f'{op.__name__} needs')
            assert 'mmcv-lite' in message and mmcv_ops.INSTALL_COMMAND in message

    @needs_mmcv_lite
    def test_names_that_mmcv_does_not_have_stay_missing(self):
        import mmcv.ops

        with pytest.raises(AttributeError, match='no_such_op'):
            _ = mmcv.ops.no_such_op
        with pytest.raises(ImportError):
            from mmcv.ops.nms import no_such_op  # noqa: F401
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module('mmcv.ops.no_such_module')

    @needs_mmcv_lite
    def test_ops_in_pure_python_are_the_real_ones(self):
        from mmcv.ops import point_sample
        from mmcv.ops.merge_cells import SumCell

        image = torch.arange(16.0).reshape(1, 1, 4, 4)
        corner = torch.tensor([[[0.125, 0.125]]])
        assert point_sample(image, corner).item() == 0
        cell = SumCell(in_channels=1, out_channels=1, with_out_conv=False)
        assert cell(image, image, (4, 4)).sum() == 2 * image.sum()

    @needs_mmcv_lite
    def test_isinstance_works(self):
        from mmcv.ops import ModulatedDeformConv2d

        assert not isinstance(torch.nn.Conv2d(1, 1, 1), ModulatedDeformConv2d)

    @needs_mmcv_lite
    def test_an_mmcv_imported_before_is_completed(self):
        out = run(
            """
            import warnings
            warnings.simplefilter('ignore')
            import mmcv.cnn
            load('mmcv_ops').provide_mmcv_ops()
            from mmcv.cnn.bricks.transformer import MultiScaleDeformableAttention
            print(MultiScaleDeformableAttention.__module__)
            """
        )
        assert out.strip() == 'mmcv.ops.multi_scale_deform_attn'

    def test_full_mmcv_is_left_alone(self, tmp_path):
        package = tmp_path / 'mmcv'
        (package / 'ops').mkdir(parents=True)
        (package / '__init__.py').write_text("__version__ = '2.1.0'")
        (package / '_ext.py').write_text('def nms(): return "compiled"')
        (package / 'ops/__init__.py').write_text('from mmcv._ext import nms')
        out = run(
            """
            shim = load('mmcv_ops')
            before = set(sys.modules)
            print(shim.provide_mmcv_ops())
            print(sorted(set(sys.modules) - before))
            import mmcv.ops
            print(mmcv.ops.nms())
            """,
            tmp_path,
        )
        assert out.split('\n')[:3] == ['False', "['mmcv']", 'compiled']


@pytest.mark.skipif(
    not hasattr(torch.library, 'register_fake'),
    reason='this torch is older than the torchvision that describes operators so',
)
class TestTorchvisionOps:
    def make_torchvision(self, folder, library):
        """A torchvision that describes its operator as the real one does."""
        package = folder / 'torchvision'
        package.mkdir()
        (package / '_C.so').write_bytes(library)
        (package / '__init__.py').write_text(
            textwrap.dedent("""
            import torch
            @torch.library.register_fake('torchvision::nms')
            def nms(dets, scores, iou_threshold):
                return dets.new_empty(0, dtype=torch.long)
            """)
        )

    def test_library_that_does_not_load(self, tmp_path):
        self.make_torchvision(tmp_path, b'not a library')
        out = run(
            """
            import torch
            shim = load('torchvision_ops')
            try:
                import torchvision
            except RuntimeError as error:
                print(error)
            print(shim.declare_torchvision_ops())
            import torchvision
            try:
                torch.ops.torchvision.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
            except NotImplementedError:
                print('calling it raises')
            print(shim.declare_torchvision_ops())
            """,
            tmp_path,
        ).split('\n')
        assert out[0] == 'operator torchvision::nms does not exist'
        assert out[1:4] == ['True', 'calling it raises', 'False']

    def test_sound_library_is_left_alone(self, tmp_path):
        self.make_torchvision(tmp_path, b'')
        out = run(
            """
            import torch
            torch.ops.load_library = print
            print(load('torchvision_ops').declare_torchvision_ops())
            print(hasattr(torch.ops.torchvision, 'nms'))
            """,
            tmp_path,
        )
        assert out.endswith('torchvision/_C.so\nFalse\nFalse\n')


class TestInstalledPackages:
    def test_inherited_configs_load_without_setuptools(self, tmp_path):
        config = tmp_path / 'config.py'
        config.write_text(
            "_base_ = 'mmpose::body_2d_keypoint/topdown_heatmap/coco/"
            "td-hm_hourglass52_8xb32-210e_coco-256x256.py'"
        )
        out = run(
            f"""
            class Hidden:
                def find_spec(self, name, path=None, target=None):
                    if name == 'pkg_resources':
                        raise ModuleNotFoundError(f'No module {{name}}', name=name)

            sys.meta_path.insert(0, Hidden())
            find_spec = importlib.util.find_spec
            importlib.util.find_spec = lambda name: (
                None if name == 'pkg_resources' else find_spec(name)
            )
            from mmengine.config import Config
            try:
                Config.fromfile({str(config)!r})
            except ModuleNotFoundError as error:
                print(error)
            print(load('installed_packages').find_packages_without_setuptools())
            print(Config.fromfile({str(config)!r}).model.backbone.type)
            """
        )
        assert out.split('\n')[:3] == [
            'No module pkg_resources',
            'True',
            'HourglassNet',
        ]

    def test_left_alone_where_it_is_there(self, monkeypatch):
        import mmengine.utils

        monkeypatch.setattr(importlib.util, 'find_spec', lambda name: object())
        before = mmengine.utils.is_installed
        assert not installed_packages.find_packages_without_setuptools()
        assert mmengine.utils.is_installed is before

    def test_the_functions(self):
        import mmpose

        found = installed_packages.get_installed_path('mmpose')
        assert Path(found) == Path(mmpose.__file__).parent
        assert Path(installed_packages.get_installed_path('json-tricks')).name == (
            'json_tricks'
        )
        assert installed_packages.is_installed('mmpose')
        assert installed_packages.is_installed('json')
        assert not installed_packages.is_installed('no_such_package')
        with pytest.raises(metadata.PackageNotFoundError):
            installed_packages.get_installed_path('no_such_package')


class TestVisualizer:
    class Backend:
        """Draws as MMPose's OpenCV backend does on NumPy 2.4."""

        def __init__(self, backend):
            self.backend = backend

        def draw_circles(self, center, radius, face_colors='none', alpha=1.0):
            if self.backend == 'opencv' and isinstance(radius, np.ndarray):
                raise TypeError('only 0-dimensional arrays can be converted')
            return radius, alpha

    def test_radius_is_a_number_for_opencv_only(self, monkeypatch):
        from mmpose.visualization import opencv_backend_visualizer as upstream

        class Backend(self.Backend):
            pass

        monkeypatch.setattr(upstream, 'OpencvBackendVisualizer', Backend)
        monkeypatch.setattr(visualizer, '_array_converts_to_int', lambda: False)
        with pytest.raises(TypeError):
            Backend('opencv').draw_circles(np.zeros(2), radius=np.array([4]))
        assert visualizer.draw_circles_of_array_radius()
        drawn = Backend('opencv').draw_circles(np.zeros(2), radius=np.array([4]))
        assert drawn == (4, 1.0)
        assert not visualizer.draw_circles_of_array_radius(), 'once is enough'
        radius = np.array([4])
        drawn = Backend('matplotlib').draw_circles(np.zeros(2), radius, alpha=0.5)
        assert drawn[0] is radius and drawn[1] == 0.5

    def test_needed_from_numpy_2_4_on(self):
        newer = tuple(map(int, np.__version__.split('.')[:2])) >= (2, 4)
        assert visualizer._array_converts_to_int() != newer
        assert ('draw_circles_of_array_radius' in compat.applied) == newer


class TestImagePyramid:
    SIZES = ((32, 32), (16, 16), (64, 64))

    def samples(self):
        pipeline = Compose(
            [
                dict(
                    type='BottomupResize',
                    input_size=self.SIZES[0],
                    aug_scales=[0.5, 2],
                    resize_mode='fit',
                    size_factor=16,
                ),
                dict(
                    type='PackPoseInputs',
                    meta_keys=(
                        'input_size', 'input_center', 'input_scale', 'aug_scales',
                        'img_shape', 'flip_indices',
                    ),
                ),
            ]
        )  # fmt: skip
        rng = np.random.default_rng(0)
        images = [rng.integers(0, 255, (40, 50, 3), dtype=np.uint8) for _ in range(2)]
        flip_indices = [1, 0]
        return [
            pipeline(dict(img=image, ori_shape=(40, 50), flip_indices=flip_indices))
            for image in images
        ]

    def test_each_size_is_a_batch_of_its_own(self):
        samples = self.samples()
        shapes = [tuple(size.shape[1:]) for size in samples[0]['inputs']]
        assert shapes == [(h, w) for w, h in self.SIZES]
        preprocessor = PoseDataPreprocessor(mean=[100.0], std=[50.0])
        batch = preprocessor(pseudo_collate(samples))
        for place, size in enumerate(batch['inputs']):
            alone = [dict(sample, inputs=sample['inputs'][place]) for sample in samples]
            expected = preprocessor(pseudo_collate(alone))['inputs']
            assert torch.equal(size, expected) and len(size) == 2
        assert batch['data_samples'][1].batch_input_shape == (32, 32)

    def test_mmposes_bottom_up_estimator_predicts_at_several_sizes(self):
        model = MODELS.build(
            dict(
                type='BottomupPoseEstimator',
                data_preprocessor=dict(type='PoseDataPreprocessor'),
                backbone=dict(type='ResNet', depth=18, out_indices=(1,)),
                head=dict(
                    type='PartAffinityHead',
                    in_channels=128,
                    stages=dict(type='TwoBranchStages', num_stages=1, channels=4),
                    decoder=dict(type='PartAffinityField', input_size=self.SIZES[0]),
                ),
                test_cfg=dict(multiscale_test=True, output_heatmaps=True),
            )
        ).eval()
        with torch.no_grad():
            results = model.test_step(pseudo_collate(self.samples()))
        assert [r.pred_fields.heatmaps.shape for r in results] == [(18, 4, 4)] * 2

    def test_one_size_is_treated_as_ever(self):
        image = torch.ones(3, 4, 4)
        preprocessor = PoseDataPreprocessor()
        batch = dict(inputs=[image, image], data_samples=[PoseDataSample()] * 2)
        assert preprocessor(batch)['inputs'].shape == (2, 3, 4, 4)
        stacked = formatting.image_to_tensor([np.zeros((4, 5, 3))] * 2)
        assert stacked.shape == (2, 3, 4, 5)

    def test_left_alone_where_pyramids_are_packed(self, monkeypatch):
        monkeypatch.setattr(formatting, 'image_to_tensor', list)
        forward = PoseDataPreprocessor.forward
        assert not image_pyramid.take_image_pyramids()
        assert PoseDataPreprocessor.forward is forward


class TestBottomupHeatmaps:
    """That they are drawn is tested with the inferencer, in tests/test_apis."""

    def test_left_alone_where_the_inferencer_asks_the_model(self, monkeypatch):
        class Sound:
            def preprocess(self):
                return self.model.test_cfg

            def visualize(self):
                pass

        module = 'mmpose.apis.inferencers.pose2d_inferencer.Pose2DInferencer'
        monkeypatch.setattr(module, Sound)
        assert not bottomup_heatmaps.draw_bottomup_heatmaps()

    def test_needed_today(self):
        assert 'draw_bottomup_heatmaps' in compat.applied


def add_parts(points, shift=0):
    """Further keypoints of a whole body: its five, each part moved farther."""
    return {
        f'{name}_kpts': (points + (index * shift, 0, 0)).ravel().tolist()
        for index, name in enumerate(('foot', 'face', 'lefthand', 'righthand'))
    }


def make_annotations(folder, parts=False):
    """Write annotations and results with everything COCO's evaluation looks at."""
    rng = np.random.default_rng(0)
    annotations, results = [], []
    for image in range(20):
        for _ in range(rng.integers(0, 4)):
            points = np.c_[rng.uniform(10, 90, (5, 2)), rng.integers(0, 3, 5)]
            points[:, 2] *= rng.random() > 0.1
            corner, size = points[:, :2].min(0), np.ptp(points[:, :2], axis=0)
            where = dict(image_id=image, category_id=1)
            annotation = dict(
                where,
                id=len(annotations),
                keypoints=points.ravel().tolist(),
                bbox=[*corner.tolist(), *size.tolist()],
                area=float(size.prod() * 0.6),
            )
            if rng.random() < 0.5:
                annotation['iscrowd'] = int(rng.random() < 0.2)
            if rng.random() < 0.5:
                annotation['num_keypoints'] = int(np.count_nonzero(points[:, 2]))
            if parts:
                annotation['num_keypoints'] = int(np.count_nonzero(points[:, 2] > 1))
                annotation.update(add_parts(points))
            annotations.append(annotation)
            for _ in range(rng.integers(0, 3)):
                found = points.copy()
                found[:, :2] += rng.normal(0, rng.uniform(0.5, 8), (5, 2))
                found[:, 2] = rng.random(5) * (rng.random() > 0.05)
                score = float(rng.random())
                result = dict(where, keypoints=found.ravel().tolist(), score=score)
                if parts:
                    result.update(add_parts(found, shift=1), foot_score=1 - score)
                results.append(result)
    dataset = dict(
        images=[
            dict(id=image, width=100, height=100, crowdIndex=image / 20)
            for image in range(20)
        ],
        annotations=annotations,
        categories=[dict(id=1, name='figure', keypoints=list('abcde'), skeleton=[])],
    )
    (folder / 'annotations.json').write_text(json.dumps(dataset))
    (folder / 'results.json').write_text(json.dumps(results))


def evaluate(coco, cocoeval, folder, use_area, kind='keypoints'):
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco.COCO(str(folder / 'annotations.json'))
        found = truth.loadRes(str(folder / 'results.json'))
        sigmas = np.linspace(0.05, 0.1, 25 if 'whole' in kind else 5)
        evaluation = cocoeval.COCOeval(truth, found, kind, sigmas, use_area)
        evaluation.params.useSegm = None
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats


class TestXtcocotools:
    @pytest.mark.parametrize('use_area', [True, False])
    def test_same_figures_as_the_original(self, use_area, tmp_path):
        if not xtcocotools_stand_in._xtcocotools_imports():
            pytest.skip('xtcocotools is not installed')
        from xtcocotools import coco, cocoeval

        make_annotations(tmp_path)
        _, _, our_coco, our_cocoeval = xtcocotools_stand_in._make_modules()
        theirs = evaluate(coco, cocoeval, tmp_path, use_area)
        ours = evaluate(our_coco, our_cocoeval, tmp_path, use_area)
        assert 0.1 < theirs[0] < 0.9
        np.testing.assert_array_equal(ours, theirs)

    def test_results_of_nothing(self, tmp_path):
        make_annotations(tmp_path)
        (tmp_path / 'results.json').write_text('[]')
        _, _, coco, cocoeval = xtcocotools_stand_in._make_modules()
        assert evaluate(coco, cocoeval, tmp_path, True)[0] == 0

    def test_selected_keypoints(self):
        _, _, coco, _ = xtcocotools_stand_in._make_modules()
        annotation = dict(id=1, image_id=1, category_id=1, keypoints=[1, 2, 2, 3, 4, 1])
        data = dict(images=[dict(id=1)], annotations=[annotation], categories=[])
        with contextlib.redirect_stdout(io.StringIO()):
            selected = coco.COCO('unused', test_index=[1], ann_data=data)
        assert selected.anns[1]['keypoints'] == [3, 4, 1]
        assert selected.anns[1]['iscrowd'] is False

    def test_unknown_evaluations_are_refused(self):
        _, _, _, cocoeval = xtcocotools_stand_in._make_modules()
        with pytest.raises(Exception, match='iouType not supported'):
            cocoeval.COCOeval(iouType='keypoints_tail')

    # AP, and AR (of crowds at .75), as xtcocotools 1.14.3 gives them.
    FIGURES = dict(
        keypoints=(0.1426, 0.3417),
        keypoints_crowd=(0.1375, 0.3333),
        keypoints_body=(0.1426, 0.3417),
        keypoints_foot=(0.1826, 0.3417),
        keypoints_face=(0.1333, 0.3292),
        keypoints_lefthand=(0.1040, 0.2833),
        keypoints_righthand=(0.0737, 0.2250),
        keypoints_wholebody=(0.1253, 0.3167),
    )

    @pytest.mark.parametrize('kind', FIGURES)
    def test_whole_bodies_and_crowds(self, kind, tmp_path):
        make_annotations(tmp_path, parts=True)
        _, _, our_coco, our_cocoeval = xtcocotools_stand_in._make_modules()
        ours = evaluate(our_coco, our_cocoeval, tmp_path, True, kind)
        if xtcocotools_stand_in._xtcocotools_imports():
            from xtcocotools import coco, cocoeval

            theirs = evaluate(coco, cocoeval, tmp_path, True, kind)
            np.testing.assert_array_equal(ours, theirs)
        np.testing.assert_allclose(ours[[0, 5]], self.FIGURES[kind], atol=1e-4)
        if kind == 'keypoints_crowd':  # of easy, medium and hard images
            assert ours[6:].tolist() == [0.2545, 0.0867, 0.4023]

    @pytest.mark.parametrize(
        'error', ['ModuleNotFoundError("absent")', 'ValueError("numpy.dtype size")']
    )
    def test_stands_in_where_it_does_not_import(self, error, tmp_path):
        package = tmp_path / 'xtcocotools'
        package.mkdir()
        (package / '__init__.py').write_text(f'raise {error}')
        out = run(
            """
            print(load('xtcocotools_stand_in').provide_xtcocotools())
            # As MMPose imports it.
            import xtcocotools.mask as mask
            from xtcocotools.coco import COCO
            from xtcocotools.cocoeval import COCOeval
            print(mask.__name__, COCO.__mro__[1].__module__)
            """,
            tmp_path,
        )
        assert out.split() == ['True', 'pycocotools.mask', 'pycocotools.coco']

    def test_left_alone_where_it_imports(self, monkeypatch):
        monkeypatch.setitem(sys.modules, 'xtcocotools', types.ModuleType('xtcocotools'))
        before = dict(sys.modules)
        assert not xtcocotools_stand_in.provide_xtcocotools()
        assert dict(sys.modules) == before


def test_every_shim_names_its_thread_and_is_applied_once():
    assert len(set(compat.applied)) == len(compat.applied)
    for shim in compat.SHIMS:
        assert 'Upstream:' in shim.__doc__ and '#' in shim.__doc__
        assert not shim(), 'a second call must find nothing left to mend'


def test_annotation_files_are_checked_once():
    from mmpose.datasets.datasets.base import base_coco_style_dataset
    from mmpose.evaluation.metrics import coco_metric

    from mmkp.compat.coco_annotations import check_annotation_files

    load = base_coco_style_dataset.BaseCocoStyleDataset.load_data_list
    assert not check_annotation_files()
    assert base_coco_style_dataset.BaseCocoStyleDataset.load_data_list is load
    for module in (base_coco_style_dataset, coco_metric):
        with pytest.raises(FileNotFoundError, match='annotation file no.json does not'):
            module.COCO('no.json')
