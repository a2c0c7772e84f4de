"""Predicting in bfloat16 takes weights that are fitted to it."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tiny
import torch

import mmkp
from mmkp.apis.fitted_copy import FITTED, fitted_copy
from mmkp.apis.run import Run
from mmkp.deployment.sessions import is_installed


@pytest.fixture(scope='module')
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A work directory of a training, which is a run."""
    return Run(tiny.copy_run(tmp_path_factory.mktemp('run')))


@pytest.fixture(scope='module')
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More pictures than weights are fitted on."""
    folder = tmp_path_factory.mktemp('images')
    generator = np.random.default_rng(0)
    for index in range(FITTED + 1):
        small = generator.uniform(0, 255, (6, 6, 3)).astype(np.uint8)
        cv2.imwrite(str(folder / f'{index}.png'), cv2.resize(small, (60, 60)))
    return folder


def test_weights_are_fitted_on_the_first_pictures(
    run: Run, images: Path, capsys: pytest.CaptureFixture
) -> None:
    """Of what is predicted, where the run's own are not there; it is said."""
    model: Any = run.load_model('cpu')
    fitted = fitted_copy(model, run, str(images))
    assert capsys.readouterr().err == (
        f"bfloat16: weights fitted on {FITTED} pictures of '{images}'\n"
    )
    # AutoLink's encoder reads weights of the others for itself.
    convolutions = [
        fitted.head.final_layer, *(block.conv2 for block in fitted.backbone.blocks)
    ]  # fmt: skip
    for convolution in convolutions:
        weight = convolution.weight
        assert torch.equal(weight, weight.bfloat16().float())


@pytest.mark.parametrize('source', [None, 0, '0'])
def test_without_pictures_it_is_said(
    run: Run, source: Any, capsys: pytest.CaptureFixture
) -> None:
    """A camera shows each picture once, and these are to be predicted."""
    model: Any = run.load_model('cpu')
    assert fitted_copy(model, run, source) is model
    assert 'not fitted: there is no picture' in capsys.readouterr().err


@pytest.mark.parametrize('runtime', ['torch', 'openvino'])
def test_a_run_predicts_in_bfloat16(
    run: Run, images: Path, tmp_path: Path, runtime: str, capsys: pytest.CaptureFixture
) -> None:
    """OpenVINO by an export that is made once, of its own."""
    if not is_installed(runtime):
        pytest.skip(f'{runtime} is not installed')
    options: dict = dict(device='cpu', draw='none', runtime=runtime)
    plain = mmkp.predict(run, images, tmp_path / 'a', device='cpu', draw='none')
    found = mmkp.predict(run, images, tmp_path / 'b', precision='bfloat16', **options)
    assert found.figures['runtime'] == f'{runtime} bfloat16'
    assert 'weights fitted on' in capsys.readouterr().err
    old, new = (
        np.array(
            [
                image['instances'][0]['keypoints']
                for image in json.loads((one.path / 'keypoints.json').read_text())[
                    'images'
                ]
            ]
        )
        for one in (plain, found)
    )
    np.testing.assert_allclose(new, old, atol=3)
    assert (new != old).any()
    if runtime == 'openvino':
        assert not (run.path / 'exports/openvino').exists()
        assert (run.path / 'exports/openvino-bfloat16/model.xml').is_file()
        mmkp.predict(run, images, tmp_path / 'c', precision='bfloat16', **options)
        assert 'weights fitted on' not in capsys.readouterr().err
