import json
import logging

import cv2
import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

from mmkp.evaluation import DiscoveredKeypointMetric
from mmkp.evaluation.functional import (
    KeypointSamples,
    evaluate_discovery,
    get_protocol,
)

NUM_FIT, NUM_SCORE = 50, 12


def make_arrays(seed=0):
    """Keypoints in fractions of the crop: discovered, untrained, annotated."""
    generator = np.random.default_rng(seed)
    discovered = generator.uniform(0.1, 0.9, (NUM_FIT + NUM_SCORE, 4, 2))
    untrained = generator.uniform(0.1, 0.9, discovered.shape)
    annotated = np.concatenate(
        [discovered[:, :2], discovered.mean(axis=1, keepdims=True)], axis=1
    )
    return discovered, untrained, annotated + generator.normal(0, 0.01, annotated.shape)


def make_samples(arrays=None, with_untrained=True):
    """The same as predicted data samples, each image with a crop of its own."""
    discovered, untrained, annotated = make_arrays() if arrays is None else arrays
    generator = np.random.default_rng(9)
    samples = []
    for index in range(len(discovered)):
        center = generator.uniform(50, 100, 2)
        scale = generator.uniform(80, 120, 1).repeat(2)

        def in_image(points, center=center, scale=scale):
            return (points * scale + center - scale / 2)[None]

        part = 'fit' if index < NUM_FIT else 'score'
        sample = PoseDataSample(
            metainfo=dict(
                dataset_name=f'made_{part}',
                id=index,
                img_id=index,
                img_path=f'{part}/{index}.png',
                input_center=center,
                input_scale=scale,
                input_size=(64, 64),
                ori_shape=(150, 200),
            )
        )
        predictions = InstanceData(keypoints=in_image(discovered[index]))
        if with_untrained:
            predictions.untrained_keypoints = in_image(untrained[index])
        sample.pred_instances = predictions
        sample.gt_instances = InstanceData(
            keypoints=in_image(annotated[index]), keypoints_visible=np.ones((1, 3))
        )
        samples.append(sample)
    return samples


def make_evaluator(**options):
    init_default_scope('mmpose')
    defaults = dict(
        protocol='mafl',
        protocol_options=dict(num_annotated=3),
        shots=(1, 5),
        num_draws=3,
    )
    evaluator = Evaluator(dict(type='DiscoveredKeypointMetric', **(defaults | options)))
    evaluator.dataset_meta = dict()
    return evaluator


def evaluate(samples, **options):
    evaluator = make_evaluator(**options)
    for start in range(0, len(samples), 8):
        evaluator.process(samples[start : start + 8])
    return evaluator.evaluate(len(samples))


class Messages(logging.Handler):
    def __init__(self):
        super().__init__()
        self.texts = []

    def emit(self, record):
        self.texts.append((record.levelname, record.getMessage()))

    def find(self, level, text):
        return any(level == found and text in message for found, message in self.texts)


@pytest.fixture()
def messages(request):
    # The newest logger is the current one; others may be set to log less.
    name = f'{request.node.nodeid}-{id(request)}'
    logger, handler = MMLogger.get_instance(name, log_level='INFO'), Messages()
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


def test_evaluator_gives_the_figures_of_the_protocol(messages):
    figures = evaluate(make_samples())
    discovered, untrained, annotated = make_arrays()
    # Lengths in each crop are proportional to fractions: the same figures.
    parts = (slice(None, NUM_FIT), slice(NUM_FIT, None))
    fit, score = (
        KeypointSamples.from_arrays(discovered[part], annotated[part]) for part in parts
    )
    expected = evaluate_discovery(
        get_protocol('mafl', num_annotated=3),
        fit,
        score,
        tuple(untrained[part] for part in parts),
        shots=(),
    ).figures()
    for name, value in expected.items():
        assert figures[f'mafl/{name}'] == pytest.approx(value), name
    assert all(isinstance(value, float) for value in figures.values())
    for column in ('', '_mean_pose', '_untrained'):
        assert f'mafl/forward_5_shot_median{column}' in figures
        assert f'mafl/backward{column}' in figures
    assert figures['mafl/forward'] < 0.5 * figures['mafl/forward_mean_pose']
    assert figures['mafl/forward'] < 0.5 * figures['mafl/forward_untrained']
    assert messages.find('INFO', 'mean pose') and messages.find('INFO', 'untrained')


def test_without_untrained_keypoints_the_column_is_left_out():
    samples = make_samples(with_untrained=False)
    figures = evaluate(samples)
    assert 'mafl/forward_mean_pose' in figures
    assert not any('untrained' in name for name in figures)


def test_order_and_repeated_images_do_not_matter():
    samples = make_samples()
    expected = evaluate(samples)
    order = np.random.default_rng(0).permutation(len(samples))
    shuffled = [samples[i] for i in order] + [samples[3], samples[55]]
    assert evaluate(shuffled) == expected


