"""Tokens of StableKeypoints are trained and chosen over networks of known answers."""

import copy

import pytest
import torch
from planted_attention import places_of, planted_images
from planted_model import LOSSES, images_of, model_of_chosen_tokens, planted_model

from mmkp.ops.token_maps.selection import most_frequent_tokens


def error_on_unseen(model):
    """Mean distance in pixels of keypoints from one place on the object, (K,)."""
    images, matrix, center = planted_images(24, seed=99)
    with torch.no_grad():
        keypoints, _ = model.detect(images)
    place = places_of(keypoints, matrix, center).median(0).values
    true = (matrix @ place.T).transpose(1, 2) + center[:, None]
    return (keypoints - true).norm(dim=-1).mean(0)


def choose(model):
    selected = [
        model.select_from_images(planted_images(8, seed=1000 + index)[0])
        for index in range(5)
    ]
    head = model.head
    head.token_indices.copy_(
        most_frequent_tokens(torch.cat(selected), head.num_tokens, head.num_keypoints)
    )


class TestPlantedAttention:
    """Losses, selection, inverse warp and test views, proved without real weights."""

    @pytest.fixture(scope='class')
    @classmethod
    def trained(cls):
        model = planted_model()
        choose(model)
        untrained = copy.deepcopy(model)
        optimizer = torch.optim.Adam([model.head.tokens], lr=0.03)
        totals = []
        for step in range(200):
            losses = model.loss(planted_images(4, seed=step)[0])
            total = sum(losses.values())
            optimizer.zero_grad()
            total.backward()
            optimizer.step()
            totals.append(total.item())
        choose(model)
        return model, untrained, totals

    def test_losses_fall(self, trained):
        _, _, totals = trained
        assert sum(totals[-10:]) < 0.5 * sum(totals[:10])

    @pytest.mark.parametrize('num_views', [0, 10])
    def test_tokens_track_the_object(self, trained, num_views):
        model, untrained, _ = trained
        for candidate in (model, untrained):
            candidate.test_cfg['num_views'] = num_views
        assert error_on_unseen(model).max() <= 1.0
        assert error_on_unseen(untrained).mean() > 2.0

    def test_keypoints_are_distinct_places(self, trained):
        model, _, _ = trained
        images, matrix, center = planted_images(24, seed=99)
        with torch.no_grad():
            keypoints, _ = model.detect(images)
        place = places_of(keypoints, matrix, center).median(0).values
        distances = torch.cdist(place, place) + 9 * torch.eye(len(place))
        assert distances.min() > 0.1  # of the object's radius
        assert (place.norm(dim=-1) < 1.1).all()


@pytest.fixture
def model():
    return model_of_chosen_tokens()


class TestTraining:
    def test_selected_tokens_are_trained_by_the_softmax_over_all(self, model):
        images = images_of()
        torch.manual_seed(3)
        outputs = model.outputs_for_losses(images)
        torch.manual_seed(3)
        warped = model.views(images).second
        assert torch.equal(outputs['warped_images'], warped)
        logits, warped_logits = model.attend(images), model.attend(warped)
        selected = model.select(logits, warped_logits)
        assert selected.shape == (2, 5)
        for name, found in (
            ('token_maps', logits),
            ('warped_token_maps', warped_logits),
        ):
            # At 64 cells as at 32: bicubic upsampling, the softmax, then the choice.
            upsampled = torch.nn.functional.interpolate(
                found[0][:, 0].permute(0, 3, 1, 2), (64, 64), mode='bicubic'
            )
            everything = upsampled.softmax(1)
            index = selected[:, :, None, None].expand(-1, -1, 64, 64)
            expected = everything.gather(1, index)
            torch.testing.assert_close(outputs[name], expected, rtol=1e-4, atol=1e-6)
            tokens, one = model.head.tokens, outputs[name].sum((-2, -1)).square().sum()
            two = expected.sum((-2, -1)).square().sum()
            (gradient,) = torch.autograd.grad(one, tokens, retain_graph=True)
            (wanted,) = torch.autograd.grad(two, tokens, retain_graph=True)
            torch.testing.assert_close(gradient, wanted, rtol=1e-3, atol=1e-4)
            # The others share the softmax.
            assert (gradient.abs().sum(1) > 0).all()

    def test_frozen_weights_get_nothing(self):
        model = planted_model(
            backbone=dict(
                type='FeatureAttention',
                backbone=dict(type='AutoLinkEncoder', channels=[4, 8]),
                in_channels=(8,),
            )
        )
        frozen = model.backbone.frozen('backbone')
        sum(model.train().loss(images_of()).values()).backward()
        assert model.head.tokens.grad.abs().sum() > 0
        weights = list(frozen.parameters())
        assert weights and all(weight.grad is None for weight in weights)
        assert not any(module.training for module in frozen.modules())
        assert [name for name, _ in model.named_parameters()] == ['head.tokens']

    @pytest.mark.parametrize(
        'loss',
        (
            dict(type='EquivarianceLoss'),
            dict(type='EquivarianceLoss', variant='means'),
            dict(type='SeparationLoss', bandwidth=0.2),
            dict(type='SeparationLoss', bandwidth=0.2, both_views=True),
        ),
        ids=('expected', 'means', 'separation', 'both_views'),
    )
    def test_other_losses_can_be_added(self, loss):
        model = planted_model(losses=dict(LOSSES, other=loss))
        losses = model.loss(images_of())
        assert set(losses) == {'loss_localization', 'loss_equivariance', 'loss_other'}
        other = losses['loss_other']
        assert other > 0
        (gradient,) = torch.autograd.grad(other, model.head.tokens)
        assert gradient.isfinite().all() and gradient.abs().max() > 0

    def test_maps_that_fit_have_equivariant_keypoints(self, model):
        """Positions of maps and of warps are in the same pixels."""
        outputs = model.outputs_for_losses(images_of())
        warp, size = outputs['warp'], (64, 64)
        peak = torch.tensor([[[20.0, 40.0]], [[37.0, 25.0]]])
        y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing='ij')
        cells = torch.stack((x, y), -1).view(1, -1, 2).expand(2, -1, -1)
        maps = []
        for places in (cells, warp.points_to_source(cells)):
            squared = (places - peak).square().sum(-1)
            maps.append((-squared / 8).exp().view(2, 1, 64, 64))
        points = [model.head.locate(found, size)[0] for found in maps]
        moved = warp.points_to_source(points[1])
        assert (points[0] - peak).norm(dim=-1).max() < 0.01
        assert (moved - peak).norm(dim=-1).max() < 1.0
        equivariance = model.losses['equivariance']
        place = (warp, model.head.geometry(size, (64, 64)))
        right = equivariance(maps[0], maps[1], *place)
        assert right < 0.1 * equivariance(maps[0], maps[1].roll(3, -1), *place)
