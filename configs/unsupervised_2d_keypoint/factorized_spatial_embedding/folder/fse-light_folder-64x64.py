# Your own images, without annotations: the quickest, and needs no weights of any other
# network. Both can be given on the command line:
#     --cfg-options data_root="my photos" num_keypoints=12
data_root = 'data/my_images'
num_keypoints = 10
_base_ = ['../_base_/fse_light_64x64.py', '../../../_base_/datasets/folder.py']
model = dict(head=dict(num_keypoints=num_keypoints))
images = dict(
    data_root=data_root, num_keypoints=num_keypoints, pipeline=_base_.pipeline
)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
