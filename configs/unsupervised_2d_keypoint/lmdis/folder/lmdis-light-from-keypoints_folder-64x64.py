# Your own images, begun from keypoints that another model has found: keypoint_file is
# what `mmkp predict` writes. From step 100 on it trains as lmdis-light_folder-64x64.
data_root = 'data/my_images'
num_keypoints = 10
keypoint_file = 'work_dirs/clusters/keypoints.json'
_base_ = [
    '../_base_/lmdis_light_64x64.py',
    '../_base_/from_keypoints_64x64.py',
    '../../../_base_/datasets/folder.py',
]
model = dict(head=dict(num_keypoints=num_keypoints), losses=_base_.start)
where = dict(data_root=data_root, num_keypoints=num_keypoints)
train = dict(where, keypoint_file=keypoint_file, pipeline=_base_.labeled_pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=train)
val_dataloader = test_dataloader = dict(dataset=dict(where, pipeline=_base_.pipeline))
