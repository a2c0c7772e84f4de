# Cat heads, 20 keypoints.
_base_ = [
    '../_base_/fse_128x128.py',
    '../../../_base_/datasets/cats_146x146.py',
]
model = dict(head=dict(num_keypoints=20))
train_dataloader = dict(dataset=dict(num_keypoints=20))
val_dataloader = dict(dataset=dict(num_keypoints=20))
test_dataloader = val_dataloader
