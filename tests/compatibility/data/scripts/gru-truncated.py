"""First digit: GRU, many to one.

Long memory: the answer was said once, at the very beginning; all that follows only distracts.

The data. Generated: uniform random digits.

Made by the RNN playground, from these settings: task first_symbol_recall, rnn_type many_to_one, cell gru, hidden_size
8, num_layers 2, output_layers 1, seq_len 8, embedding_size 3, dropout 0.2, noise 0.1, batch_size 8, init orthogonal,
forget_bias 1.0, optimizer adam, learning_rate 0.01, clip norm, clip_threshold 1.0, tbptt 5, steps 200, seed 7, device
cpu.

Changed by hand after update 2: clip value, clip_threshold 0.01.

Changed by hand after update 4: noise 0.0, batch_size 4.

It prints the playground's own losses and gradient norms, but for their last digits on another machine.

With --steps it makes fewer updates, with --every it prints more of them. It needs Python 3.11, PyTorch 2.6 and NumPy
1.26, or newer, and nothing of the playground.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

# ---- the settings

SEED = 7  # of the initial weights and of every batch
STEPS = 200  # updates
LEARNING_RATE = 0.01
CLIP_THRESHOLD = 1.0
BATCH_SIZE = 8  # sequences for each update
SEQ_LEN = 8  # steps in time
INPUT_SIZE = 10  # symbols that can be read
EMBEDDING_SIZE = 3  # numbers that stand for each symbol
HIDDEN_SIZE = 8  # units of each layer
OUTPUT_SIZE = 10  # possible answers
TBPTT = 5  # steps that the gradient goes back
INPUT_NOISE = 0.1  # standard deviation of what is added to the inputs


# ---- the network


def noisy(seen: Tensor, noise: float) -> Tensor:
    """With Gaussian noise of this standard deviation, drawn anew at every update."""
    return seen + noise * torch.randn_like(seen) if noise else seen


@torch.no_grad()
def initialise(layers: nn.Module) -> None:
    """Recurrent weights: orthogonal."""
    for name, weights in layers.named_parameters():
        if "weight_hh" in name:
            for block in weights.split(HIDDEN_SIZE):  # one for each gate
                nn.init.orthogonal_(block)
        if "bias" in name:  # the update gate keeps the old state; its two bias vectors are added
            weights[HIDDEN_SIZE : 2 * HIDDEN_SIZE] = 1.0 if "bias_ih" in name else 0


class Network(nn.Module):
    """Embedding -> recurrent layers -> upper layers without links in time -> head. Time comes first everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(INPUT_SIZE, EMBEDDING_SIZE)
        self.recurrent = nn.GRU(EMBEDDING_SIZE, HIDDEN_SIZE, num_layers=2, dropout=0.2)
        self.upper = nn.ModuleList([nn.Linear(HIDDEN_SIZE, HIDDEN_SIZE)])
        self.head = nn.Linear(HIDDEN_SIZE, OUTPUT_SIZE)
        self.noise = INPUT_NOISE  # changed while the network trains
        initialise(self.recurrent)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits, (batch, OUTPUT_SIZE), from tokens (T, batch)."""
        seen = noisy(self.embedding(inputs), self.noise)
        cuts = sorted(range(len(seen) - TBPTT, 0, -TBPTT))  # counted from the end
        outputs, state = [], None
        for piece in seen.tensor_split(cuts):
            output, state = self.recurrent(piece, state)
            state = state.detach()  # no gradient goes back from here
            outputs.append(output)
        output = torch.cat(outputs)
        return self.head(torch.tanh(self.upper[0](output[-1])))


# ---- the training


def train(steps: int = STEPS) -> Iterator[tuple[int, float, float]]:
    """Yields, for every update, its number, the loss of its batch and the norm of that loss's gradient."""
    torch.manual_seed(SEED)  # the initial weights
    network = Network()
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE, fused=True)
    batch_size = BATCH_SIZE
    clip = "norm"
    clip_threshold = CLIP_THRESHOLD
    for step in range(steps):
        if step == 2:  # changed by hand
            clip = "value"
            clip_threshold = 0.01
        if step == 4:  # changed by hand
            network.noise = 0.0
            batch_size = 4
        batch = sample(step + 1, batch_size)
        torch.manual_seed(SEED * 1_000_003 + step)  # dropout and noise of this update
        logits = network(torch.tensor(batch.inputs))
        targets = torch.tensor(batch.targets[-1])
        loss = cross_entropy(logits, targets)  # in nats
        optimizer.zero_grad()
        loss.backward()
        norm = nn.utils.get_total_norm([each.grad for each in network.parameters()])  # before clipping
        if clip == "norm":
            nn.utils.clip_grad_norm_(network.parameters(), clip_threshold)
        if clip == "value":
            nn.utils.clip_grad_value_(network.parameters(), clip_threshold)
        if not (loss.isfinite() and norm.isfinite()):  # the playground stops here, too
            raise FloatingPointError(f"Update {step + 1} was not made: its loss or gradient is not finite.")
        optimizer.step()
        yield step + 1, loss.item(), norm.item()


