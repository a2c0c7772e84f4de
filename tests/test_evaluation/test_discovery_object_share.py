"""DiscoveredKeypointMetric tells how many keypoints lie on an object or near a body."""

import json

import cv2
import numpy as np
import pytest
from discovery_samples import NUM_FIT, evaluate, make_evaluator, make_samples


def rectangle_samples():
    """Samples whose object is the left half of the image, 100 of 200 columns."""
    samples = make_samples()
    for sample in samples:
        polygon = [0, 0, 100, 0, 100, 150, 0, 150]
        sample.set_metainfo(dict(raw_ann_info=dict(segmentation=[polygon])))
    return samples


def test_share_on_the_object_of_detector_and_control():
    samples = rectangle_samples()
    expected = {}
    for name in ('keypoints', 'untrained_keypoints'):
        points = np.stack([s.pred_instances[name][0] for s in samples[NUM_FIT:]])
        expected[name] = 100 * (np.rint(points[..., 0]) < 100).mean()
    assert 10 < expected['keypoints'] < 90
    figures = evaluate(samples, object_share=True)
    assert figures['mafl/on_object'] == pytest.approx(expected['keypoints'])
    assert figures['mafl/on_object_untrained'] == pytest.approx(
        expected['untrained_keypoints']
    )
    assert 'mafl/on_object' not in evaluate(samples)
    # Of crops around columns 50 to 100 more than half are left of column 100.
    assert 50 < figures['mafl/on_object_chance'] < 100
    mean = np.stack([s.pred_instances.keypoints[0] for s in samples[:NUM_FIT]])
    assert mean.shape == (NUM_FIT, 4, 2) and 'mafl/on_object_mean_pose' in figures


def test_share_on_the_object_by_files_of_masks(tmp_path):
    samples = rectangle_samples()
    expected = evaluate(samples, object_share=True)
    mask = np.zeros((150, 200), np.uint8)
    mask[:, :100] = 255
    for sample in samples[NUM_FIT:]:
        name = sample.metainfo['img_path'].split('/')[1]
        cv2.imwrite(str(tmp_path / name), mask)
        sample.set_metainfo(dict(raw_ann_info=None))
    figures = evaluate(samples, mask_folder=str(tmp_path))
    shares = {name: value for name, value in expected.items() if 'on_object' in name}
    assert len(shares) == 4 and shares == {name: figures[name] for name in shares}
    cv2.imwrite(str(tmp_path / name), mask[1:])
    with pytest.raises(ValueError, match=f'{name} has 200x149 pixels.*200x150'):
        evaluate(samples, mask_folder=str(tmp_path))
    (tmp_path / name).unlink()
    with pytest.raises(FileNotFoundError, match=f'{name} does not exist'):
        evaluate(samples, mask_folder=str(tmp_path))


def described(evaluator):
    """An evaluator that knows names and links of the annotated points."""
    for metric in evaluator.metrics:
        metric.dataset_meta = dict(
            annotated_names=['hand', 'elbow', 'head'], annotated_links=[(0, 1), (1, 2)]
        )
    return evaluator


def test_points_and_keypoints_stand_apart_in_table_and_file(tmp_path, messages):
    evaluator = described(
        make_evaluator(outfile_prefix=str(tmp_path / 'figures'), near_body=(0.03, 0.3))
    )
    samples = make_samples()
    evaluator.process(samples)
    figures = evaluator.evaluate(len(samples))
    content = json.loads((tmp_path / 'figures.mafl.json').read_text())
    points, keypoints = content['points'], content['keypoints']
    assert [row['name'] for row in points] == ['hand', 'elbow', 'head']
    for column in ('', '_mean_pose', '_untrained'):
        mean = np.mean([row[f'forward{column}'] for row in points])
        assert mean == pytest.approx(figures[f'mafl/forward{column}'])
        mean = np.mean([row[f'backward{column}'] for row in keypoints])
        assert mean == pytest.approx(figures[f'mafl/backward{column}'])
    # The first two are annotated, the last two known only by their sum.
    first, last = keypoints[:2], keypoints[2:]
    assert max(k['backward'] for k in first) < min(k['backward'] for k in last) / 5
    near = [np.mean([k[f'near_body_{d}'] for k in keypoints]) for d in (3, 30)]
    assert near == pytest.approx([figures[f'mafl/near_body_{d}'] for d in (3, 30)])
    assert near[0] < near[1] and first[0]['near_body_3'] > 90
    assert figures['mafl/near_body_3_chance'] < figures['mafl/near_body_3']
    worst = sorted(points, key=lambda row: -row['forward'])
    line = ', '.join(f'{row["name"]} {row["forward"]:.3g}' for row in worst)
    assert messages.find('INFO', f'forward of each point: {line}')


def test_shares_near_a_body_need_its_limbs():
    with pytest.raises(ValueError, match='near_body needs limbs'):
        evaluate(make_samples(), near_body=(0.03,))
    with pytest.raises(ValueError, match='needs the points as annotated'):
        make_evaluator(near_body=(0.03,), keypoint_groups=[0, 1, 2])


def test_share_on_the_object_needs_its_pixels():
    with pytest.raises(ValueError, match='has no segmentation.*object_share=False'):
        evaluate(make_samples(), object_share=True)
