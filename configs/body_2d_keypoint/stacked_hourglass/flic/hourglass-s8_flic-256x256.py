# The paper's network with FLIC's 11 joints, trained for a third of the time.
num_keypoints = 11
_base_ = ['../_base_/newell.py', '../../../_base_/datasets/flic.py']
model = dict(
    backbone=dict(num_keypoints=num_keypoints),
    head=dict(num_keypoints=num_keypoints, decoder=_base_.codec),
)
train_dataloader = dict(
    batch_size=_base_.batch_size, dataset=dict(pipeline=_base_.box_train_pipeline)
)
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=_base_.box_test_pipeline))
param_scheduler = dict(milestones=[267000])
train_cfg = dict(max_iters=280000)
