# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Learned tokens and the keypoints at the peaks of their maps."""

import copy
import warnings

import numpy as np
import pytest
import torch
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

from mmkp.models.heads.token_head import TokenHead


def head(**options):
    config = dict(num_tokens=20, num_keypoints=3, token_width=6, map_size=(8, 4))
    return MODELS.build(dict(type='TokenHead', **{**config, **options}))


def samples(number, size=(64, 32)):
    return [PoseDataSample(metainfo=dict(input_size=size)) for _ in range(number)]


def peaked_maps():
    """Two images of 8 x 4 cells of 8 pixels, and where the peaks are in pixels."""
    maps = torch.full((2, 3, 4, 8), 0.01)
    cells = [[(0, 0), (7, 3), (3, 1)], [(2, 2), (5, 0), (6, 1)]]
    for image, keypoints in enumerate(cells):
        for keypoint, (x, y) in enumerate(keypoints):
            maps[image, keypoint, y, x] = 0.1 * (1 + image + keypoint)
    return maps, np.array(cells) * 8 + 3.5


class TestTokens:
    def test_shapes(self):
        built = head(num_tokens=500, token_width=32)
        assert [name for name, _ in built.named_parameters()] == ['tokens']
        assert built.tokens.shape == (500, 32)
        assert abs(built.tokens.std().item() - 1) < 0.05
        assert built.token_indices.tolist() == [-1] * 3
        assert built.token_indices.dtype == torch.int64
        assert set(built.state_dict()) == {
            'tokens',
            'token_indices',
            'untrained_token_indices',
        }

    def test_width_comes_from_what_they_attend_to(self):
        built = head(token_width=None)
        assert not list(built.parameters())
        built.set_token_width(11)
        assert built.tokens.shape == (20, 11) and built.tokens.requires_grad
        tokens = built.tokens
        built.set_token_width(11)
        assert built.tokens is tokens

    def test_width_that_is_contradicted(self):
        with pytest.raises(ValueError, match=r'token_width=6 in the head.*11 channels'):
            head().set_token_width(11)

    def test_init_weights_draws_them_anew(self):
        built = head(init_std=0.02, num_tokens=500)
        before = built.tokens.detach().clone()
        built.init_weights()
        assert not torch.equal(built.tokens, before)
        assert abs(built.tokens.std().item() - 0.02) < 0.002

    def test_checkpoint(self):
        first, second = head(), head()
        first.token_indices.copy_(torch.tensor([4, 0, 19]))
        second.load_state_dict(first.state_dict())
        assert torch.equal(second.tokens, first.tokens)
        assert second.token_indices.tolist() == [4, 0, 19]

    @pytest.mark.parametrize(
        ('options', 'message'),
        [
            (dict(num_keypoints=0), 'num_keypoints=0 of num_tokens=20'),
            (dict(num_keypoints=21), 'num_keypoints=21 of num_tokens=20'),
            (dict(map_size=(8, 0)), r'map_size=\(8, 0\) has no cells'),
        ],
    )
    def test_wrong_settings(self, options, message):
        with pytest.raises(ValueError, match=message):
            head(**options)


class TestUntrainedTokens:
    def test_follow_from_the_seed_alone(self):
        built = head(init_std=3.0, num_tokens=500)
        state = torch.get_rng_state()
        drawn = built.untrained_tokens(7)
        assert torch.equal(torch.get_rng_state(), state)
        other = copy.deepcopy(built)
        torch.nn.init.zeros_(other.tokens)
        assert torch.equal(other.untrained_tokens(7), drawn)
        assert not torch.equal(built.untrained_tokens(8), drawn)

    def test_are_drawn_as_the_learned_ones(self):
        built = head(init_std=3.0, num_tokens=500).double()
        drawn = built.untrained_tokens(0)
        assert drawn.shape == built.tokens.shape and drawn.dtype == torch.float64
        assert not drawn.requires_grad
        assert abs(drawn.std().item() - 3) < 0.2


class TestChosenIndices:
    @pytest.mark.parametrize('untrained', (False, True))
    def test_before_the_choice(self, untrained):
        name = 'untrained_token_indices' if untrained else 'token_indices'
        built = head()
        # One that was chosen does not help when another was not.
        getattr(built, name)[0] = 9
        with pytest.warns(UserWarning, match=rf'\({name} of .*TokenSelectionHook'):
            found = built.chosen_indices(untrained)
        assert found.tolist() == [0, 1, 2]

    def test_after_it(self):
        built = head()
        built.token_indices.copy_(torch.tensor([4, 0, 19]))
        built.untrained_token_indices.copy_(torch.tensor([2, 3, 1]))
        with warnings.catch_warnings():
            warnings.simplefilter('error')
            assert built.chosen_indices().tolist() == [4, 0, 19]
            assert built.chosen_indices(untrained=True).tolist() == [2, 3, 1]


class TestPredict:
    def test_keypoints_are_the_middles_of_the_highest_cells(self):
        maps, expected = peaked_maps()
        instances = head().predict((maps,), samples(2))
        for image, instance in enumerate(instances):
            assert instance.keypoints.shape == (1, 3, 2)
            assert instance.keypoints.dtype == np.float32
            np.testing.assert_allclose(instance.keypoints[0], expected[image])
            heights = 0.1 * (1 + image + np.arange(3))
            np.testing.assert_allclose(instance.keypoint_scores[0], heights, rtol=1e-6)

    def test_mean_position_around_the_peak(self):
        maps = torch.zeros(1, 1, 4, 8)
        maps[..., 1, 2], maps[..., 1, 3], maps[..., 1, 7] = 0.6, 0.2, 0.5
        (peak,) = head().predict((maps,), samples(1))
        (mean,) = head(centroid_radius=2.0).predict((maps,), samples(1))
        assert peak.keypoints.tolist() == [[[19.5, 11.5]]]
        # A quarter of the way to the next cell; the one far away does not count.
        np.testing.assert_allclose(mean.keypoints, [[[21.5, 11.5]]], rtol=1e-5)

    def test_maps_to_look_at(self):
        maps, _ = peaked_maps()
        maps[1, 2] = 0  # where no view showed anything
        instances, fields = head().predict(
            (maps,), samples(2), dict(output_heatmaps=True)
        )
        assert len(instances) == len(fields) == 2
        drawn = torch.stack([field.heatmaps for field in fields])
        assert drawn.shape == maps.shape and drawn.isfinite().all()
        peaks = drawn.amax((-2, -1)).flatten().tolist()
        assert peaks == pytest.approx([1, 1, 1, 1, 1, 0])
        assert np.isfinite(instances[1].keypoints).all()

    def test_distributions(self):
        maps, _ = peaked_maps()
        maps[1, 2] = 0
        _, found = head().locate(maps, (64, 32))
        sums = found.sum((-2, -1)).flatten().tolist()
        assert sums == pytest.approx([1, 1, 1, 1, 1, 0])
        torch.testing.assert_close(found[0, 0], maps[0, 0] / maps[0, 0].sum())

    def test_last_feature_map_is_read(self):
        maps, _ = peaked_maps()
        assert TokenHead.forward(head(), (maps + 1, maps)) is maps


def test_it_has_no_loss_of_its_own():
    with pytest.raises(TypeError, match='put it in StableKeypoints'):
        head().loss(None, None)
