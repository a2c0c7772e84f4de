# Your own images, begun from keypoints that another model has found, such as feature
# clusters: for 100 steps the detector learns them, from then on as without them.
#     mmkp predict CONFIG CHECKPOINT "my photos" --no-pictures --out work_dirs/clusters
#     --cfg-options data_root="my photos" keypoint_file=work_dirs/clusters/keypoints.json
data_root = 'data/my_images'
num_keypoints = 10
keypoint_file = 'work_dirs/clusters/keypoints.json'
_base_ = ['../_base_/lmdis_light_64x64.py', '../../../_base_/datasets/folder.py']
model = dict(
    head=dict(num_keypoints=num_keypoints),
    losses=dict(regression=dict(type='KeypointRegressionLoss', loss_weight=1e4)),
)
custom_hooks = [dict(type='LossWeightSchedule', losses=dict(regression={100: 0.0}))]
codec = dict(type='RegressionLabel', input_size=(64, 64))
target = dict(type='GenerateTarget', encoder=codec)
labeled = [*_base_.pipeline[:3], target, _base_.pipeline[3]]
images = dict(data_root=data_root, num_keypoints=num_keypoints)
train = dict(images, pipeline=labeled, keypoint_file=keypoint_file)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=train)
val_dataloader = test_dataloader = dict(dataset=dict(images, pipeline=_base_.pipeline))
