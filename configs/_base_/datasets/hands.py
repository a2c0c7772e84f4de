# Hands (11k Hands): pictures only, nothing to score.
_base_ = ['./unlabeled.py']
train_dataloader = dict(dataset=dict(data_root='data/hands/train'))
val_dataloader = dict(dataset=dict(data_root='data/hands/test'))
test_dataloader = val_dataloader
