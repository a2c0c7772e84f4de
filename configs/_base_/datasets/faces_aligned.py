# Faces moved to the same place by a similarity, as CelebA and MAFL are. Made by
# tools/dataset_converters/faces68_to_coco.py --align similarity.
_base_ = ['./faces.py']
aligned = dict(data_root='work_dirs/datasets/faces_aligned')
train_dataloader = dict(dataset=aligned)
val_dataloader = dict(dataset=dict(fit=aligned, score=aligned))
test_dataloader = val_dataloader
