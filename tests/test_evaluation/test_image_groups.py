# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Errors of each animal apart."""

import numpy as np
import pytest

from mmkp.evaluation.functional import KeypointSamples, evaluate_discovery, get_protocol
from mmkp.evaluation.functional.image_groups import (
    add_group_errors,
    group_errors,
    group_images,
)

PROTOCOL = get_protocol('generic', 'autolink', scale=1.0, normalizer='none')


def samples(offsets, names):
    """Keypoints that the points follow, but for an offset in pixels of each image."""
    generator = np.random.default_rng(len(names))
    discovered = generator.uniform(0.2, 0.8, (len(names), 3, 2))
    annotated = discovered[:, :2] + np.array(offsets)[:, None, None] / 100
    size = np.full((len(names), 2), 100.0)
    visible = np.ones(annotated.shape, bool)
    return KeypointSamples.from_arrays(
        discovered, annotated, visible, size, size, tuple(names)
    )


def test_images_are_parted_by_the_names_of_their_files():
    names = ('some/b_f10.jpg', 'a_f1.jpg', 'other/b_f2.jpg')
    found = group_images(names, r'(.+)_f\d+')
    assert list(found) == ['a', 'b']
    assert found['a'].tolist() == [1] and found['b'].tolist() == [0, 2]
    with pytest.raises(ValueError, match=r'is not found in c\.jpg'):
        group_images((*names, 'c.jpg'), r'(.+)_f\d+')
    with pytest.raises(ValueError, match='needs a group in round brackets'):
        group_images(names, r'\w')
    with pytest.raises(ValueError, match='is no pattern'):
        group_images(names, '(')


def test_each_animal_counts_once_however_many_images_show_it():
    fit = samples([0] * 40, [f'c_f{i}.jpg' for i in range(40)])
    score = samples([4, 4, 4, 1], ['a_f1.jpg', 'a_f2.jpg', 'a_f3.jpg', 'b_f1.jpg'])
    errors = group_errors(PROTOCOL, fit, score, None, r'(.+)_f\d+')
    diagonal = 2**0.5  # of an offset of one pixel in both axes
    assert errors['detector'] == pytest.approx({'a': 4 * diagonal, 'b': diagonal})
    report = evaluate_discovery(PROTOCOL, fit, score, shots=())
    add_group_errors(report, errors)
    figures = report.figures()
    assert figures['forward'] == pytest.approx(3.25 * diagonal)
    assert figures['forward_groups'] == pytest.approx(2.5 * diagonal)
    expected = np.mean(list(errors['mean_pose'].values()))
    assert figures['forward_groups_mean_pose'] == pytest.approx(expected)
    assert 'a 5.657, b 1.414' in report.table()


def test_the_untrained_detector_has_its_own_fit():
    fit = samples([0] * 40, [f'c_f{i}.jpg' for i in range(40)])
    score = samples([1, 2], ['a_f1.jpg', 'b_f1.jpg'])
    same = fit.discovered, score.discovered
    errors = group_errors(PROTOCOL, fit, score, same, r'(.+)_f\d+')
    assert errors['untrained'] == pytest.approx(errors['detector'])
