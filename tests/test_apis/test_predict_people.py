"""People of whole images: our call, MMPose's calls, inferencers and pictures."""

import cv2
import numpy as np
import pytest
import tiny
import tiny_people
from mmpose.apis import MMPoseInferencer, inference_bottomup, init_model

from mmkp.apis import (
    draw_people,
    load_model,
    predict_people,
    predict_topdown,
    skeleton_style,
)


@pytest.fixture(scope='module')
def model():
    config, checkpoint = tiny_people.made()
    return load_model(config, checkpoint, device='cpu')


@pytest.fixture(scope='module')
def images():
    return sorted((tiny_people.made()[0].parent / 'images').glob('*.png'))


def assert_same_people(found, expected, atol):
    """Compare keypoints (N, K, 2) of people in any order."""
    assert np.shape(found) == np.shape(expected)
    order = [np.argsort([p[0, 0] for p in people]) for people in (found, expected)]
    np.testing.assert_allclose(found[order[0]], expected[order[1]], atol=atol)


def test_people_of_images_of_any_size(model, images):
    results = predict_people(model, images, batch_size=2)
    for index, result in enumerate(results):
        _, height, number = tiny_people.IMAGES[index]
        assert result['keypoints'].shape == (number, 17, 2)
        assert_same_people(
            result['keypoints'], tiny_people.people_of(index), 1.5 * height / 96
        )
        assert (result['keypoint_scores'] > 0.5).all()
        low, high = result['keypoints'].min(1), result['keypoints'].max(1)
        np.testing.assert_allclose(result['bboxes'], np.c_[low, high], atol=1e-3)
        assert (np.diff(result['bbox_scores']) <= 0).all()
        assert {v.dtype for v in result.values()} == {np.dtype('float32')}
    again = predict_people(model, [cv2.imread(str(p)) for p in images], batch_size=1)
    for one, other in zip(results, again, strict=True):
        np.testing.assert_allclose(one['keypoints'], other['keypoints'], atol=1e-4)


def test_nobody(model, images):
    [result] = predict_people(model, [images[2]], with_maps=True)
    shapes = {name: value.shape for name, value in result.items()}
    assert shapes == dict(
        keypoints=(0, 17, 2), keypoint_scores=(0, 17), bboxes=(0, 4), bbox_scores=(0,),
        heatmaps=(18, 12, 12), part_affinity_fields=(38, 12, 12), image_to_map=(2, 3),
    )  # fmt: skip


def test_maps_lie_where_the_people_are(model, images):
    before = model.test_cfg
    results = predict_people(model, images, with_maps=True)
    assert model.test_cfg is before and 'output_heatmaps' not in before
    names = list(model.head.decoder.skeleton.keypoints)
    for index in (0, 1):
        result = results[index]
        to_map = result['image_to_map']
        nose = tiny_people.people_of(index)[0, 0]
        cell = to_map[:, :2] @ nose + to_map[:, 2]
        # The image's own pixels: a cell has 8 pixels of the input, of height 96.
        pixels = 8 * tiny_people.IMAGES[index][1] / 96
        np.testing.assert_allclose(cell, (nose + 0.5) / pixels - 0.5, atol=1e-6)
        heatmap = result['heatmaps'][names.index('nose')]
        place = np.unravel_index(heatmap.argmax(), heatmap.shape)[::-1]
        if index == 1:
            np.testing.assert_allclose(place, cell, atol=0.51)


def test_wrong_arguments(model, images):
    with pytest.raises(ValueError, match='write predict_people'):
        predict_people(model, images[0])
    discovery = load_model(*tiny.trained(), device='cpu')
    with pytest.raises(ValueError, match='needs a bottom-up model .* AutoLink is not'):
        predict_people(discovery, images)


@pytest.mark.parametrize('tta', ['flip', 'sizes', 'both'])
def test_test_time_augmentation(images, tta, tmp_path):
    extra = ''
    if tta in ('flip', 'both'):
        extra += "model['test_cfg']['flip_test'] = True\n"
    if tta in ('sizes', 'both'):
        extra += (
            "model['test_cfg']['multiscale_test'] = True\n"
            "dataset['pipeline'][1]['aug_scales'] = [0.5, 2]\n"
        )
    config = tiny_people.write_config(tmp_path, extra=extra)
    model = load_model(config, tiny_people.made()[1], device='cpu')
    [result] = predict_people(model, images[1:2])
    assert_same_people(result['keypoints'], tiny_people.people_of(1), 4)
    assert [len(r['keypoints']) for r in predict_people(model, images)][2] == 0


