# The skeleton and annotations of own_skeleton.py for methods that find all animals of a
# picture.
_base_ = ['./own_skeleton.py']
data_mode = 'bottomup'
train_dataloader = dict(dataset=dict(data_mode=data_mode))
val_dataloader = dict(batch_size=1, dataset=dict(data_mode=data_mode))
test_dataloader = val_dataloader
val_evaluator = dict(_delete_=True, type='BottomupCocoMetric', class_agnostic=True)
test_evaluator = val_evaluator
