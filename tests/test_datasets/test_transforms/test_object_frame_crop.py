import cv2
import numpy as np
import pytest
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope

from mmkp.datasets import ObjectFrameCrop
from mmkp.ops.turned_crop import TurnedCrop, turn

NOSE, TAIL, SIDE = np.array([[0.0, -16.0], [0.0, 34.0], [9.0, -6.0]])


def animal(degrees, center=(150.0, 110.0), size=(240, 300)):
    """A bright animal, heavy in front, with a thin tail, and its three points."""
    image = np.full((*size, 3), 40, np.uint8)
    middle = np.array(center)

    def place(point):
        return turn(point + middle, middle, degrees)

    def ellipse(point, axes, color):
        at = tuple(np.round(place(point) * 16).astype(int).tolist())
        axes = tuple(16 * length for length in axes)
        cv2.ellipse(image, at, axes, degrees, 0, 360, color, -1, cv2.LINE_AA, 4)

    ellipse(np.array([0.0, 0.0]), (10, 16), (250, 200, 180))
    ellipse(np.array([0.0, 20.0]), (3, 14), (150, 150, 150))
    points = place(np.stack([NOSE, TAIL, SIDE]))
    return image, points


def sample(image, points, box=(150.0, 110.0, 110.0, 110.0)):
    return dict(
        img=image,
        bbox_center=np.array([box[:2]], np.float32) + 0.5,
        bbox_scale=np.array([box[2:]], np.float32),
        keypoints=points[None].astype(np.float32),
    )


@pytest.mark.parametrize('degrees', [0, 35, 90, 160, -120])
def test_the_same_animal_lies_in_the_same_place_whichever_way_it_looks(degrees):
    cut = ObjectFrameCrop((64, 64), zoom=1.25)
    upright = cut(sample(*animal(0)))
    turned = cut(sample(*animal(degrees)))
    assert turned['img'].shape == (64, 64, 3)
    np.testing.assert_allclose(
        turned['transformed_keypoints'], upright['transformed_keypoints'], atol=0.7
    )
    # The nose is above the tail, and the right side on the right.
    nose, tail, side = turned['transformed_keypoints'][0]
    assert abs(nose[0] - tail[0]) < 1.5 and tail[1] - nose[1] > 20 and side[0] > nose[0]
    off = np.abs(turned['img'].astype(int) - upright['img'].astype(int))
    assert off.mean() < 4
    difference = turned['input_rotation'] - upright['input_rotation'] - degrees
    assert abs((difference + 180) % 360 - 180) < 2


def test_places_in_the_crop_are_those_in_the_image():
    image, points = animal(50)
    result = ObjectFrameCrop((64, 64))(sample(image, points))
    crop = TurnedCrop.of_sample(result)
    fractions = result['transformed_keypoints'][0] / 64
    np.testing.assert_allclose(crop.to_image(fractions), points, atol=1e-3)
    # Where a white spot is painted it is found again.
    spotted = np.zeros_like(image)
    cv2.circle(spotted, (160, 100), 3, (255, 255, 255), -1)
    again = ObjectFrameCrop((64, 64))
    again._frame = lambda *_: (crop.center - crop.scale / 128, result['input_rotation'])
    seen = again(sample(spotted, points))['img'].astype(float).sum(-1)
    rows, columns = np.mgrid[:64, :64]
    middle = np.array([(seen * columns).sum(), (seen * rows).sum()]) / seen.sum()
    np.testing.assert_allclose(crop.to_image(middle / 64), [160, 100], atol=0.1)


def test_a_mirrored_animal_gives_a_mirrored_crop():
    image, points = animal(25)
    cut = ObjectFrameCrop((64, 64))
    crop = cut(sample(image, points))['img']
    width = image.shape[1]
    box = (width - 1 - 150.0, 110.0, 110.0, 110.0)
    mirrored = cut(sample(image[:, ::-1].copy(), points, box))['img']
    off = np.abs(mirrored[:, ::-1].astype(int) - crop.astype(int))
    assert off.mean() < 0.5


def test_pipeline_keeps_what_turns_predictions_back():
    init_default_scope('mmpose')
    keys = ('input_center', 'input_scale', 'input_size', 'input_rotation')
    pipeline = Compose(
        [
            dict(type='ObjectFrameCrop', input_size=(64, 64)),
            dict(type='PackPoseInputs', meta_keys=keys),
        ]
    )
    image, points = animal(70)
    packed = pipeline(sample(image, points))
    assert packed['inputs'].shape == (3, 64, 64)
    assert abs(packed['data_samples'].input_rotation - 70) < 3


def test_frames_of_a_film_are_cut_alike():
    image, points = animal(70)
    result = ObjectFrameCrop((32, 32))(sample(image, points))
    both = sample([image, image[::-1].copy()], points)
    frames = ObjectFrameCrop((32, 32))(both)['img']
    assert len(frames) == 2 and np.array_equal(frames[0], result['img'])


def test_wrong_use():
    with pytest.raises(ValueError, match='must be a square'):
        ObjectFrameCrop((64, 32))
    image, points = animal(0)
    empty = sample(image, points, (150.0, 110.0, 0.0, 10.0))
    with pytest.raises(ValueError, match='takes one box that is not empty'):
        ObjectFrameCrop((64, 64))(empty)
