"""Images to judge a model by: of the test or of a folder, evenly spaced."""

from pathlib import Path

import cv2
import numpy as np
import pytest

import mmkp  # noqa: F401
from mmkp.apis.spread_images import spread_images
from mmkp.engine import load_config


def pictures(folder, number):
    folder.mkdir()
    for index in range(number):
        picture = np.full((20, 30, 3), 10 * index, np.uint8)
        assert cv2.imwrite(str(folder / f'{index}.png'), picture)
    return str(folder)


def test_of_a_folder_or_of_the_test_evenly_spaced(tmp_path):
    own = pictures(tmp_path / 'own', 4)
    given = pictures(tmp_path / 'given', 7)
    options = dict(data_root=own, num_keypoints=3)
    cfg = load_config('lmdis-light_folder-64x64', options)

    def names(**kwargs):
        samples = list(spread_images(cfg, **kwargs))
        assert {tuple(s['inputs'].shape) for s in samples} == {(3, 64, 64)}
        return [Path(s['data_samples'].img_path).stem for s in samples]

    assert names() == ['0', '1', '2', '3']
    assert names(max_images=2) == ['0', '2']
    assert names(folder=given, max_images=3) == ['0', '3', '6']
    with pytest.raises(FileNotFoundError, match='nowhere'):
        list(spread_images(cfg, str(tmp_path / 'nowhere')))
