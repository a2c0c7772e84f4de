# The same on faces that look roughly into the camera. Made by
# tools/dataset_converters/faces68_to_coco.py --near-frontal.
_base_ = ['./fse-light_faces-64x64.py']
frontal = dict(data_root='work_dirs/datasets/faces_frontal')
train_dataloader = dict(batch_size=32, dataset=frontal)
val_dataloader = dict(dataset=dict(fit=frontal, score=frontal))
test_dataloader = val_dataloader
param_scheduler = dict(begin=900, end=1800)
train_cfg = dict(max_iters=1800, val_interval=600)
