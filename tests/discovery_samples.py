"""Predicted samples of a discovery, and what DiscoveredKeypointMetric says of them."""

import numpy as np
from mmengine.evaluator import Evaluator
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

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
