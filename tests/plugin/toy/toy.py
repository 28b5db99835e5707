"""Textures that differ in direction and period, and a model that tells them apart by their spectrum."""

import torch

SIDE, IMAGES, AMPLITUDE = 96, 32, 5.0


def texture(index):
    """An image whose fine pattern, which compression blurs, tells its label."""
    noise = torch.Generator().manual_seed(index)
    y, x = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    label = index % 4
    wave = torch.sin((x if label % 2 else y) * (2 * torch.pi / (3 if label // 2 else 12)))
    light = torch.nn.functional.interpolate(torch.rand(1, 1, 6, 6, generator=noise), size=SIDE, mode="bicubic")[0, 0]
    image = 60 + 100 * light + AMPLITUDE * wave + 6 * torch.randn(SIDE, SIDE, generator=noise)
    return image.clamp(0, 255).to(torch.uint8).expand(3, -1, -1).contiguous(), label


def data():
    return [(*texture(index), f"texture-{index:03d}") for index in range(IMAGES)]


class Spectrum:
    """Scores by the energy at each class's frequency."""

    batch_size = 8

    def __call__(self, images):
        return [self.scores(image.cpu().float().mean(0)) for image in images]

    def scores(self, image):
        energy = torch.fft.rfft2(image - image.mean()).abs()
        return torch.stack([energy[8, 0], energy[0, 8], energy[32, 0], energy[0, 32]])


def model():
    return Spectrum()
