"""StableKeypoints over networks whose answers are known."""

import copy

import checked_methods
import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from planted_attention import places_of, planted_images

from mmkp.ops.token_maps.selection import most_frequent_tokens

LOSSES = dict(
    localization=dict(type='LocalizationLoss', sigma=2.0, loss_weight=100.0),
    equivariance=dict(type='MapEquivarianceLoss', loss_weight=1000.0),
)


def planted_model(**changes):
    init_default_scope('mmpose')
    torch.manual_seed(0)
    config = dict(
        type='StableKeypoints',
        backbone=dict(
            type='FeatureAttention',
            backbone=dict(type='PlantedFeatures'),
            in_channels=(128,),
            logit_scale=0.5,
        ),
        head=dict(type='TokenHead', num_tokens=30, num_keypoints=4, map_size=(64, 64)),
        view_transform=dict(
            type='RandomAffineWarp', preset='stable_keypoints', padding_mode='zeros'
        ),
        losses=LOSSES,
        train_cfg=dict(num_candidates=10, num_selected=5),
        test_cfg=dict(num_views=10, view_map_size=(64, 64)),
    )
    return MODELS.build({**config, **changes})


def samples(number, side=64):
    found = []
    for _ in range(number):
        sample = PoseDataSample(
            metainfo=dict(
                input_size=(side, side),
                input_center=np.full(2, side / 2),
                input_scale=np.full(2, float(side)),
            )
        )
        sample.gt_instances = InstanceData(
            bboxes=torch.zeros(1, 4).numpy(), bbox_scores=torch.ones(1).numpy()
        )
        found.append(sample)
    return found


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
    """An untrained model whose tokens were chosen, for what needs no training."""
    built = planted_model(
        data_preprocessor=dict(type='PoseDataPreprocessor'),
        test_cfg=dict(num_views=3, view_map_size=(32, 32)),
    )
    built.head.token_indices.copy_(torch.tensor([7, 2, 29, 11]))
    built.head.untrained_token_indices.copy_(torch.tensor([5, 1, 0, 20]))
    built.with_untrained_control = True  # as UntrainedControlHook does
    return built.eval()


def images_of(number=2):
    return planted_images(number, seed=5)[0]


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


class TestViews:
    """Maps of random views are averaged, the same views for each image."""

    def test_a_batch_predicts_as_single_images(self, model):
        images = images_of(2)
        with torch.no_grad():
            (together,) = model.extract_feat(images)
            alone = [model.extract_feat(image[None])[0] for image in images]
            again = model.extract_feat(images)[0]
        assert together.shape == (2, 4, 32, 32)
        torch.testing.assert_close(together, torch.cat(alone), rtol=1e-5, atol=1e-6)
        assert torch.equal(again, together)
        one, other = model.predict(images, samples(2)), [
            model.predict(image[None], samples(1))[0] for image in images
        ]  # fmt: skip
        for left, right in zip(one, other, strict=True):
            assert (
                left.pred_instances.keypoints == right.pred_instances.keypoints
            ).all()

    def test_views_are_those_of_the_seed(self, model):
        images = images_of(3)
        views = list(model._test_views(images))
        assert len(views) == 3
        matrices = torch.stack([view.affine for view in views])
        assert torch.equal(matrices, matrices[:, :1].expand_as(matrices))
        assert not torch.equal(matrices[0], matrices[1])
        torch.manual_seed(77)
        again = torch.stack([view.affine for view in model._test_views(images)])
        assert torch.equal(again, matrices)
        model.test_cfg['view_seed'] = 1
        other = torch.stack([view.affine for view in model._test_views(images)])
        assert not torch.equal(other, matrices)

    def test_generator_is_left_alone(self, model):
        model.test_cfg['untrained_control'] = True
        torch.manual_seed(5)
        state = torch.get_rng_state()
        model.predict(images_of(1), samples(1))
        assert torch.equal(torch.get_rng_state(), state)

    def test_without_views_the_image_is_seen_itself(self, model):
        model.test_cfg['num_views'] = 0
        with torch.no_grad():
            (maps,) = model.extract_feat(images_of())
            (logits,) = model.attend(images_of())
        assert maps.shape == (2, 4, 64, 64)
        everything = torch.nn.functional.interpolate(
            logits[:, 0].permute(0, 3, 1, 2), (64, 64), mode='bicubic'
        ).softmax(1)
        torch.testing.assert_close(
            maps, everything[:, model.head.token_indices], rtol=1e-4, atol=1e-6
        )
        del model.test_cfg['num_views']  # is 0
        assert torch.equal(model.extract_feat(images_of())[0], maps)

    def test_views_of_the_image_itself_change_nothing(self, model):
        still = dict(rotation_range=0.0, scale_range=(1.0, 1.0), translation_range=0.0)
        model.view_transform.warp_options.update(still)
        model.test_cfg['view_map_size'] = (64, 64)
        with torch.no_grad():
            (averaged,) = model.extract_feat(images_of())
            model.test_cfg['num_views'] = 0
            (plain,) = model.extract_feat(images_of())
        torch.testing.assert_close(averaged, plain, rtol=1e-4, atol=1e-6)

    def test_peaks_are_told_in_pixels_of_the_image(self, model):
        [sample] = samples(1)
        scale, center = np.array([128.0, 128.0]), np.array([100.0, 90.0])
        sample.set_metainfo(dict(input_scale=scale, input_center=center))
        [found] = model.predict(images_of(1), [sample])
        with torch.no_grad():
            keypoints, _ = model.detect(images_of(1))
        expected = 2 * keypoints + torch.tensor([100 - 64, 90 - 64])
        torch.testing.assert_close(
            torch.as_tensor(found.pred_instances.keypoints), expected, atol=1e-4, rtol=0
        )


