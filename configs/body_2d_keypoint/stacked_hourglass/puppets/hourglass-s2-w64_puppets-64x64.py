# Two stacks: the second sees the heatmaps of the first.
num_keypoints = 17
_base_ = ['../_base_/narrow_w64_64x64.py', '../../../_base_/datasets/puppets.py']
model = dict(
    backbone=dict(num_keypoints=num_keypoints),
    head=dict(num_keypoints=num_keypoints, decoder=_base_.codec),
)
train_dataloader = dict(
    batch_size=_base_.batch_size, dataset=dict(pipeline=_base_.train_pipeline)
)
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
