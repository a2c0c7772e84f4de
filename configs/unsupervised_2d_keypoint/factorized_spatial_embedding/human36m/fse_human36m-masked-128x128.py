# Human3.6M simplified without background, 16 keypoints.
_base_ = [
    '../_base_/fse_128x128.py',
    '../../../_base_/datasets/human36m_masked_146x146.py',
]
model = dict(head=dict(num_keypoints=16))
train_dataloader = dict(dataset=dict(num_keypoints=16))
val_dataloader = dict(dataset=dict(num_keypoints=16))
test_dataloader = val_dataloader
