# MNIST, Fashion-MNIST, or any folder of small grey images, enlarged to 64x64; no
# annotations. Made by tools/dataset_converters/idx_to_images.py.
_base_ = ['./actions_64x64.py']
root = 'work_dirs/datasets/mnist'
train_dataloader = dict(dataset=dict(data_root=f'{root}/train'))
val_dataloader = dict(dataset=dict(data_root=f'{root}/test'))
test_dataloader = val_dataloader
