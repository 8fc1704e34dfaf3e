"""One thread, as in a worker: on networks this small two threads wait for each other more than they compute."""

import torch

torch.set_num_threads(1)
