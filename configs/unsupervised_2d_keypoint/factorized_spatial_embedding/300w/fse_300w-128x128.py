# 300-W, 50 keypoints.
_base_ = [
    '../_base_/fse_128x128.py',
    '../../../_base_/datasets/face300w_146x146.py',
]
model = dict(head=dict(num_keypoints=50))
train_dataloader = dict(dataset=dict(num_keypoints=50))
val_dataloader = dict(dataset=dict(num_keypoints=50))
test_dataloader = val_dataloader
