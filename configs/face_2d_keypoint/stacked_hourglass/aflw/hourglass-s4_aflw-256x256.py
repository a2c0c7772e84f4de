# Four stacks and the 19 landmarks of AFLW.
num_keypoints = 19
_base_ = [
    '../../../body_2d_keypoint/stacked_hourglass/_base_/newell.py',
    '../../../_base_/datasets/aflw_faces.py',
]
model = dict(
    backbone=dict(num_stacks=4, num_keypoints=num_keypoints),
    head=dict(num_stacks=4, num_keypoints=num_keypoints, decoder=_base_.codec),
)
train_dataloader = dict(batch_size=10, dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
param_scheduler = dict(milestones=[100000])
train_cfg = dict(max_iters=120000, val_interval=4000)
