# The same without background and without flips. The authors saw it diverge on newer
# GPUs: stop early, or hide more of the image (generator.mask_ratio).
num_keypoints = 16
_base_ = [
    '../_base_/autolink_128x128.py',
    '../../../_base_/datasets/human36m_masked.py',
]
model = dict(head=dict(num_keypoints=num_keypoints), generator=dict(thickness=1e-3))
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
