# Four stacks, as Bulat and Tzimiropoulos (ICCV 2017) use for faces, and the 68
# landmarks of 300-W.
_base_ = [
    '../../../body_2d_keypoint/stacked_hourglass/_base_/newell.py',
    '../../../_base_/datasets/face300w_256x256.py',
]
model = dict(
    backbone=dict(num_stacks=4, num_keypoints=68),
    head=dict(num_stacks=4, num_keypoints=68, decoder=_base_.codec),
)
train_dataloader = dict(batch_size=10)
param_scheduler = dict(milestones=[100000])
train_cfg = dict(max_iters=120000, val_interval=4000)
