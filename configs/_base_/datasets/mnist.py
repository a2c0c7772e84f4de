# MNIST, Fashion-MNIST, or any folder of small grey images, without annotations. Made by
# tools/dataset_converters/idx_to_images.py.
_base_ = ['./unlabeled.py']
root = 'work_dirs/datasets/mnist'
train_dataloader = dict(num_workers=1, dataset=dict(data_root=f'{root}/train'))
val_dataloader = dict(num_workers=1, dataset=dict(data_root=f'{root}/test'))
test_dataloader = val_dataloader
