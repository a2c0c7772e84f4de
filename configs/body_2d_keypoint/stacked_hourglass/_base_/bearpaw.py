# Two stacks with the stem, the augmentation and the training of bearpaw/pytorch-pose:
# its loss is half a mean squared error, its images lose the mean colour of MPII, and
# the rate falls to a tenth after 60 and after 90 epochs of 22,246 people.
_base_ = [
    '../../../_base_/default_runtime.py',
    './crops_256x256.py',
    './stacks.py',
]

load, box, flip, rotation, crop, gain = _base_.augment
train_pipeline = [
    load,
    box,
    flip,
    dict(rotation, law='linear', scale_exponent_limit=0.25, rotation_probability=0.6),
    crop,
    dict(gain, low=0.8, high=1.2),
    _base_.target,
    _base_.packing,
]

model = dict(
    data_preprocessor=dict(mean=[112.302, 113.22, 110.3385]),
    backbone=dict(num_stacks=2, stem='bearpaw'),
    head=dict(num_stacks=2, loss=dict(loss_weight=0.5)),
)

batch_size = 6
optim_wrapper = dict(
    optimizer=dict(type='RMSprop', lr=2.5e-4, alpha=0.99, eps=1e-8),
)
param_scheduler = dict(
    type='MultiStepLR', by_epoch=False, milestones=[222480, 333720], gamma=0.1
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=370800, val_interval=8000)
