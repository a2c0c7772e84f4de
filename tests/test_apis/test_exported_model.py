"""Exports predict as their runs do."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import tiny
import tiny_people
import torch

import mmkp
from mmkp.apis import exported_model, load_model, predict_people
from mmkp.apis.export_description import describe_export
from mmkp.apis.export_pictures import network_inputs
from mmkp.apis.exported_model import load_exported
from mmkp.apis.predict_into import PredictionInterruptedError
from mmkp.apis.predict_shard import predict_shard
from mmkp.apis.prediction_tasks import PredictionTask
from mmkp.apis.run import Run
from mmkp.cli.main import main
from mmkp.deployment.sessions import is_installed


def content_of(folder: Path) -> dict:
    return json.loads((folder / 'keypoints.json').read_text())


def points_of(folder: Path) -> np.ndarray:
    images = content_of(folder)['images']
    return np.array([[i['keypoints'] for i in one['instances']] for one in images])


@pytest.fixture(scope='module')
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work directory of a training, which is a run."""
    return tiny.copy_run(tmp_path_factory.mktemp('run'))


@pytest.fixture(scope='module')
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of several sizes."""
    folder = tmp_path_factory.mktemp('images')
    generator = np.random.default_rng(0)
    for index, (height, width) in enumerate(((60, 80), (90, 70), (40, 40))):
        small = generator.uniform(0, 255, (6, 6, 3)).astype(np.uint8)
        cv2.imwrite(str(folder / f'{index}.png'), cv2.resize(small, (width, height)))
    return folder


@pytest.fixture(scope='module')
def export(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of the run, with an ONNX file."""
    pytest.importorskip('onnxscript')
    folder = tmp_path_factory.mktemp('exports') / 'export'
    return mmkp.export(run, ('onnx',), folder).path


