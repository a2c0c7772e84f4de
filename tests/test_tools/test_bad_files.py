# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Every tool tells in a sentence that a file is absent, a folder, empty or garbage."""

import importlib.util
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import tiny

from mmkp.engine.cli import run_tool

TOOLS = Path(__file__).resolve().parents[2] / 'tools'
# BAD stands for the bad file (BAD.py for a config), OUT for what would be written.
CALLS = [
    'train.py BAD.py',
    'train.py CONFIG --resume BAD',
    'test.py BAD.py CHECKPOINT',
    'test.py CONFIG BAD',
    'infer.py BAD.py CHECKPOINT IMAGES --out OUT',
    'infer.py CONFIG BAD IMAGES --out OUT',
    'infer.py CONFIG CHECKPOINT BAD --out OUT',
    'analysis_tools/analyze_logs.py keys BAD',
    'analysis_tools/analyze_logs.py plot_curve BAD --out OUT',
    'analysis_tools/analyze_logs.py cal_train_time BAD',
    'analysis_tools/evaluate_keypoints.py BAD',
    'analysis_tools/find_sides.py BAD.py CHECKPOINT IMAGES',
    'analysis_tools/find_sides.py CONFIG BAD IMAGES',
    'analysis_tools/find_sides.py CONFIG CHECKPOINT BAD',
    'analysis_tools/get_flops.py BAD.py',
    'analysis_tools/keypoint_score.py BAD.py CHECKPOINT IMAGES',
    'analysis_tools/keypoint_score.py CONFIG BAD IMAGES',
    'analysis_tools/keypoint_score.py CONFIG CHECKPOINT BAD',
    'analysis_tools/mean_pose_baseline.py BAD.py',
    'analysis_tools/print_config.py BAD.py',
    'analysis_tools/select_keypoints.py BAD.py CHECKPOINT --folder IMAGES',
    'analysis_tools/select_keypoints.py CONFIG BAD --folder IMAGES',
    'analysis_tools/select_keypoints.py CONFIG CHECKPOINT --folder BAD',
    'benchmarks/openpose_training_step.py BAD.py',
    'benchmarks/part_affinity_decoding.py BAD',
    'dataset_converters/action_strips_to_frames.py BAD --out OUT',
    'dataset_converters/cat_heads_to_coco.py BAD --out OUT',
    'dataset_converters/celeba_to_coco.py BAD --out OUT',
    'dataset_converters/cub_to_coco.py BAD --out OUT',
    'dataset_converters/faces68_to_coco.py BAD --out OUT',
    'dataset_converters/film_to_frames.py BAD OUT',
    'dataset_converters/flic_to_coco.py BAD --out OUT',
    'dataset_converters/human36m_simplified_to_coco.py BAD --out OUT',
    'dataset_converters/idx_to_images.py BAD --out OUT',
    'dataset_converters/landmark_csv_to_coco.py BAD --images IMAGES --out OUT',
    'dataset_converters/landmark_csv_to_coco.py TABLE --images BAD --out OUT',
    'dataset_converters/landmark_csv_to_coco.py TABLE --images IMAGES --project BAD '
    '--out OUT',
    'dataset_converters/lsp_to_coco.py BAD --out OUT',
    'dataset_converters/masks_from_points.py BAD IMAGES OUT',
    'misc/browse_dataset.py BAD.py --out OUT',
    'misc/detect_boxes.py BAD --detector BAD.onnx',
    'misc/detect_boxes.py IMAGES --detector BAD.onnx',
    'misc/find_corrupt_images.py BAD',
    'misc/publish_model.py BAD OUT',
    'model_converters/autolink_lightning_to_mmkp.py BAD OUT',
    'model_converters/efficientnet_lite_to_mmkp.py BAD OUT',
    'model_converters/hed_to_mmkp.py BAD OUT',
    'model_converters/hourglass_to_mmkp.py BAD OUT',
    'model_converters/lmdis_to_mmkp.py BAD.py BAD OUT',
    'model_converters/openpose_to_mmkp.py BAD OUT',
    'model_converters/stable_keypoints_to_mmkp.py BAD BAD OUT',
    'model_converters/tfpose_to_mmkp.py BAD OUT',
]
# These run before mmkp is there.
BEFORE_MMKP = {'misc/make_environment.py', 'misc/matrix.py'}
# No input files: these draw, measure, or run tests.
WITHOUT_INPUT = BEFORE_MMKP | {
    'demo.py',
    'dataset_converters/puppets_to_coco.py',
    'misc/mmpose_tests.py',
    'misc/moving_picture.py',
}
GARBAGE = bytes(np.random.default_rng(0).integers(0, 256, 3000, np.uint8))
KINDS = {
    'absent': None,
    'folder': None,
    'empty': b'',
    'bytes': GARBAGE,
    'text': b'this is, no\nfile of that kind',
    'json': b'{"a": [1, NaN]}',
    'zip': b'PK\x03\x04' + GARBAGE,
    'pickle': b'\x80\x04' + GARBAGE,
}


