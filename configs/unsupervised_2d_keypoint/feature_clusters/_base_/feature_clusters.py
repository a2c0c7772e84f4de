# Keypoints without a training, ours: tokens are clusters of the features of a frozen
# network, see ClusterTokensHook. The one step at rate 0 writes the checkpoint; a child
# says which network, and how large the images are.
# To train on from there, by the losses of StableKeypoints:
#     --cfg-options optim_wrapper.optimizer.lr=0.02 train_cfg.max_iters=200
model = dict(
    type='StableKeypoints',
    backbone=dict(type='FeatureAttention', position_weight=0.3),
    head=dict(type='TokenHead', num_tokens=40, map_size=(64, 64), centroid_radius=8.0),
    view_transform=dict(
        type='RandomAffineWarp', preset='stable_keypoints', padding_mode='zeros'
    ),
    losses=dict(
        localization=dict(type='LocalizationLoss', sigma=3.0, loss_weight=100.0),
        equivariance=dict(type='MapEquivarianceLoss', loss_weight=30.0),
    ),
    train_cfg=dict(num_candidates=20, sigma=3.0),
    test_cfg=dict(untrained_control=True),
)
custom_hooks = [dict(type='ClusterTokensHook', num_images=500)]

batch_size = 4
optim_wrapper = dict(optimizer=dict(type='Adam', lr=0.0))
param_scheduler = []
train_cfg = dict(type='IterBasedTrainLoop', max_iters=1, val_interval=1)
