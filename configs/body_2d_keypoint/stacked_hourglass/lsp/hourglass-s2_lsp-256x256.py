# Two stacks and the 14 joints of Leeds Sports Pose.
_base_ = ['../_base_/newell.py', '../../../_base_/datasets/lsp_256x256.py']
model = dict(
    backbone=dict(num_stacks=2, num_keypoints=14),
    head=dict(num_stacks=2, num_keypoints=14, decoder=_base_.codec),
)
param_scheduler = dict(milestones=[267000])
train_cfg = dict(max_iters=280000)
