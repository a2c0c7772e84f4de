# Zebras: pictures only, nothing to score; thickness as for horses, without flips.
num_keypoints = 32
_base_ = ['../_base_/autolink_128x128.py', '../../../_base_/datasets/zebras.py']
model = dict(head=dict(num_keypoints=num_keypoints), generator=dict(thickness=2.5e-4))
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
