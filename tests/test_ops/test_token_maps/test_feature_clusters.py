# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Clusters of planted features, and places as features."""

import math

import pytest
import torch

from mmkp.ops.token_maps.feature_clusters import position_channels, spherical_kmeans


def planted(number=6, each=50, width=16):
    """Features around orthogonal directions, of any length, and which is which."""
    generator = torch.Generator().manual_seed(3)
    directions = torch.eye(width)[:number]
    labels = torch.arange(number).repeat(each)
    noise = 0.05 * torch.randn(len(labels), width, generator=generator)
    lengths = 1 + 9 * torch.rand(len(labels), 1, generator=generator)
    return (directions[labels] + noise) * lengths, labels, directions


class TestSphericalKMeans:
    def test_finds_planted_directions(self):
        features, labels, directions = planted()
        centers = spherical_kmeans(features, 6)
        likeness = centers @ directions.T
        found = likeness.argmax(1)
        assert sorted(found.tolist()) == list(range(6))
        assert (likeness.amax(1) > 0.99).all()
        assert torch.equal(found[(features @ centers.T).argmax(1)], labels)

    def test_centers_are_normalised_sums_of_their_features(self):
        features, _, _ = planted()
        centers = spherical_kmeans(features, 4, iterations=100)
        directions = features / features.norm(dim=1, keepdim=True)
        nearest = (directions @ centers.T).argmax(1)
        for index in range(4):
            expected = directions[nearest == index].sum(0)
            torch.testing.assert_close(centers[index], expected / expected.norm())

    def test_lengths_play_no_part(self):
        features, _, _ = planted()
        centers = spherical_kmeans(features, 5)
        torch.testing.assert_close(spherical_kmeans(features * 7, 5), centers)

    def test_a_seed_repeats_and_leaves_the_global_one(self):
        features = torch.randn(200, 4, generator=torch.Generator().manual_seed(0))
        state = torch.get_rng_state()
        first, again, other = (spherical_kmeans(features, 9, 2, s) for s in (1, 1, 2))
        assert torch.equal(first, again) and not torch.equal(first, other)
        assert torch.equal(torch.get_rng_state(), state)

    def test_equal_features(self):
        centers = spherical_kmeans(torch.ones(5, 4), 3)
        torch.testing.assert_close(centers, torch.full((3, 4), 0.5))

    @pytest.mark.parametrize('number', [0, 6])
    def test_refuses_more_clusters_than_features(self, number):
        with pytest.raises(ValueError, match=f'num_clusters={number} of 5 features'):
            spherical_kmeans(torch.ones(5, 2), number)


class TestPositionChannels:
    def test_products_are_cosines_of_distances(self):
        places = position_channels(4, 6).flatten(1)
        products = places.T @ places
        row, column = torch.meshgrid(torch.arange(4), torch.arange(6), indexing='ij')
        dv = (row.flatten()[:, None] - row.flatten()) * 2 / 4
        du = (column.flatten()[:, None] - column.flatten()) * 2 / 6
        expected = ((math.pi / 2 * du).cos() + (math.pi / 2 * dv).cos()) / 2
        torch.testing.assert_close(products, expected)
