# Figures on their feet before a plain background, in your own images, without
# annotations; each keypoint on a limb.
data_root = 'data/my_images'
num_keypoints = 10
_base_ = ['../_base_/lmdis_covered_64x64.py', '../../../_base_/datasets/folder.py']
model = dict(head=dict(num_keypoints=num_keypoints))
where = dict(data_root=data_root, num_keypoints=num_keypoints)
images = dict(where, pipeline=_base_.pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