def test_tensors_are_read_like_arrays():
    samples = make_samples()
    expected = evaluate(samples)
    for sample in samples:
        for instances in (sample.pred_instances, sample.gt_instances):
            instances.keypoints = torch.from_numpy(np.asarray(instances.keypoints))
    assert evaluate(samples) == pytest.approx(expected)


def test_groups_average_annotated_points():
    arrays = make_arrays()
    expected = evaluate(make_samples(arrays))
    offset = np.array([0.02, -0.01])
    spread_out = np.concatenate(
        [arrays[2][:, [2]], arrays[2][:, [0]] - offset, arrays[2][:, [0]] + offset]
        + [arrays[2][:, [1]]],
        axis=1,
    )
    samples = make_samples((arrays[0], arrays[1], spread_out))
    for sample in samples:
        sample.gt_instances.keypoints_visible = np.ones((1, 4))
    figures = evaluate(samples, keypoint_groups=[[1, 2], 3, 0])
    assert figures == pytest.approx(expected)
    with pytest.raises(ValueError, match=r'point \[4\] but fit/0.png has 4 points'):
        evaluate(samples, keypoint_groups=[[1, 2], 3, 4])


def test_visibility_pairs_use_their_first_entry():
    samples = make_samples()
    plain = make_samples()
    for sample, other in zip(samples, plain, strict=True):
        flags = np.ones((1, 3, 2))
        if sample.id % 4 == 0:
            flags[0, 2, 0] = 0
        sample.gt_instances.keypoints_visible = flags
        other.gt_instances.keypoints_visible = flags[..., 0]
    assert evaluate(samples) == evaluate(plain)


def test_nan_annotations_are_invisible_with_a_warning(messages):
    samples, hidden = make_samples(), make_samples()
    for index in (4, 57):
        samples[index].gt_instances.keypoints[0, 2, 1] = np.nan
        hidden[index].gt_instances.keypoints_visible[0, 2] = 0
    assert evaluate(samples) == pytest.approx(evaluate(hidden))
    assert messages.find('WARNING', '2 annotated keypoints in 2 images')
    assert messages.find('WARNING', 'fit/4.png')


def test_coinciding_eyes_are_skipped_with_a_warning(messages):
    samples = make_samples()
    points = samples[-1].gt_instances.keypoints
    points[0, 0] = points[0, 1]
    figures = evaluate(samples)
    assert np.isfinite(figures['mafl/forward'])
    assert messages.find('WARNING', 'score/61.png')


def test_results_file(tmp_path):
    prefix = tmp_path / 'deep' / 'result'
    figures = evaluate(make_samples(), outfile_prefix=str(prefix))
    content = json.loads((tmp_path / 'deep' / 'result.mafl.json').read_text())
    assert content['figures']['forward'] == figures['mafl/forward']
    assert content['counts'] == dict(
        fit=NUM_FIT, score=NUM_SCORE, discovered=4, annotated=3
    )
    assert len(content['few_shot_per_draw']['5']['detector']) == 3


def test_two_variants_need_two_prefixes():
    init_default_scope('mmpose')
    metric = dict(
        type='DiscoveredKeypointMetric',
        protocol='mafl',
        protocol_options=dict(num_annotated=3),
        shots=(),
    )
    evaluator = Evaluator([metric, dict(metric, variant='scops', prefix='mafl_scops')])
    evaluator.dataset_meta = dict()
    samples = make_samples()
    evaluator.process(samples)
    figures = evaluator.evaluate(len(samples))
    assert figures['mafl/forward'] != figures['mafl_scops/forward']


def broken(index, change):
    samples = make_samples()
    change(samples[index])
    return samples


def set_meta(**values):
    return lambda sample: sample.set_metainfo(values)


def nan_prediction(sample):
    sample.pred_instances.keypoints[0, 2] = np.nan


def other_number(sample):
    sample.pred_instances = InstanceData(keypoints=np.zeros((1, 5, 2)))


def two_people(sample):
    sample.pred_instances = InstanceData(keypoints=np.zeros((2, 4, 2)))


def without_annotations(sample):
    del sample.gt_instances


@pytest.mark.parametrize(
    ('samples', 'message'),
    [
        (broken(2, nan_prediction), r'fit/2.png: predicted keypoint 2 is not finite'),
        (broken(8, other_number), r'fit/0.png has 4 discovered .* fit/8.png has 5'),
        (broken(8, two_people), r'fit/8.png: .*shape \(2, 4, 2\).* one instance'),
        (
            broken(5, set_meta(dataset_name='coco')),
            'ends neither in _fit nor in _score.*DiscoveryEvaluationDataset',
        ),
        (
            broken(5, lambda s: s.pop('input_scale')),
            'fit/5.png: input_scale is missing.*GetBBoxCenterScale',
        ),
        (
            broken(5, without_annotations),
            r'fit/5.png: gt_instances.keypoints is missing.*annotated',
        ),
        (
            broken(5, set_meta(img_path=None, img_id=None, id=None)),
            'neither img_path nor img_id nor id',
        ),
        (make_samples()[:NUM_FIT], 'no image to score: .*ends in _score'),
        (make_samples()[NUM_FIT:], 'no image to fit .*DiscoveryEvaluationDataset'),
    ],
)
def test_unusable_samples_are_refused_with_a_remedy(samples, message):
    with pytest.raises(ValueError, match=message):
        evaluate(samples)


