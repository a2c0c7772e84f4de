# One object before a plain background, turned any way, in your own images, without
# annotations. A still camera says what it sees behind the object: a picture of it, or
# the folder of its pictures.
#     --cfg-options data_root="my photos" scene="my photos" num_keypoints=12 steps=800
data_root = 'data/my_images'
num_keypoints = 10
scene = None
_base_ = ['../_base_/lmdis_guarded_64x64.py', '../../../_base_/datasets/folder.py']
model = dict(head=dict(num_keypoints=num_keypoints))
load, cut_out, *rest = _base_.pipeline
pipeline = [load, dict(cut_out, scene=scene), *rest]
where = dict(data_root=data_root, num_keypoints=num_keypoints)
images = dict(where, pipeline=pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
