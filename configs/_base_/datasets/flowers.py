# Oxford flowers: pictures only, nothing to score.
_base_ = ['./unlabeled.py']
train_dataloader = dict(dataset=dict(data_root='data/flowers/train'))
val_dataloader = dict(dataset=dict(data_root='data/flowers/test'))
test_dataloader = val_dataloader