# ---- the data, as the playground draws them


@dataclass(frozen=True)
class Batch:
    """Some sequences; T is the number of steps."""

    inputs: np.ndarray  # (T, batch) tokens, from 0 on
    targets: np.ndarray  # (T, batch) classes, read only where mask is True
    mask: np.ndarray  # (T, batch) bool: which steps have a loss
    lengths: np.ndarray  # (batch,) steps that are real


SPLITS = ("train", "test")


def stream(seed: int | tuple[int, ...], split: str) -> np.random.Generator:
    """Random numbers that depend on the seed and the split alone; a tuple gives independent streams."""
    parts = seed if isinstance(seed, tuple) else (seed,)
    # NumPy pads seeds with zeros, so (5,) and (5, 0) would be one stream: the length keeps them apart.
    return np.random.default_rng([SPLITS.index(split), len(parts), *parts])


def last_step_only(seq_len: int, batch_size: int) -> np.ndarray:
    """(T, batch) bool: one loss, at the last step of every sequence."""
    mask = np.zeros((seq_len, batch_size), bool)
    mask[-1] = True
    return mask


def full_lengths(seq_len: int, batch_size: int) -> np.ndarray:
    """(batch,) int64: no sequence is padded."""
    return np.full(batch_size, seq_len, np.int64)


DIGITS = tuple("0123456789")


def _one_answer(symbols: np.ndarray, answers: np.ndarray) -> Batch:
    """Symbols (T, batch) with one answer each, (batch,), asked for at the last step."""
    return Batch(
        symbols, np.broadcast_to(answers, symbols.shape), last_step_only(*symbols.shape), full_lengths(*symbols.shape)
    )


def _draw_first_symbol(rng: np.random.Generator, batch_size: int, split: str) -> Batch:
    digits = rng.integers(0, len(DIGITS), (SEQ_LEN, batch_size))
    return _one_answer(digits, digits[0])


def sample(step: int, batch_size: int, split: str = "train") -> Batch:
    """The batch of one update. It depends on SEED and the step alone; split "test" deals held-out data."""
    rng = stream((SEED, step), split)
    return _draw_first_symbol(rng, batch_size, split)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Train the network and print its losses.")
    parser.add_argument("--steps", type=int, default=STEPS, help="updates to make")
    parser.add_argument("--every", type=int, default=50, help="updates between two lines")
    options = parser.parse_args()
    torch.set_num_threads(1)  # small networks are fastest so, and sums are always added in the same order
    torch.set_flush_denormal(True)  # as in the playground: numbers below 1e-38 are 0
    print("step, loss, gradient norm")
    try:
        for step, loss, norm in train(options.steps):
            if step % options.every == 0 or step in (1, options.steps):
                print(f"{step}, {loss:.6g}, {norm:.6g}", flush=True)
    except FloatingPointError as error:
        raise SystemExit(str(error)) from None
