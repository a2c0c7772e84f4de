# Zebras: pictures only, nothing to score.
_base_ = ['./unlabeled.py']
train_dataloader = dict(dataset=dict(data_root='data/zebras/train'))
val_dataloader = dict(dataset=dict(data_root='data/zebras/test'))
test_dataloader = val_dataloader
