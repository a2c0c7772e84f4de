"""Reduced copies that a discovery trains on."""

import cv2
import films
import numpy as np
import pytest
from mixed_photos import figure, mixed_folder, photo

from mmkp.apis.media import Media
from mmkp.apis.working_images import write_working_images
from mmkp.datasets.image_decoding import read_image
from mmkp.datasets.transforms.cut_out_figure import CutOutFigure


def read_all(folder):
    return [read_image(path) for path in sorted(folder.iterdir())]


def test_damaged_and_unwanted_ones_are_left_out_large_ones_reduced(tmp_path):
    source = mixed_folder(tmp_path / 'photos')
    cv2.imwrite(str(source / 'large.png'), photo(77, (600, 300)))
    number = write_working_images(Media(source), tmp_path / 'copies', ['copy of 1.png'])
    images = read_all(tmp_path / 'copies')
    assert number == len(images) == 13  # 12, one of them turned, and the large one
    shapes = sorted(image.shape[:2] for image in images)
    assert shapes.count((128, 256)) == 1 and shapes.count((96, 72)) == 1


def test_boxes_of_an_image(tmp_path):
    image = np.zeros((40, 60, 3), np.uint8)
    image[5:15, 10:30] = 200
    (tmp_path / 'in').mkdir()
    cv2.imwrite(str(tmp_path / 'in/a.png'), image)
    boxes = {'a.png': np.array([[10, 5, 30, 15, 0.9], [50, 30, 90, 50, 0.5]])}
    write_working_images(Media(tmp_path / 'in'), tmp_path / 'out', (), boxes)
    first, second = read_all(tmp_path / 'out')
    assert first.shape == (10, 20, 3) and (first > 190).all()
    assert second.shape == (10, 10, 3)  # what lies in the image
    with pytest.raises(ValueError, match='has a box'):
        write_working_images(Media(tmp_path / 'in'), tmp_path / 'none', (), {})


def test_objects_are_cut_out(tmp_path):
    (tmp_path / 'in').mkdir()
    cv2.imwrite(str(tmp_path / 'in/a.png'), figure(3))
    write_working_images(
        Media(tmp_path / 'in'), tmp_path / 'out', cut_out=CutOutFigure()
    )
    [image] = read_all(tmp_path / 'out')
    assert max(image.shape[:2]) < 40  # the object's own box
    dark = image.max(2) < 100
    assert 0.2 < dark.mean() < 1 and (image[~dark] > 90).all()
    assert set(np.unique(image[0, 0])) <= {*range(35, 48), 255}


def test_frames_of_a_film_and_the_end_of_the_time(tmp_path, caplog):
    film = films.write(tmp_path / 'film.avi', number=12)
    assert write_working_images(Media(film), tmp_path / 'all') == 12
    assert write_working_images(Media(film), tmp_path / 'some', seconds=0.0) == 1
