# Shoes (UT Zappos50K): pictures only, nothing to score.
_base_ = [
    '../_base_/fse_128x128.py',
    '../../../_base_/datasets/unlabelled_146x146.py',
]
model = dict(head=dict(num_keypoints=10))
train_dataloader = dict(dataset=dict(data_root='data/shoes/train'))
val_dataloader = dict(dataset=dict(data_root='data/shoes/test'))
test_dataloader = val_dataloader