def test_wrong_number_of_annotated_points():
    with pytest.raises(ValueError, match="'mafl' is defined on 5 .*keypoint_groups"):
        evaluate(make_samples(), protocol_options=None)


def test_options_of_a_config_are_checked_when_it_is_built():
    with pytest.raises(ValueError, match='unknown: use one of'):
        DiscoveredKeypointMetric('maffl')
    with pytest.raises(ValueError, match='num_draws=0'):
        DiscoveredKeypointMetric('mafl', num_draws=0)
    metric = DiscoveredKeypointMetric(protocol_options=dict(normalizer=[36, 45]))
    assert metric.protocol.normalizer == (36, 45)


def certain(samples, entropy, score):
    """The samples with one entropy and one score for all keypoints."""
    for sample in samples:
        count = sample.pred_instances.keypoints.shape[1]
        sample.pred_instances.keypoint_entropies = np.full((1, count), entropy)
        sample.pred_instances.keypoint_scores = np.full((1, count), score)
    return samples


def test_healthy_keypoints_raise_no_warning_of_collapse(messages):
    figures = evaluate(certain(make_samples(), entropy=0.4, score=0.9))
    assert figures['mafl/entropy'] == pytest.approx(0.4)
    assert figures['mafl/score'] == pytest.approx(0.9)
    # A uniform distribution between .1 and .9 along both axes.
    assert figures['mafl/spread'] == pytest.approx(0.8 / 6**0.5, rel=0.15)
    assert not any(level == 'WARNING' for level, _ in messages.texts)
    assert messages.find('INFO', 'entropy of the maps / uniform')


@pytest.mark.parametrize(
    ('squeeze', 'told', 'remedy'),
    [
        # All keypoints of an image in one place, which moves between images.
        (lambda d: 0 * d + d[:, :1], 'lie on one another (0.0000', 'DiversityLoss'),
        # Each keypoint at its place, whatever the image.
        (lambda d: d[:1] + 1e-3 * d, 'hardly move', 'weight of EquivarianceLoss'),
        (lambda d: 0.04 * d, '100% of the keypoints stick to the border', 'Separation'),
    ],
)
def test_each_collapse_is_a_warning_beside_the_figures(messages, squeeze, told, remedy):
    discovered, untrained, annotated = make_arrays()
    arrays = squeeze(discovered), untrained, annotated
    evaluate(certain(make_samples(arrays), entropy=0.4, score=0.9))
    assert messages.find('WARNING', told)
    assert messages.find('WARNING', remedy)
    # The table that is kept with the figures says so, too.
    assert messages.find('INFO', 'note: ')


def test_diffuse_maps_are_a_warning_beside_the_figures(messages, tmp_path):
    figures = evaluate(
        certain(make_samples(), entropy=0.97, score=0.9),
        outfile_prefix=str(tmp_path / 'figures'),
    )
    assert figures['mafl/entropy'] == pytest.approx(0.97)
    assert messages.find('WARNING', 'diffuse (entropy 0.97')
    assert messages.find('WARNING', 'raise the weight of ConcentrationLoss')
    written = json.loads((tmp_path / 'figures.mafl.json').read_text())
    assert any('diffuse' in remark for remark in written['remarks'])


def test_limits_of_collapse_can_be_changed(messages):
    samples = certain(make_samples(), entropy=0.97, score=0.9)
    evaluate(samples, collapse_limits=dict(entropy_limit=0.99))
    assert not messages.find('WARNING', 'diffuse')
    with pytest.raises(TypeError, match='spraed_limit'):
        make_evaluator(collapse_limits=dict(spraed_limit=0.1))


def test_only_scored_images_count_as_collapsed(messages):
    discovered, untrained, annotated = make_arrays()
    discovered[:NUM_FIT] = discovered[:1]
    evaluate(certain(make_samples((discovered, untrained, annotated)), 0.4, 0.9))
    assert not messages.find('WARNING', 'hardly move')


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


def test_errors_of_groups_of_points_stand_apart():
    groups = dict(first=[0], rest=[1, 2])
    figures = evaluate(make_samples(), error_groups=groups)
    for column in ('', '_mean_pose', '_untrained'):
        first, rest = (figures[f'mafl/forward_{g}{column}'] for g in groups)
        assert (first + 2 * rest) / 3 == pytest.approx(figures[f'mafl/forward{column}'])
    assert figures['mafl/forward_first'] != figures['mafl/forward_rest']
