# The same with 50 keypoints.
_base_ = ['./fse_celeba-aligned-128x128.py']
model = dict(head=dict(num_keypoints=50))
train_dataloader = dict(dataset=dict(num_keypoints=50))
val_dataloader = dict(dataset=dict(num_keypoints=50))
test_dataloader = val_dataloader
