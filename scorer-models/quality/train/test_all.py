"""Small facts that everything else rests on: python -m unittest."""

import unittest

import numpy as np
import torch
from PIL import Image

import calibrate
import judge
import pixels
import train
from model import CELL, CHANNELS, DEEP, Scorer, cells


class Pixels(unittest.TestCase):
    def test_heights_are_rounded_with_halves_up(self) -> None:
        for width, height, expected in ((1280, 1078, 431), (1280, 1079, 432), (1024, 3, 2), (1024, 1, 1), (1920, 1, 1), (1, 1, 512)):
            self.assertEqual(pixels.scaled_height(width, height), expected, (width, height))

    def test_thin_last_strips_are_left_out(self) -> None:
        for scaled, expected in ((1, 1), (384, 1), (431, 1), (432, 2), (3072, 8), (90_000, 8)):
            self.assertEqual(pixels.tile_count(scaled), expected, scaled)

    def test_tiles_end_in_white(self) -> None:
        tiles = pixels.tiles(Image.new("RGB", (512, 500), (1, 2, 3)))
        self.assertEqual(tiles.shape, (2, 384, 512, 3))
        self.assertTrue((tiles[1, :116] == (1, 2, 3)).all() and (tiles[1, 116:] == 255).all())

    def test_transparent_is_white(self) -> None:
        self.assertEqual(pixels.on_white(Image.new("RGBA", (1, 1), (0, 0, 0, 0))).getpixel((0, 0)), (255, 255, 255))


class Net(unittest.TestCase):
    def test_cells_of_a_flat_picture(self) -> None:
        found = cells(torch.full((1, 3, 8, 8), 0.5))
        self.assertEqual(found.shape, (1, CHANNELS, 8 // CELL, 8 // CELL))
        expected = torch.tensor([0.5, 0.5, 0.5, 0, 0, 0, 0.5, 0.5, 0]).view(1, -1, 1, 1).expand_as(found)
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)

    def test_absent_tiles_and_unknown_features_change_nothing(self) -> None:
        torch.manual_seed(1)
        scorer = Scorer(3).eval()
        overview, tiles = torch.rand(1, 3, 32, 32), torch.rand(1, 3, 3, 32, 32)
        nothing = torch.full((1, 3), torch.nan)
        short = scorer(overview, tiles[:, :2], torch.tensor([2]), nothing)
        filled = scorer(overview, tiles, torch.tensor([2]), nothing)
        for a, b in zip(short, filled):
            torch.testing.assert_close(a, b)
        self.assertTrue(torch.isfinite(filled[0]).all())
        self.assertEqual(scorer.tile(cells(tiles[0])).shape, (3, 2 * DEEP))


class Ranking(unittest.TestCase):
    def test_a_chain_gives_all_its_pairs(self) -> None:
        self.assertEqual(train.chain_pairs([7, 3, 5]), ([7, 7, 3], [3, 5, 5]))

    def test_the_better_score_costs_less(self) -> None:
        score = torch.tensor([2.0, -2.0])
        self.assertLess(train.rank(score, [0], [1]), train.rank(score, [1], [0]))


class Figures(unittest.TestCase):
    def test_ranks_and_correlation(self) -> None:
        self.assertEqual(judge.ranks(np.array([3.0, 1.0, 3.0])).tolist(), [1.5, 0.0, 1.5])
        self.assertAlmostEqual(judge.spearman(np.array([1.0, 2.0, 9.0]), np.array([0, 5, 6])), 1.0)
        self.assertEqual(judge.spearman(np.ones(3), np.arange(3)), 0.0)

    def test_auc_counts_draws_as_half(self) -> None:
        entry = judge.Sites(["a", "b"]).auc(np.array([1.0, 0.0]), ["a", "b"], np.array([0.0]), ["a"])
        self.assertEqual(entry["mean"], 0.75)

    def test_a_linear_fit_finds_the_direction(self) -> None:
        lot = np.random.default_rng(1)
        weights = judge.linear(lot.normal(size=(200, 2)) + (1.0, 0.0))
        self.assertGreater(weights[0], 5 * abs(weights[1]))

    def test_platt_is_half_way_in_the_middle(self) -> None:
        good, bad = np.random.default_rng(1).normal(size=(2, 500))
        numbers = calibrate.platt(good + 2, bad - 2)
        self.assertAlmostEqual(float(calibrate.probability(np.float64(0), numbers)), 0.5, delta=0.05)
        calibrated = judge.reliability(calibrate.probability(good + 2, numbers), calibrate.probability(bad - 2, numbers))
        self.assertLess(calibrated["error"], 0.03)


if __name__ == "__main__":
    unittest.main()
