"""CNN against MLP: what convolution knows about images before it has seen one.

A convolution slides one small filter over all places, so a pattern means the same wherever it stands
(LeCun et al. 1998, Proceedings of the IEEE 86 (11)):

    y[i, j] = b + Σ w[u, v]·x[i+u, j+v]   over the window u, v            shared weights, local
    conv(S x) = S conv(x)                 for any shift S                 equivariance
    max over i, j                         forgets where, keeps what       invariance

A fully connected network (MLP) has a weight of its own for every pixel.  What it has learnt about the left half of an
image says nothing about the right half.

The task: which of four 3x3 shapes stands in a noisy 8x8 image?  In training the shape stands in the first two columns
of places; in the test it stands in all six.  Three networks are trained on the same images:

    convolution, maximum over places     8 filters; a linear layer reads "found anywhere"
    convolution, flattened               the same filters; a linear layer with a weight for each filter and place
    MLP                                  a hidden layer over all 64 pixels

Claim: on places never trained on, the first is at least 15 points better than the MLP with at most a fifth of its
parameters, and its feature maps of a shifted image are the shifted feature maps.  The flattened one shows that
convolution alone is not enough: its last layer has to learn every place anew.

`--break` scrambles the pixels, in the same way in all images.  For the MLP nothing has changed.  But neighbours are no
longer neighbours: a shift of the shape is no shift of the image, and the filters have nothing local to find.

    python -m learn_llm.demos.cnn_vs_mlp [--noise 0.5] [--break]
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from learn_llm.demos import catalogue
from learn_llm.events import Chart, Event, Metrics, Note, Series, Table, Verdict
from learn_llm.running import RunConfig, main

SIZE, WINDOW = 8, 3
PLACES = SIZE - WINDOW + 1
"""How many places a shape can stand at, in each direction."""
BATCH, TEST, EVERY = 64, 500, 25
SHAPES = ("x.x .x. x.x", ".x. xxx .x.", "xxx x.x xxx", "xxx x.. x..")


@dataclass(frozen=True)
class Config(RunConfig):
    """Options of the demo; the ranges are in the catalogue."""

    steps: int = 250
    """Training steps of each network."""
    trained: int = 2
    """Columns of places, of 6, that shapes stand in during training; tested is on the others."""
    noise: float = 0.3
    """Standard deviation of the noise on every pixel."""
    hidden: int = 32
    """Hidden units of the MLP."""

    def __post_init__(self) -> None:
        catalogue.check("cnn-vs-mlp", self)


def convolve(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Slide filters over images: (B, H, W) with (F, k, k) and (F,) gives (B, F, H-k+1, W-k+1).

    (In the books' terms a cross-correlation: the filter is not turned round.)  The filter (1, -1) finds edges:

    >>> image = torch.tensor([[[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0]]])
    >>> convolve(image, torch.tensor([[[1.0, -1.0], [0.0, 0.0]]]), torch.zeros(1))
    tensor([[[[ 0., -1.,  0.]]]])
    """
    k = weight.shape[-1]
    high, wide = x.shape[1] - k + 1, x.shape[2] - k + 1
    y = bias[:, None, None].expand(len(x), -1, high, wide)
    for u in range(k):
        for v in range(k):
            y = y + weight[:, u, v, None, None] * x[:, None, u : u + high, v : v + wide]
    return y


class ConvNet(nn.Module):
    """Convolution, ReLU, and a linear layer: over the maximum of each map, or over all its places."""

    def __init__(self, filters: int, classes: int, pool: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(filters, WINDOW, WINDOW) / WINDOW)
        self.bias = nn.Parameter(torch.zeros(filters))
        self.pool = pool
        self.out = nn.Linear(filters if pool else filters * PLACES**2, classes)

    def maps(self, x: Tensor) -> Tensor:
        """Feature maps (B, F, 6, 6) of images (B, 8, 8)."""
        return convolve(x, self.weight, self.bias).relu()

    def forward(self, x: Tensor) -> Tensor:
        maps = self.maps(x)
        logits: Tensor = self.out(maps.amax((2, 3)) if self.pool else maps.flatten(1))
        return logits


def shapes() -> Tensor:
    """The four shapes as numbers, (4, 3, 3).

    >>> shapes()[0]
    tensor([[1., 0., 1.],
            [0., 1., 0.],
            [1., 0., 1.]])
    """
    return torch.tensor([[[float(cell == "x") for cell in row] for row in shape.split()] for shape in SHAPES])


