# Your own images, without annotations and of any sizes. A child says where they lie.
# Tests read them too: the pictures and the spread of the keypoints tell how it goes.
_base_ = ['./unlabeled.py']
train_dataloader = dict(num_workers=2)
val_dataloader = dict(batch_size=32, num_workers=1)
test_dataloader = val_dataloader
