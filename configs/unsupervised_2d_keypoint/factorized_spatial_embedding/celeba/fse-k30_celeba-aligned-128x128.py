# The same with 30 keypoints.
_base_ = ['./fse_celeba-aligned-128x128.py']
model = dict(head=dict(num_keypoints=30))
train_dataloader = dict(dataset=dict(num_keypoints=30))
val_dataloader = dict(dataset=dict(num_keypoints=30))
test_dataloader = val_dataloader
