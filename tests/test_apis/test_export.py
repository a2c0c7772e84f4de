"""A run becomes files that find what the run finds."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch

import mmkp
from mmkp.apis import load_model
from mmkp.apis.export import export
from mmkp.apis.export_pictures import network_inputs
from mmkp.deployment.check import ExportDifferenceError, graph_images, model_keypoints
from mmkp.deployment.description import METADATA_KEY, read_description
from mmkp.deployment.sessions import open_session

pytest.importorskip('onnxscript')
pytest.importorskip('onnxruntime')
openvino = pytest.importorskip('openvino')

FILES = {'onnx': 'model.onnx', 'openvino': 'model.xml', 'torch': 'model.pt'}


@pytest.fixture(scope='module')
def model():
    config, checkpoint = tiny.trained()
    return load_model(config, checkpoint, 'cpu', check=False)


@pytest.fixture(scope='module')
def made(model, tmp_path_factory):
    """An export in all formats, and what it wrote to the standard streams."""
    out = tmp_path_factory.mktemp('exports') / 'all'
    pictures = tiny.trained()[0].parent / 'images'
    return export(model, list(FILES), out, data=pictures)


def test_each_file_finds_what_the_model_finds(made, model):
    assert [one.file for one in made.differences] == [
        'model.pt',
        'model.onnx',
        'model.xml',
    ]
    assert all(0 < one.largest < 1e-3 for one in made.differences)
    assert {one.pictures for one in made.differences} == {8}
    inputs = network_inputs(model, None, 3)
    keypoints, scores = model_keypoints(model, inputs)
    images = graph_images(model, inputs, True)
    for runtime in FILES:
        found = open_session(made.path, runtime).run({'images': images})
        np.testing.assert_allclose(found['keypoints'], keypoints, atol=1e-3)
        np.testing.assert_allclose(found['keypoint_scores'], scores, atol=1e-5)


def test_the_folder_says_what_it_holds(made):
    described = read_description(made.path)
    assert described == made.description
    assert described.files == FILES
    assert (described.kind, described.model) == ('keypoints', 'AutoLink')
    assert described.keypoint_names == ['0', '1', '2', '3']
    assert np.shape(described.keypoint_colors) == (4, 3)
    assert described.input == dict(
        size=[32, 32],
        dynamic=False,
        normalized_inside=True,
        mean=[127.5] * 3,
        std=[127.5] * 3,
        to_rgb=True,
    )
    assert described.placement['type'] == 'affine'
    run = json.loads((made.path / 'run.json').read_text())
    assert run['verb'] == 'export' and run['config'] == 'config.py'
    assert len(run['figures']['differences']) == 3
    assert 'AutoLink' in (made.path / 'config.py').read_text()
    assert 'model.onnx: keypoints differ' in made._repr_html_()
    assert not [*made.path.parent.glob('.export-*')]


def test_each_file_holds_description_and_config(made):
    onnx = pytest.importorskip('onnx')
    properties = onnx.load(made.path / 'model.onnx').metadata_props
    held = {'onnx': {one.key: one.value for one in properties}}
    texts = {METADATA_KEY: '', 'config': ''}
    torch.jit.load(made.path / 'model.pt', _extra_files=texts)
    held['torch'] = {key: value.decode() for key, value in texts.items()}
    info = openvino.Core().read_model(made.path / 'model.xml')
    held['openvino'] = {
        key: info.get_rt_info([key]).astype(str) for key in (METADATA_KEY, 'config')
    }
    for texts in held.values():
        assert json.loads(texts[METADATA_KEY])['model'] == 'AutoLink'
        assert texts['config'] == (made.path / 'config.py').read_text()


def test_files_do_not_say_where_they_were_made(made):
    here = str(Path(mmkp.__file__).parent).encode()
    for name in (*FILES.values(), 'model.bin'):
        content = (made.path / name).read_bytes()
        assert here not in content and b'site-packages' not in content


def test_onnx_takes_any_number_of_images_by_named_axes(made):
    session = pytest.importorskip('onnxruntime').InferenceSession(
        made.path / 'model.onnx'
    )
    [images] = session.get_inputs()
    assert (images.name, images.shape) == ('images', ['batch', 3, 32, 32])
    assert [(one.name, one.shape[0]) for one in session.get_outputs()] == [
        ('keypoints', 'batch'),
        ('keypoint_scores', 'batch'),
    ]


def test_half_openvino_alone_leaves_no_other_file(model, tmp_path, capfd):
    settings = dict(normalized_inside=False, half=True)
    made = export(model, ['openvino'], tmp_path / 'a', **settings)
    names = {path.name for path in made.path.iterdir()}
    assert {'model.xml', 'model.bin', 'export.json', 'config.py', 'run.json'} <= names
    assert not {'model.onnx', 'float32.onnx', 'model.pt'} & names
    assert made.description.input['normalized_inside'] is False
    assert made.description.precision == 'float16'
    single, half = made.differences
    assert (single.file, half.file) == ('float32.onnx', 'model.xml')
    assert single.largest < 1e-3 < half.largest < 1
    assert json.loads((made.path / 'run.json').read_text())['source'] == 'drawn figures'
    out, err = capfd.readouterr()
    assert not re.search('torch|onnx|Warning', out + err), out + err


def test_what_differs_is_not_written(model, tmp_path, monkeypatch):
    monkeypatch.setattr('mmkp.apis.export_files.TOLERANCE', -1.0)
    before = dict(model.test_cfg)
    with pytest.raises(ExportDifferenceError, match=r"keypoint \d of 'drawn figure"):
        export(model, ['torch'], tmp_path / 'a', flip_test=None)
    assert [*tmp_path.iterdir()] == []
    assert model.test_cfg == before


def test_what_a_user_gets_wrong_is_told_before_anything_is_written(model, tmp_path):
    out = tmp_path / 'a'
    with pytest.raises(ValueError, match="'onyx' is no format .*'onnx'"):
        export(model, ['onyx'], out)
    with pytest.raises(ValueError, match='formats are a list'):
        export(model, 'onnx', out)
    with pytest.raises(ValueError, match='exclude each other'):
        export(model, ['onnx'], out, half=True, int8=tmp_path)
    with pytest.raises(ValueError, match='a torch file is float32'):
        export(model, ['onnx', 'torch'], out, half=True)
    with pytest.raises(FileNotFoundError, match='nowhere'):
        export(model, ['onnx'], out, data=tmp_path / 'nowhere')
    with pytest.raises(FileNotFoundError, match='neither the folder of a run'):
        export('no-such-run', ['onnx'], out)
    assert not out.exists()
    out.mkdir()
    (out / 'mine').touch()
    with pytest.raises(FileExistsError, match='--overwrite'):
        export(model, ['onnx'], out)


@pytest.mark.slow
def test_int8_is_calibrated_on_pictures_and_its_loss_told(model, tmp_path):
    pictures = tiny.draw_figures(tmp_path / 'pictures', 32)
    made = export(model, ['onnx'], tmp_path / 'a', int8=pictures)
    assert made.description.precision == 'int8'
    single, small = made.differences
    assert single.largest < 1e-3 < small.largest < 3
    assert 0 < small.mean < small.largest


@pytest.mark.slow
def test_people_are_exported_for_images_of_any_size(tmp_path):
    made = export('puppets-openpose', list(FILES), tmp_path / 'a')
    assert max(one.largest for one in made.differences) < 1e-3
    assert made.description.kind == 'people' and made.description.grouping
    assert made.description.input['dynamic'] is True
    assert (made.path / 'mmkp_runner.py').is_file()