@pytest.fixture(scope='module')
def plain(run: Path, images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the run itself finds."""
    folder = tmp_path_factory.mktemp('plain') / 'out'
    return mmkp.predict(run, images, folder, device='cpu', runtime='torch').path


@pytest.mark.parametrize('runtime', ['auto', 'onnx', 'openvino'])
def test_an_export_finds_what_its_run_does(
    export: Path, images: Path, plain: Path, tmp_path: Path, runtime: str
) -> None:
    """Keypoints, names, pictures; and the result says what found them."""
    if not is_installed('openvino' if runtime == 'auto' else runtime):
        pytest.skip(f'{runtime} is not installed')
    found = mmkp.predict(export, images, tmp_path / 'out', runtime=runtime)
    np.testing.assert_allclose(points_of(found.path), points_of(plain), atol=2e-3)
    expected, content = content_of(plain), content_of(found.path)
    for name in ('keypoint_names', 'links', 'num_keypoints', 'flip_indices'):
        assert content[name] == expected[name], name
    used = 'openvino' if runtime == 'auto' else runtime
    assert found.figures['runtime'] == f'{used} float32'
    info = Run(found.path).info
    assert info['figures']['runtime'] == f'{used} float32'
    assert (found.path / info['export']).resolve() == export.resolve()
    for name in ('0.png', '1.png', '2.png'):
        old, new = (cv2.imread(str(p / 'pictures' / name)) for p in (plain, found.path))
        assert (old != new).mean() < 0.01  # drawn in the same colours


def test_shards_of_an_export_are_those_of_its_run(
    export: Path, images: Path, plain: Path, tmp_path: Path
) -> None:
    """Names and files of the model stand in the result as in that of one process."""
    out, options = tmp_path / 'out', dict(runtime='onnx', draw='none')
    assert predict_shard(export, images, out, '0/2', **options) is None
    found = predict_shard(export, images, out, '1/2', **options)
    assert found is not None
    np.testing.assert_allclose(points_of(found.path), points_of(plain), atol=2e-3)
    expected, content = content_of(plain), content_of(found.path)
    for name in ('keypoint_names', 'links', 'num_keypoints', 'flip_indices'):
        assert content[name] == expected[name], name
    info = Run(found.path).info
    assert (found.path / info['export']).resolve() == export.resolve()


def test_boxes_go_to_an_export_too(
    run: Path, export: Path, images: Path, tmp_path: Path
) -> None:
    """Two in an image, none in another."""
    boxes = {'0.png': [[5, 5, 40, 40], [30, 10, 40, 45]], '1.png': [[0, 0, 70, 70]]}
    (tmp_path / 'boxes.json').write_text(json.dumps(boxes))
    options = dict(boxes=tmp_path / 'boxes.json', draw='none')
    first = mmkp.predict(run, images, tmp_path / 'a', device='cpu', **options).path
    second = mmkp.predict(export, images, tmp_path / 'b', runtime='onnx', **options)
    old, new = content_of(first)['images'], content_of(second.path)['images']
    assert [len(one['instances']) for one in new] == [2, 1]
    for before, after in zip(old, new, strict=True):
        for one, other in zip(before['instances'], after['instances'], strict=True):
            assert one['bbox'] == other['bbox']
            np.testing.assert_allclose(one['keypoints'], other['keypoints'], atol=2e-3)


def test_an_interrupted_prediction_by_an_export_resumes(
    export: Path, images: Path, plain: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Behind what was written."""
    predict, calls = PredictionTask.predict, []

    def interrupted(self: PredictionTask, names: list, arrays: list) -> list:
        calls.append(names)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return predict(self, names, arrays)

    options = dict(runtime='onnx', draw='none', batch_size=1)
    monkeypatch.setattr(PredictionTask, 'predict', interrupted)
    with pytest.raises(PredictionInterruptedError):
        mmkp.predict(export, images, tmp_path / 'out', **options)
    assert len(content_of(tmp_path / 'out')['images']) == 1
    mmkp.predict(export, images, tmp_path / 'out', resume=True, **options)
    assert calls[2:] == [['1.png'], ['2.png']]
    points = points_of(tmp_path / 'out')
    np.testing.assert_allclose(points, points_of(plain), atol=2e-3)


def test_what_an_export_has_not_is_told(
    export: Path, images: Path, tmp_path: Path
) -> None:
    """In a sentence with the way out."""
    for option, message in (
        (dict(show_heatmaps='overlay'), 'keypoints alone.*--runtime torch'),
        (dict(show_edges=True), 'an export, unlike its run, has no edges'),
        (dict(device='cuda:0'), 'exports compute on the CPU'),
        (dict(runtime='onnx', precision='bfloat16'), 'no bfloat16'),
        (dict(runtime='onyx'), "runtime is one of .*'onyx'"),
    ):
        with pytest.raises(ValueError, match=message):
            mmkp.predict(export, images, tmp_path / 'out', overwrite=True, **option)
    with pytest.raises(FileNotFoundError, match='-f torch'):
        mmkp.predict(export, images, tmp_path / 'out', runtime='torch')


def test_pixels_that_are_normalized_before(
    run: Path, images: Path, plain: Path, tmp_path: Path
) -> None:
    """An export without normalization is fed by the config's own preprocessor."""
    pytest.importorskip('onnxscript')
    made = mmkp.export(run, ('onnx',), tmp_path / 'export', normalized_inside=False)
    model = load_exported(made.path, 'onnx', threads=1)
    found = mmkp.predict(made.path, images, tmp_path / 'out', runtime='onnx')
    np.testing.assert_allclose(points_of(found.path), points_of(plain), atol=2e-3)
    assert model.data_preprocessor._enable_normalize


def test_a_run_makes_its_export_once(
    run: Path, images: Path, plain: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """And again when its weights have changed."""
    pytest.importorskip('onnxscript')
    words = ['predict', str(run), str(images), '--runtime', 'onnx', '--no-pictures']
    main([*words, '-o', str(tmp_path / 'a')])
    assert capsys.readouterr().out.splitlines()[-1] == str(tmp_path / 'a')
    file = run / 'exports/onnx/model.onnx'
    before = file.stat().st_mtime_ns
    np.testing.assert_allclose(points_of(tmp_path / 'a'), points_of(plain), atol=2e-3)
    main([*words, '-o', str(tmp_path / 'b')])
    assert file.stat().st_mtime_ns == before
    main([*words, '-o', str(tmp_path / 'c'), 'model.test_cfg.some=1'])
    assert file.stat().st_mtime_ns != before
    # With the run's own model beside it, learned edges are still known.
    assert content_of(tmp_path / 'b')['edges'] == content_of(plain)['edges']


def test_people_are_put_together_from_the_maps_of_an_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the head of the config, with maps to show and mirrored images inside."""
    config, checkpoint = tiny_people.made()
    model = load_model(config, checkpoint, 'cpu')
    described = describe_export(model, network_inputs(model, None, 1), True)
    described.write(tmp_path)
    text = config.read_text() + "\nmodel['test_cfg'] = dict(flip_test=True)\n"
    (tmp_path / 'config.py').write_text(text)

    class Maps:
        """In place of a file: the network itself, on pixels."""

        def run(self, inputs: dict) -> dict:
            with torch.no_grad():
                maps = model.head(model.backbone(torch.from_numpy(inputs['images'])))
            return dict(
                zip(('heatmaps', 'fields'), [m.numpy() for m in maps], strict=True)
            )

    asked = []

    def opened(*args: object) -> Maps:
        asked.append(args)
        return Maps()

    monkeypatch.setattr(exported_model, 'open_session', opened)
    exported = load_exported(tmp_path, 'openvino', True, 2)
    assert asked == [(tmp_path, 'openvino', 2, True, ('heatmaps', 'fields'))]
    images = sorted((config.parent / 'images').glob('*.png'))
    old = predict_people(model, images, with_maps=True)
    new = predict_people(exported, images, with_maps=True)
    assert sum(len(one['keypoints']) for one in new) == 6
    for before, after in zip(old, new, strict=True):
        for name, value in before.items():
            np.testing.assert_array_equal(after[name], value, err_msg=name)


def test_info_says_what_an_export_is(export: Path) -> None:
    found = mmkp.info(export)
    assert found.kind == 'export' and found.facts['files'] == 'model.onnx'
    assert found.facts['model'].endswith(', float32')
    assert float(found.facts['model.onnx, off'].split()[0]) < 1e-3
    assert found.commands[0] == f'mmkp predict {export} SOURCE'
    runner = found.commands[1].split()[1]
    assert Path(runner).is_file()
