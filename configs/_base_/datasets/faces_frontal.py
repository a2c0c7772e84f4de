# Faces that look roughly into the camera. Made by
# tools/dataset_converters/faces68_to_coco.py --near-frontal.
_base_ = ['./faces.py']
frontal = dict(data_root='work_dirs/datasets/faces_frontal')
train_dataloader = dict(dataset=frontal)
val_dataloader = dict(dataset=dict(fit=frontal, score=frontal))
test_dataloader = val_dataloader
