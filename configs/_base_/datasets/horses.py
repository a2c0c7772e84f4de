# Horses: pictures only, nothing to score.
_base_ = ['./unlabeled.py']
train_dataloader = dict(dataset=dict(data_root='data/horses/train'))
val_dataloader = dict(dataset=dict(data_root='data/horses/test'))
test_dataloader = val_dataloader
