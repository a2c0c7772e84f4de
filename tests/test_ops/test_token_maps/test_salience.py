# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Salience of planted maps, and the choice of those that lie apart."""

import pytest
import torch

from mmkp.ops.token_maps.salience import peak_statistics, salient_tokens


def maps_of(*spots, size=20):
    """One image's maps, each of spots (column, row, value)."""
    maps = torch.zeros(1, len(spots), size, size)
    for token, cells in enumerate(spots):
        for column, row, value in cells:
            maps[0, token, row, column] = value
    return maps


class TestPeakStatistics:
    def test_height_times_share_around_the_peak(self):
        one = [(7, 12, 0.8), (8, 12, 0.4)]
        two = [(7, 12, 0.8), (15, 3, 0.4), (7, 13, 0.4)]
        peaks, salience = peak_statistics(maps_of(one, two))
        expected = torch.tensor([[7.5, 12.5], [7.5, 12.5]]) / 20
        torch.testing.assert_close(peaks[0], expected)
        torch.testing.assert_close(salience[0], torch.tensor([0.8, 0.8 * 1.2 / 1.6]))

    def test_peaks_at_the_border_are_background(self):
        maps = maps_of([(0, 9, 1.0)], [(9, 19, 1.0)], [(2, 9, 1.0)], [])
        assert peak_statistics(maps)[1][0].tolist() == [0, 0, 1, 0]

    def test_of_a_figure_it_counts_by_the_share_at_the_peak(self):
        maps = maps_of([(7, 12, 0.8)], [(12, 7, 0.5)])
        figure = torch.ones(1, 20, 20)
        figure[0, 12, 7] = 0.25
        peaks, salience = peak_statistics(maps, figure)
        torch.testing.assert_close(salience[0], torch.tensor([0.2, 0.5]))
        assert torch.equal(peaks, peak_statistics(maps)[0])


class TestSalientTokens:
    def test_the_most_salient_that_lie_apart(self):
        # The second follows the first at a small distance, the fourth is far away.
        peaks = torch.tensor([[[0.3, 0.3], [0.31, 0.3], [0.3, 0.7], [0.8, 0.3]]])
        salience = torch.tensor([[0.9, 0.8, 0.2, 0.3]])
        assert salient_tokens(peaks, salience, 3).tolist() == [0, 3, 2]
        # As far apart as there are enough: none is left out in the end.
        assert salient_tokens(peaks, salience, 4).tolist() == [0, 1, 3, 2]

    def test_salience_and_distances_are_means_over_images(self):
        peaks = torch.tensor([[[0.2, 0.2], [0.2, 0.2], [0.5, 0.2]]]).repeat(2, 1, 1)
        peaks[1, 1] = torch.tensor([0.9, 0.9])
        salience = torch.tensor([[0.9, 0.1, 0.4], [0.1, 0.8, 0.4]])
        assert salient_tokens(peaks, salience, 2).tolist() == [0, 1]

    def test_refuses(self):
        with pytest.raises(ValueError, match='num_keypoints=3 of 2 tokens'):
            salient_tokens(torch.zeros(1, 2, 2), torch.zeros(1, 2), 3)
        with pytest.raises(ValueError, match='over 0 images'):
            salient_tokens(torch.zeros(0, 2, 2), torch.zeros(0, 2), 1)
