# Shoes (UT Zappos50K): pictures only, nothing to score. The weights are CelebA's, those
# for shoes are not published.
num_keypoints = 10
_base_ = ['../_base_/lmdis_80x80.py', '../../../_base_/datasets/shoes.py']
model = dict(head=dict(num_keypoints=num_keypoints))
images = dict(num_keypoints=num_keypoints, pipeline=_base_.whole_image)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
