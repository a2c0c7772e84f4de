# The network of "Stacked Hourglass Networks for Human Pose Estimation" (ECCV 2016),
# trained as the author's Torch code does. A child adds a data set, the number of
# keypoints and the head's codec; another number of stacks is told to backbone and head.
_base_ = [
    '../../../_base_/default_runtime.py',
    './crops_256x256.py',
    './stacks.py',
]

model = dict(backbone=dict(num_stacks=8), head=dict(num_stacks=8))

# 100 epochs of 8000 steps with 6 people each, and a few more at a fifth of the rate.
batch_size = 6
optim_wrapper = dict(
    optimizer=dict(type='RMSprop', lr=2.5e-4, alpha=0.99, eps=1e-8),
)
param_scheduler = dict(
    type='MultiStepLR', by_epoch=False, milestones=[800000], gamma=0.2
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=840000, val_interval=8000)
