# The same by VGG16, several times as slow: keypoints of your own images without a
# training. Weights: hed_to_mmkp.py, see docs/data.md.
#     --cfg-options data_root="my photos" num_keypoints=12
data_root = 'data/my_images'
num_keypoints = 10
_base_ = [
    '../_base_/vgg16_128x128.py',
    '../../../_base_/datasets/folder.py',
]
tokens = dict(num_keypoints=num_keypoints, num_tokens=max(40, 4 * num_keypoints))
model = dict(head=tokens, train_cfg=dict(num_candidates=2 * num_keypoints))
where = dict(data_root=data_root, num_keypoints=num_keypoints)
images = dict(where, pipeline=_base_.pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(batch_size=16, dataset=images)
