# Two stacks and the 14 joints of Leeds Sports Pose.
num_keypoints = 14
_base_ = ['../_base_/newell.py', '../../../_base_/datasets/lsp.py']
model = dict(
    backbone=dict(num_stacks=2, num_keypoints=num_keypoints),
    head=dict(num_stacks=2, num_keypoints=num_keypoints, decoder=_base_.codec),
)
train_sets = [dict(s, pipeline=_base_.box_train_pipeline) for s in _base_.train_sets]
train_dataloader = dict(batch_size=_base_.batch_size, dataset=dict(datasets=train_sets))
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=_base_.box_test_pipeline))
param_scheduler = dict(milestones=[267000])
train_cfg = dict(max_iters=280000)
