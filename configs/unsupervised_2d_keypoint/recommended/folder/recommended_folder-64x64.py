# The recipe on your own images, without annotations; needs no other weights.
#     --cfg-options data_root="my photos" num_keypoints=12 steps=3000
data_root = 'data/my_images'
num_keypoints = 10
_base_ = ['../_base_/recommended_64x64.py', '../../../_base_/datasets/folder.py']
model = dict(head=dict(num_keypoints=num_keypoints))
where = dict(data_root=data_root, num_keypoints=num_keypoints)
images = dict(where, pipeline=_base_.pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