def test_mmposes_own_calls_find_the_same(images):
    config, checkpoint = tiny_people.made()
    model = init_model(str(config), str(checkpoint), device='cpu')
    ours = predict_people(model, images)
    for path, expected in zip(images, ours, strict=True):
        for image in (str(path), cv2.imread(str(path))):
            [result] = inference_bottomup(model, image)
            found = result.pred_instances
            assert_same_people(found.keypoints, expected['keypoints'], 1e-3)


@pytest.fixture(scope='module')
def inferencer():
    config, checkpoint = tiny_people.made()
    return MMPoseInferencer(
        pose2d=str(config), pose2d_weights=str(checkpoint), device='cpu'
    )


def test_inferencer(inferencer, images, tmp_path):
    for index, path in enumerate(images):
        result = next(inferencer(str(path), out_dir=str(tmp_path), draw_bbox=True))
        [people] = result['predictions']
        assert len(people) == tiny_people.IMAGES[index][2]
        assert (tmp_path / 'predictions' / f'{path.stem}.json').is_file()
        drawn = cv2.imread(str(tmp_path / 'visualizations' / path.name))
        changed = (drawn != cv2.imread(str(path))).any()
        assert changed == (len(people) > 0)


def test_inferencer_draws_heatmaps(inferencer, images):
    result = next(
        inferencer(str(images[1]), draw_heatmap=True, return_vis=True, kpt_thr=2)
    )
    [picture] = result['visualization']
    width, height, _ = tiny_people.IMAGES[1]
    assert picture.shape == (2 * height, width, 3)
    # Hot colours, from blue to red, where the nose is, cold ones beside the head.
    x, y = tiny_people.people_of(1)[0, 0].round().astype(int)
    heat = picture[height:, :, 0].astype(int) - picture[height:, :, 2]
    assert heat[y, x] > heat[y, 40] + 50
    plain = next(inferencer(str(images[1]), return_vis=True))['visualization'][0]
    assert plain.shape == (height, width, 3)


def test_people_are_drawn_in_the_colours_of_the_data_set(model, images):
    style = skeleton_style(model)
    assert style.colors.shape == (17, 3) and len(style.links) == 19
    image = cv2.imread(str(images[1]))
    [people] = predict_people(model, [image])
    drawn = draw_people(image, people, style)
    assert drawn.shape == (384, 288, 3)  # small images are enlarged
    x, y = ((people['keypoints'][0, 5] + 0.5) * 2 - 0.5).round().astype(int)
    assert drawn[y, x].tolist() == style.colors[5][::-1].tolist()
    expected = cv2.resize(image, (288, 384), interpolation=cv2.INTER_CUBIC)
    hidden = dict(people, keypoint_scores=people['keypoint_scores'] * 0)
    for nothing in (
        draw_people(image, hidden, style),
        draw_people(image, people, style, min_score=2),
    ):
        assert np.array_equal(nothing, expected)


def test_all_own_keypoints_are_drawn_along_the_limbs(tmp_path, images):
    config = tiny_people.write_config(
        tmp_path, extra="codec['output_keypoints'] = 'all'\n"
    )
    model = load_model(config, tiny_people.made()[1], device='cpu')
    style = skeleton_style(model)
    skeleton = model.head.decoder.skeleton
    assert style.colors.shape == (18, 3)
    assert len(style.links) == skeleton.num_limbs - len(skeleton.redundant_limbs)
    [people] = predict_people(model, images[1:2])
    assert people['keypoints'].shape == (1, 18, 2)
    draw_people(cv2.imread(str(images[1])), people, style)


def test_one_image_is_not_a_list_for_discover_either(images):
    with pytest.raises(ValueError, match='write predict_topdown'):
        predict_topdown(load_model(*tiny.trained(), device='cpu'), images[0])
