"""StableKeypoints over networks whose answers are known."""

import copy

import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from planted_attention import places_of, planted_images

from mmkp.ops.token_selection import most_frequent_tokens

LOSSES = dict(
    localisation=dict(type='LocalisationLoss', sigma=2.0, loss_weight=100.0),
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
                input_center=(side / 2, side / 2),
                input_scale=(side, side),
            )
        )
        sample.gt_instances = InstanceData(
            bboxes=torch.zeros(1, 4).numpy(), bbox_scores=torch.ones(1).numpy()
        )
        found.append(sample)
    return found


def error_on_unseen(model):
    """Mean distance in pixels of keypoints from one place on the object, (K,)."""
    images, matrix, centre = planted_images(24, seed=99)
    with torch.no_grad():
        keypoints, _ = model.detect(images)
    place = places_of(keypoints, matrix, centre).median(0).values
    true = (matrix @ place.T).transpose(1, 2) + centre[:, None]
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
    def trained(self):
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
        images, matrix, centre = planted_images(24, seed=99)
        with torch.no_grad():
            keypoints, _ = model.detect(images)
        place = places_of(keypoints, matrix, centre).median(0).values
        distances = torch.cdist(place, place) + 9 * torch.eye(len(place))
        assert distances.min() > 0.1  # of the object's radius
        assert (place.norm(dim=-1) < 1.1).all()
