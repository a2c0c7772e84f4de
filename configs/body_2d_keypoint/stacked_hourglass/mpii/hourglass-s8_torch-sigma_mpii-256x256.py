# The targets that the author's Torch code really trains: Gaussians of 1.75 cells, cut
# to 7x7, and empty maps for joints without label.
num_keypoints = 16
_base_ = ['../_base_/newell.py', '../../../_base_/datasets/mpii_boxes.py']
codec = dict(_base_.codec, sigma=1.75, patch_size=7, mask_unlabeled=False)
model = dict(
    backbone=dict(num_keypoints=num_keypoints),
    head=dict(num_keypoints=num_keypoints, decoder=codec),
)
train_pipeline = [*_base_.augment, dict(_base_.target, encoder=codec), _base_.packing]
train_dataloader = dict(
    batch_size=_base_.batch_size, dataset=dict(pipeline=train_pipeline)
)
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
