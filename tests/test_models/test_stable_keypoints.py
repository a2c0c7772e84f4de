"""StableKeypoints predicts over random views, and refuses parts that do not fit."""

import checked_methods
import numpy as np
import pytest
import torch
from mmpose.registry import MODELS
from planted_model import images_of, model_of_chosen_tokens, planted_model, samples


@pytest.fixture
def model():
    return model_of_chosen_tokens()


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
