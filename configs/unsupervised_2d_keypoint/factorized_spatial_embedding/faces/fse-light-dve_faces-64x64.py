# 10 keypoints of face crops with the warps of DVE (Thewlis et al., ICCV 2019).
num_keypoints = 10
_base_ = ['../_base_/fse_light_64x64.py', '../../../_base_/datasets/faces.py']
dve = dict(_delete_=True, type='RandomThinPlateSpline', brightness=0.2, contrast=0.2)
model = dict(
    head=dict(num_keypoints=num_keypoints),
    first_view_transform=dict(dve, preset='dve_first'),
    view_transform=dict(dve, preset='dve'),
)
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
