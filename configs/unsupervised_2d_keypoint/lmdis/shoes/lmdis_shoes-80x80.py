# Shoes (UT Zappos50K): pictures only, nothing to score. The weights are CelebA's, those
# for shoes are not published.
_base_ = [
    '../_base_/lmdis_80x80.py',
    '../../../_base_/datasets/unlabelled_146x146.py',
]
images = dict(pipeline=_base_.whole_image)
train_dataloader = dict(
    batch_size=16, dataset=dict(data_root='data/shoes/train', **images)
)
val_dataloader = dict(dataset=dict(data_root='data/shoes/test', **images))
test_dataloader = val_dataloader