def stop_of(name, *arguments):
    """Exit status of a tool that ran in this process."""
    path = TOOLS / name
    spec = importlib.util.spec_from_file_location(path.stem, path)
    tool = importlib.util.module_from_spec(spec)
    with (
        mock.patch.object(sys, 'path', [str(path.parent), *sys.path]),
        mock.patch.object(sys, 'argv', [str(path), *map(str, arguments)]),
    ):
        spec.loader.exec_module(tool)
        try:
            run_tool(tool.main)
        except SystemExit as stopped:
            return stopped.code
    return 0


def bad_file(folder, kind, suffix):
    path = folder / f'bad{suffix}'
    if kind == 'folder':
        path.mkdir()
    elif kind != 'absent':
        path.write_bytes(KINDS[kind])
    return path


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('call', CALLS)
def test_bad_input_is_told_in_a_sentence(tmp_path, capsys, monkeypatch, call, kind):
    monkeypatch.chdir(tmp_path)
    config, checkpoint = tiny.trained()
    (tmp_path / 't.csv').write_text('file_name,x0,y0\n000.png,1,2\n')
    tiny.draw_figures(tmp_path / 'images', 1)
    places = {
        'BAD': bad_file(tmp_path, kind, ''),
        'BAD.py': bad_file(tmp_path, kind, '.py'),
        'BAD.onnx': bad_file(tmp_path, kind, '.onnx'),
        'CONFIG': config,
        'CHECKPOINT': checkpoint,
        'TABLE': tmp_path / 't.csv',
        'IMAGES': tmp_path / 'images',
        'OUT': tmp_path / 'out',
    }
    name, *words = call.split()
    status = stop_of(name, *(places.get(word, word) for word in words))
    said = capsys.readouterr().err
    assert status in (1, 2), said
    assert 'Traceback' not in said
    if 'find_corrupt' not in call or 'error: ' in said:
        assert said.splitlines()[-1].startswith('error: ')
    assert 'bad' in said


def test_every_tool_with_an_input_is_called():
    tools = {
        path.relative_to(TOOLS).as_posix()
        for path in TOOLS.rglob('*.py')
        if path.parent.name != 'benchmarks'
    }
    called = {call.split()[0] for call in CALLS}
    assert tools - called == WITHOUT_INPUT


@pytest.mark.parametrize('path', sorted(TOOLS.rglob('*.py')), ids=lambda p: p.stem)
def test_every_tool_is_run_by_run_tool(path):
    code = path.read_text()
    runs = "\nif __name__ == '__main__'" in code
    if runs and path.relative_to(TOOLS).as_posix() not in BEFORE_MMKP:
        assert 'run_tool(' in code.split("\nif __name__ == '__main__'")[1]


@pytest.mark.parametrize(
    ('call', 'message'),
    [
        ('analysis_tools/evaluate_keypoints.py BAD --num-draws 0', 'from 1 on'),
        ('analysis_tools/evaluate_keypoints.py BAD --seed -1', 'from 0 on'),
        ('analysis_tools/get_flops.py CONFIG --input-shape 0', 'from 8 on'),
        ('misc/browse_dataset.py CONFIG --number 0', 'from 1 on'),
        ('misc/browse_dataset.py CONFIG --out OUT.xyz', 'has to end in .png or .jpg'),
        (
            'misc/browse_dataset.py CONFIG --out IMAGES.png',
            'is a folder: give the name',
        ),
        ('misc/find_corrupt_images.py IMAGES --workers x', 'from 1 on'),
        ('dataset_converters/puppets_to_coco.py OUT --figures 5 1', 'is not usable'),
    ],
)
def test_unusable_options_are_told(tmp_path, capsys, call, message):
    config, _ = tiny.trained()
    (tmp_path / 'images.png').mkdir()
    places = {
        'BAD': tmp_path / 'bad',
        'CONFIG': config,
        'OUT': tmp_path / 'out',
        'OUT.xyz': tmp_path / 'out.xyz',
        'IMAGES': tmp_path,
        'IMAGES.png': tmp_path / 'images.png',
    }
    name, *words = call.split()
    assert stop_of(name, *(places.get(word, word) for word in words)) == 2
    assert message in capsys.readouterr().err
