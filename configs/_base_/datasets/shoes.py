# Shoes (UT Zappos50K): pictures only, nothing to score.
_base_ = ['./unlabeled.py']
train_dataloader = dict(dataset=dict(data_root='data/shoes/train'))
val_dataloader = dict(dataset=dict(data_root='data/shoes/test'))
test_dataloader = val_dataloader
