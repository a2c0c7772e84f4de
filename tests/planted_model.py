"""StableKeypoints over planted attention, and what it is given."""

import numpy as np
import torch
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from planted_attention import planted_images

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


def model_of_chosen_tokens():
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
