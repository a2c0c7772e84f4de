# Two stacks with the stem, the augmentation and the training of bearpaw/pytorch-pose:
# its loss is half a mean squared error, its images lose the mean colour of MPII, and
# the rate falls to a tenth after 60 and after 90 epochs of 22,246 people.
_base_ = ['../_base_/newell.py', '../../../_base_/datasets/mpii_256x256.py']
augmentation = dict(
    RandomScaleRotation=dict(
        law='linear', scale_exponent_limit=0.25, rotation_probability=0.6
    ),
    RandomChannelGain=dict(low=0.8, high=1.2),
)
train_pipeline = [
    {**step, **augmentation.get(step['type'], {})} for step in _base_.train_pipeline
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
model = dict(
    data_preprocessor=dict(mean=[112.302, 113.22, 110.3385]),
    backbone=dict(num_stacks=2, stem='bearpaw'),
    head=dict(num_stacks=2, loss=dict(loss_weight=0.5), decoder=_base_.codec),
)
param_scheduler = dict(milestones=[222480, 333720], gamma=0.1)
train_cfg = dict(max_iters=370800)