class TestUntrainedControl:
    def test_beside_each_prediction(self, model):
        images = images_of()
        plain = model.predict(images, samples(2))
        assert 'untrained_keypoints' not in plain[0].pred_instances
        model.test_cfg['untrained_control'] = True
        found = model.predict(images, samples(2))
        for sample, without in zip(found, plain, strict=True):
            instances = sample.pred_instances
            assert instances.untrained_keypoints.shape == (1, 4, 2)
            assert (instances.keypoints == without.pred_instances.keypoints).all()
            assert (instances.untrained_keypoints != instances.keypoints).any()

    def test_is_the_prediction_of_the_untrained_tokens(self, model):
        model.test_cfg.update(untrained_control=True, untrained_seed=4)
        control = model.predict(images_of(), samples(2))
        model.head.tokens.data = model.head.untrained_tokens(4)
        model.head.token_indices.copy_(model.head.untrained_token_indices)
        found = model.predict(images_of(), samples(2))
        for left, right in zip(control, found, strict=True):
            expected = right.pred_instances.keypoints
            assert (left.pred_instances.untrained_keypoints == expected).all()

    def test_tokens_that_were_never_chosen(self, model):
        model.test_cfg['untrained_control'] = True
        model.head.untrained_token_indices.fill_(-1)
        with pytest.warns(UserWarning, match='untrained_token_indices of TokenHead'):
            model.predict(images_of(1), samples(1))
        model.head.token_indices.fill_(-1)
        model.test_cfg['untrained_control'] = False
        with pytest.warns(UserWarning, match=r'no tokens were chosen.*first 4 of 30'):
            model.predict(images_of(1), samples(1))


class TestCheckpoints:
    def test_hold_tokens_and_indices(self, model):
        assert set(model.state_dict()) == {
            'head.tokens',
            'head.token_indices',
            'head.untrained_token_indices',
            'backbone.base_fingerprint',
        }

    def test_with_another_network(self, model):
        state = planted_model().state_dict()
        model.load_state_dict(state)
        state['backbone.base_fingerprint'] = 255 - state['backbone.base_fingerprint']
        with pytest.raises(ValueError, match='trained with another frozen network'):
            model.load_state_dict(state)
        state['backbone.base_fingerprint'] *= 0
        model.load_state_dict(state)


class TestParts:
    def test_width_of_the_tokens(self):
        assert planted_model().head.tokens.shape == (30, 128)
        head = dict(type='TokenHead', num_tokens=30, num_keypoints=4, token_width=64)
        with pytest.raises(ValueError, match='token_width=64 in the head.*128'):
            planted_model(head=head)

    @pytest.mark.parametrize(
        ('changes', 'message'),
        (
            (
                dict(view_transform=dict(type='RandomThinPlateSpline')),
                'view_transform of StableKeypoints is RandomThinPlateSpline: .*'
                'give RandomAffineWarp',
            ),
            (
                dict(view_transform=None),
                'view_transform of StableKeypoints is NoneType: .*RandomAffineWarp',
            ),
            (
                dict(view_transform=None, losses=None),  # but test views
                'view_transform of StableKeypoints is NoneType: .*RandomAffineWarp',
            ),
            (
                dict(
                    head=dict(
                        type='SoftArgmaxHead',
                        in_channels=8,
                        num_keypoints=4,
                        upsample_channels=[],
                    )
                ),
                'head of StableKeypoints is SoftArgmaxHead: .*give TokenHead',
            ),
            (
                dict(backbone=dict(type='AutoLinkEncoder', channels=[4, 8])),
                'backbone of StableKeypoints is AutoLinkEncoder: .*'
                'give DiffusionAttention or FeatureAttention',
            ),
        ),
        ids=('spline', 'no_view', 'no_test_view', 'head', 'backbone'),
    )
    def test_that_do_not_fit(self, changes, message):
        with pytest.raises(ValueError, match=message) as raised:
            planted_model(**changes)
        assert '\n' not in str(raised.value)

    def test_predictions_need_no_view_transform(self):
        model = planted_model(view_transform=None, losses=None, test_cfg=dict())
        model.head.token_indices.copy_(torch.arange(4))
        [found] = model.eval().predict(images_of(1), samples(1))
        assert found.pred_instances.keypoints.shape == (1, 4, 2)


@pytest.mark.parametrize(
    ('number', 'candidates', 'tokens'), [(5, 4, 8), (2, 9, 8), (0, 4, 8)]
)
def test_numbers_that_contradict_each_other_are_told_when_built(
    number, candidates, tokens
):
    config = checked_methods.stable_keypoints()['model']
    config['head'] = {**config['head'], 'num_tokens': tokens, 'num_keypoints': 2}
    config['train_cfg'] = {'num_candidates': candidates, 'num_selected': number}
    with pytest.raises(ValueError, match=f'{number} of {candidates} .* {tokens} tok'):
        MODELS.build(config)
