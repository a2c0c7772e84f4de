# The paper's network with FLIC's 11 joints, trained for a third of the time.
_base_ = ['../_base_/newell.py', '../../../_base_/datasets/flic_256x256.py']
model = dict(
    backbone=dict(num_keypoints=11), head=dict(num_keypoints=11, decoder=_base_.codec)
)
param_scheduler = dict(milestones=[267000])
train_cfg = dict(max_iters=280000)
