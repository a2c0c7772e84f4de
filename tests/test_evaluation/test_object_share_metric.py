import cv2
import numpy as np
import pytest
from mmengine.registry import init_default_scope
from mmpose.registry import METRICS

from mmkp.evaluation.functional import relative_spread


@pytest.fixture()
def samples(tmp_path):
    """Ten images of 100x80 pixels, their masks, and crops of the left 60 columns."""
    generator = np.random.default_rng(0)
    made = []
    for index in range(10):
        mask = np.zeros((80, 100), np.uint8)
        mask[:, 10 * index : 10 * index + 20] = 255
        cv2.imwrite(str(tmp_path / f'{index}.png'), mask)
        object_, still = 10 * index + 5.0, 15.0
        keypoints = np.array([[object_, 40], [still, 20], [object_, 60], [90, -5.0]])
        made.append(
            dict(
                img_path=f'photos/{index}.jpg',
                ori_shape=(80, 100),
                input_center=[30, 40],
                input_scale=[60, 80],
                pred_instances=dict(
                    keypoints=keypoints[None],
                    untrained_keypoints=generator.uniform(0, 60, (1, 4, 2)),
                ),
            )
        )
    return made


def measure(samples, folder):
    init_default_scope('mmpose')
    metric = METRICS.build(dict(type='ObjectShareMetric', mask_folder=str(folder)))
    metric.process(None, samples[:4])
    metric.process(None, samples[4:])
    return metric.evaluate(len(samples))


def test_shares_and_their_controls(samples, tmp_path):
    figures = measure(samples, tmp_path)
    # Two follow the object, one is on it in the first two images, one never.
    assert figures['object/on_object'] == pytest.approx(100 * (1 + 0.2 + 1 + 0) / 4)
    assert figures['object/on_object_worst'] == 0
    # Their means lie at column 50: on the objects that begin at 40 and 50.
    mean = 100 * (0.2 + 0.2 + 0.2 + 0) / 4
    assert figures['object/on_object_mean_pose'] == pytest.approx(mean)
    # 20 of 60 columns up to the fifth image, 10 of the sixth.
    chance = 100 * (5 * 20 + 10) / 60 / 10
    assert figures['object/on_object_chance'] == pytest.approx(chance)
    assert 0 < figures['object/on_object_untrained'] < 60
    points = np.stack([s['pred_instances']['keypoints'][0] for s in samples])
    spread = 100 * relative_spread(points / [60, 80]).mean()
    assert figures['object/relative_spread'] == pytest.approx(spread)


def test_stand_ins_do_not_count_and_masks_must_be_there(samples, tmp_path):
    samples[9]['stands_in'] = True
    (tmp_path / '9.png').unlink()
    assert measure(samples, tmp_path)['object/on_object'] == pytest.approx(
        100 * (1 + 2 / 9 + 1) / 4
    )
    del samples[9]['stands_in']
    with pytest.raises(FileNotFoundError, match='9.jpg has no mask.*9.png'):
        measure(samples, tmp_path)
