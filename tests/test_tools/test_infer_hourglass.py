"""Supervised top-down models in tools/infer.py: skeletons, heatmaps, stacks."""

import json

import cv2
import numpy as np
import pytest
import tiny
import tiny_hourglass
import tiny_people


@pytest.fixture(scope='module')
def images():
    return tiny_hourglass.trained()[0].parent / 'images'


def infer(source, out, *options, made=tiny_hourglass.trained):
    config, checkpoint = made()
    tiny.call_tool(
        'infer.py', config, checkpoint, source, '--out', out, '--device', 'cpu',
        *options,
    )  # fmt: skip
    return json.loads((out / 'keypoints.json').read_text())


def test_folder_with_heatmaps_and_stacks(images, tmp_path, capsys):
    content = infer(images, tmp_path, '--show-heatmaps', '--show-stacks')
    told = capsys.readouterr().out
    for folder in ('pictures', 'heatmaps', 'stacks'):
        names = sorted(path.name for path in (tmp_path / folder).iterdir())
        assert names == ['0.png', '1.png']
        assert str(tmp_path / folder) in told
    assert content['num_keypoints'] == 17 and content['edges'] == []
    truth = tiny_hourglass.puppets()[1]
    for record, expected in zip(content['images'], truth, strict=True):
        [instance] = record['instances']
        assert instance['bbox'] == [0, 0, 64, 64]
        error = np.linalg.norm(instance['keypoints'] - expected, axis=1)
        assert np.median(error) < 10  # of 64 pixels
    # Two columns, each of a photograph above its heatmaps.
    drawn = cv2.imread(str(tmp_path / 'stacks' / '0.png'))
    assert drawn.shape[1] == 2 * 256 + 3 * 6
    assert drawn.shape[0] > 2 * 256


def test_scores_decide_what_is_drawn_and_0_2_is_the_default(images, tmp_path):
    drawn = {}
    for score in (None, 0, 0.2, 2):
        options = [] if score is None else ['--min-score', score]
        infer(images / '0.png', tmp_path / str(score), *options)
        drawn[score] = cv2.imread(str(tmp_path / str(score) / 'pictures' / '0.png'))
    original = cv2.imread(str(images / '0.png'))
    original = cv2.resize(original, (384, 384), None, 0, 0, cv2.INTER_CUBIC)
    assert np.array_equal(drawn[2], original)
    assert np.array_equal(drawn[None], drawn[0.2])
    assert (drawn[0.2] != original).any()


def test_two_boxes_in_a_larger_image(images, tmp_path):
    """Both figures are drawn, each where its box is; heatmaps too."""
    large = np.zeros((150, 240, 3), np.uint8)
    corners = {'0.png': (20, 30), '1.png': (150, 60)}
    for name, (x, y) in corners.items():
        large[y : y + 64, x : x + 64] = cv2.imread(str(images / name))
    cv2.imwrite(str(tmp_path / 'both.png'), large)
    boxes = {'both.png': [[x, y, 64, 64] for x, y in corners.values()]}
    (tmp_path / 'boxes.json').write_text(json.dumps(boxes))
    out = tmp_path / 'out'
    content = infer(
        tmp_path / 'both.png', out, '--boxes', tmp_path / 'boxes.json',
        '--show-heatmaps', 'all', '--show-stacks',
    )  # fmt: skip
    alone = infer(images, tmp_path / 'alone')
    [record] = content['images']
    for instance, single, corner in zip(
        record['instances'], alone['images'], corners.values(), strict=True
    ):
        expected = np.add(single['instances'][0]['keypoints'], corner)
        np.testing.assert_allclose(instance['keypoints'], expected, atol=0.5)
    picture = cv2.imread(str(out / 'pictures' / 'both.png'))
    assert picture.shape == (240, 384, 3)
    assert (picture[48, 40:120] == 255).all()  # upper side of the first box
    # The part of the image with both boxes, not all of it.
    stacks = cv2.imread(str(out / 'stacks' / 'both.png'))
    part = round(256 * (124 - 30) / (214 - 20))
    assert abs(stacks.shape[0] - 2 * part - 75) < 10


def test_video(images, tmp_path):
    film = tmp_path / 'film.avi'
    writer = cv2.VideoWriter(str(film), cv2.VideoWriter_fourcc(*'MJPG'), 12, (64, 64))
    for _ in range(3):
        writer.write(cv2.imread(str(images / '0.png')))
    writer.release()
    content = infer(film, tmp_path / 'out', '--show-stacks', '--batch-size', 2)
    assert [r['image'] for r in content['images']][-1] == 'film_000002'
    for folder in ('pictures', 'stacks'):
        (path,) = (tmp_path / 'out' / folder).glob('film.*')
        drawn = cv2.VideoCapture(str(path))
        assert drawn.get(cv2.CAP_PROP_FRAME_COUNT) == 3


@pytest.mark.parametrize(
    'made, option, message',
    [
        (
            tiny_hourglass.trained,
            '--show-fields',
            'fields are shown of bottom-up models, TopdownPoseEstimator is none',
        ),
        (
            tiny_hourglass.trained,
            '--show-edges',
            'TopdownPoseEstimator learns no edges to show',
        ),
        (
            tiny_people.made,
            '--show-stacks',
            'stacks are shown of supervised top-down models, not BottomupPoseEstimator',
        ),
    ],
)
def test_what_a_model_cannot_show(images, tmp_path, capsys, made, option, message):
    with pytest.raises(SystemExit):
        infer(images, tmp_path, option, made=made)
    assert message in capsys.readouterr().err
