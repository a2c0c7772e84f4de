# Animal faces (AFHQ): pictures only, nothing to score.
_base_ = ['./unlabeled.py']
train_dataloader = dict(dataset=dict(data_root='data/afhq/train'))
val_dataloader = dict(dataset=dict(data_root='data/afhq/test'))
test_dataloader = val_dataloader
