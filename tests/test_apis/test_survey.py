"""What a folder or a film is like, told before a training."""

from pathlib import Path

import cv2
import films
import numpy as np
import pytest
from mixed_photos import figure, mixed_folder, photo

from mmkp.apis.media import Media
from mmkp.apis.survey import survey
from mmkp.datasets.image_decoding import CorruptImageError


def write_all(folder, draw, number=12):
    folder.mkdir()
    for index in range(number):
        cv2.imwrite(str(folder / f'{index:02d}.png'), draw(index))
    return folder


def test_mixed_photographs(tmp_path):
    found = survey(Media(mixed_folder(tmp_path / 'photos')))
    assert found.length == 14
    # The turned one stands upright: 72 wide, 96 high.
    assert dict(found.sizes) == {(96, 72): 8, (64, 64): 5, (72, 96): 1}
    assert found.num_turned == 1
    [copies] = found.duplicates
    assert {Path(name).name for name in copies} == {'IMG 1.png', 'copy of 1.png'}
    assert found.damaged == ['broken.jpg'] and not found.is_plain
    assert found.score_rotation == 5
    text = '\n'.join(found.sentences())
    assert '14 images of 3 sizes, most often 96 x 72 pixels' in text
    assert 'damaged and left out: broken.jpg' in text
    assert '1 are copies of others' in text and '1 are turned upright' in text


def test_objects_before_a_plain_background(tmp_path):
    def before_other_colors(index):
        return figure(index, ground=(130 + 8 * index, 220, 250 - 8 * index))

    found = survey(Media(write_all(tmp_path / 'figures', before_other_colors)))
    assert found.is_plain and found.separability > 0.9 and found.scene is None
    assert found.single == pytest.approx(1, abs=0.02)
    assert 'a plain background, so it is cut out' in found.object_sentences()[0]


def test_a_still_scene_is_what_the_median_explains(tmp_path):
    scene = photo(99)

    def before_a_scene(index):
        drawn = figure(index)
        return np.where(drawn.max(2, keepdims=True) < 100, drawn, scene)

    found = survey(Media(write_all(tmp_path / 'still', before_a_scene, 20)))
    assert found.is_plain and found.scene.shape == scene.shape
    off = np.abs(found.scene.astype(int) - scene).max(2)
    assert (off > 30).mean() < 0.05
    assert 'a still scene' in found.object_sentences()[0]
    assert survey(Media(tmp_path / 'still'), still=False).scene is None


def test_two_objects_are_told(tmp_path):
    def two(index):
        return np.hstack([figure(index), figure(index + 50)])

    found = survey(Media(write_all(tmp_path / 'two', two)))
    assert found.single < 0.7 and '--boxes' in found.object_sentences()[-1]
    assert len(found.object_sentences(has_boxes=True)) == 1


@pytest.mark.parametrize('turned', (False, True))
def test_objects_that_stand_are_told_from_those_that_do_not(tmp_path, turned):
    def leaning(index):
        image = np.full((90, 90, 3), 230, np.uint8)
        cv2.rectangle(image, (39, 12), (51, 60), (40, 60, 90), -1)
        cv2.circle(image, (45, 66), 12, (90, 40, 30), -1)
        angle = 37.0 * index if turned else 5.0 * (index % 3 - 1)
        turn = cv2.getRotationMatrix2D((44.5, 44.5), angle, 1)
        return cv2.warpAffine(image, turn, (90, 90), borderValue=(230, 230, 230))

    found = survey(Media(write_all(tmp_path / 'in', leaning, 20)))
    assert found.is_plain and found.is_standing != turned
    assert found.score_rotation == (20 if turned else 5)
    way = 'any way' if turned else 'the same way'
    assert found.object_sentences()[0].endswith(way)


def test_photographs_are_not_cut_out(tmp_path):
    assert not survey(Media(write_all(tmp_path / 'photos', photo))).is_plain


def test_a_film(tmp_path):
    found = survey(Media(films.write(tmp_path / 'film.avi', number=12, rate=10)))
    assert found.sentences()[0] == '12 frames at 10 a second of 96 x 64 pixels'


def test_nothing_that_can_be_read(tmp_path):
    (tmp_path / 'a.png').write_bytes(b'\x89PNG nothing')
    with pytest.raises(CorruptImageError, match=r'none of 1 images .* a\.png'):
        survey(Media(tmp_path))
