# The same on faces moved to the same place by a similarity, as CelebA and MAFL are.
_base_ = ['./autolink-equivariance_faces-64x64.py']
aligned = dict(data_root='work_dirs/datasets/faces_aligned')
train_dataloader = dict(dataset=aligned)
val_dataloader = dict(dataset=dict(fit=aligned, score=aligned))
test_dataloader = val_dataloader
