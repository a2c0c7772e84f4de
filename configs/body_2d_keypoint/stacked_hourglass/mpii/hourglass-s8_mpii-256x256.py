# The paper's network: eight stacks, Gaussians of one cell as the paper says, joints
# without label left out of the loss (the author's code draws and trains otherwise, see
# hourglass-s8_torch-sigma).
num_keypoints = 16
_base_ = ['../_base_/newell.py', '../../../_base_/datasets/mpii_boxes.py']
model = dict(
    backbone=dict(num_keypoints=num_keypoints),
    head=dict(num_keypoints=num_keypoints, decoder=_base_.codec),
)
train_dataloader = dict(
    batch_size=_base_.batch_size, dataset=dict(pipeline=_base_.train_pipeline)
)
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