def place(kinds: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Empty images with a shape each: kinds, rows and columns (B,), the latter below 6, give (B, 8, 8)."""
    images = torch.zeros(len(kinds), SIZE, SIZE)
    window = torch.arange(WINDOW)
    i, j = rows[:, None, None] + window[:, None], columns[:, None, None] + window
    images[torch.arange(len(kinds))[:, None, None], i, j] = shapes()[kinds]
    return images


def parameters(model: nn.Module) -> int:
    """How many numbers are trained.

    >>> parameters(ConvNet(8, 4, pool=True))        # 8·(3·3 + 1) + 4·(8 + 1)
    116
    """
    return sum(p.numel() for p in model.parameters())


def run(config: Config) -> Iterator[Event]:
    """Train the three networks on the first columns, test them in each column, and shift an image."""
    torch.set_num_threads(1)  # the matrices are small: a second thread would mostly wait
    torch.manual_seed(config.seed)
    generator = torch.Generator().manual_seed(config.seed)
    kinds_of = len(SHAPES)
    scramble = torch.randperm(SIZE**2, generator=generator) if config.break_ else torch.arange(SIZE**2)

    def seen(images: Tensor) -> Tensor:
        """What the networks get to see of images (B, 8, 8): under --break the scrambled pixels."""
        return images.flatten(1)[:, scramble].view(images.shape)

    def draw(batch: int, columns: Tensor) -> tuple[Tensor, Tensor]:
        """Noisy images with their classes, shapes at random places of these columns."""
        kinds = torch.randint(kinds_of, (batch,), generator=generator)
        rows = torch.randint(PLACES, (batch,), generator=generator)
        at = columns[torch.randint(len(columns), (batch,), generator=generator)]
        images = place(kinds, rows, at)
        return seen(images + config.noise * torch.randn(images.shape, generator=generator)), kinds

    cnn = ConvNet(8, kinds_of, pool=True)
    hidden = config.hidden
    networks: dict[str, nn.Module] = {
        "CNN, pooled": cnn,
        "CNN, flattened": ConvNet(8, kinds_of, pool=False),
        "MLP": nn.Sequential(nn.Flatten(), nn.Linear(SIZE**2, hidden), nn.ReLU(), nn.Linear(hidden, kinds_of)),
    }
    optimisers = {name: torch.optim.Adam(net.parameters(), lr=1e-2) for name, net in networks.items()}
    tests = [draw(TEST, torch.tensor([column])) for column in range(PLACES)]

    def accuracy(net: nn.Module) -> list[float]:
        """Share right with the shape in each of the columns."""
        with torch.no_grad():
            return [(net(images).argmax(1) == kinds).float().mean().item() for images, kinds in tests]

    def unseen(by_column: list[float]) -> float:
        return sum(by_column[config.trained :]) / (PLACES - config.trained)

    for step in range(1, config.steps + 1):
        images, kinds = draw(BATCH, torch.arange(config.trained))
        for name, net in networks.items():
            optimisers[name].zero_grad()
            F.cross_entropy(net(images), kinds).backward()
            optimisers[name].step()
        if step % EVERY == 0 or step == config.steps:
            shares = {name: unseen(accuracy(networks[name])) for name in ("CNN, pooled", "MLP")}
            yield Metrics(step, config.steps, {"accuracy": shares["CNN, pooled"], "accuracy_mlp": shares["MLP"]})

    by_column = {name: accuracy(net) for name, net in networks.items()}
    shifts = tuple(range(PLACES))
    yield Chart(
        "line",
        f"Accuracy by place of the shape (trained on 0 to {config.trained - 1}; chance {1 / kinds_of})",
        "column of the shape",
        "accuracy",
        tuple(Series(name, shifts, tuple(line)) for name, line in by_column.items()),
    )
    numbers = {name: parameters(net) for name, net in networks.items()}
    yield Table(
        "Parameters and accuracy",
        ("network", "parameters", "trained places", "unseen places"),
        tuple(
            (n, numbers[n], round(sum(line[: config.trained]) / config.trained, 3), round(unseen(line), 3))
            for n, line in by_column.items()
        ),
    )
    everything = torch.cartesian_prod(torch.arange(kinds_of), torch.arange(PLACES), torch.arange(PLACES - 1)).T
    with torch.no_grad():
        maps = cnn.maps(seen(place(*everything)))
        shifted = cnn.maps(seen(place(everything[0], everything[1], everything[2] + 1)))
    difference = (shifted[..., 1:] - maps[..., :-1]).abs().max().item()  # where both see the whole shape
    if config.break_:
        yield Note("--break: the pixels of all images are scrambled in the same way; nothing local is left.")

    gain = unseen(by_column["CNN, pooled"]) - unseen(by_column["MLP"])
    yield Verdict(
        "On places never trained on the CNN beats the MLP by at least 15 points with at most a fifth of its "
        "parameters, and its feature maps of a shifted image are the shifted feature maps (to 1e-5)",
        holds=gain >= 0.15 and 5 * numbers["CNN, pooled"] <= numbers["MLP"] and difference < 1e-5,
        measured={
            "accuracy_cnn": unseen(by_column["CNN, pooled"]),
            "accuracy_cnn_flattened": unseen(by_column["CNN, flattened"]),
            "accuracy_mlp": unseen(by_column["MLP"]),
            "gain": gain,
            "chance": 1 / kinds_of,
            "parameters_cnn": numbers["CNN, pooled"],
            "parameters_mlp": numbers["MLP"],
            "shift_difference": difference,
        },
    )


if __name__ == "__main__":
    main(run, Config)
