"""A leaderboard teaches as trainings do, compares on the same places, goes on where it was cut off, and says what is bad."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from engine.errors import BadInput, ConfigError
from engine.extraction.extract import ensure_store, store_folder
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import (
    ExtractConfig,
    LeaderboardConfig,
    config_hash,
    load_config,
    parse_config,
    to_yaml,
    yaml_mapping,
)
from engine.jobs.events import Noticed
from engine.jobs.leaderboard_events import DecoderTaught, LeaderboardPlanned
from engine.learning.dataset import spans_of
from engine.learning.judging.intervals import paired_difference
from engine.learning.leaderboard.few_labels import drawn_places
from engine.learning.leaderboard.report.files import read_summary
from engine.learning.leaderboard.report.tables import GEO_BENCH_2, TORCHGEO_BENCH
from engine.learning.leaderboard.results import FOLDER
from engine.learning.metrics import Confusion
from engine.learning.preparation import prepare
from engine.learning.train import train
from tests.unit.learning.chips import SPLITS, write_chips
from tests.unit.learning.leaderboard.conftest import Board, RunBoard, config_of, extraction, summary_of

ROW = {"backbone", "head", "seeds", "iou_burned_mean", "iou_burned_std", "miou_mean", "interval", "seconds"}


def without_times(summary: dict[str, Any]) -> dict[str, Any]:
    """What must be the same again: all but how long things took."""
    return json.loads(re.sub(r'"(extract_)?seconds": [\d.]+', '"seconds": 0', json.dumps(summary)))


def test_there_is_one_row_a_backbone_and_head_with_mean_deviation_and_interval(board: Board) -> None:
    rows = summary_of(board[1])["rows"]
    assert len(rows) == 4
    for row in rows:
        assert row.keys() >= ROW
        scores = [one["iou_burned"] for one in row["by_seed"]]
        assert row["iou_burned_mean"] == pytest.approx(np.mean(scores))
        assert row["iou_burned_std"] == pytest.approx(np.std(scores, ddof=1))
        assert row["interval"][0] <= row["iou_burned_mean"] <= row["interval"][1]
    assert {row["backbone"] for row in rows} == {"raw · patches of 4 px", "raw · patches of 8 px"}
    means = [row["iou_burned_mean"] for row in rows]
    assert means == sorted(means, reverse=True)


def test_a_decoder_of_the_board_scores_what_a_training_of_its_own_scores(
    board: Board, ground: Path, tmp_path: Path
) -> None:
    config = config_of(ground)
    for row in summary_of(board[1])["rows"]:
        if row["backbone"].endswith("4 px"):
            head = next(one for one in config.heads if one.name == row["head"])
            alone = config.training_of(str(ground / "four"), head, 1, None, "keep")
            folder = tmp_path / row["head"]
            run_folder.create(folder, alone)
            scores = list(train(alone, folder, ground))[-1].scores  # type: ignore[union-attr]
            assert row["by_seed"][1]["iou_burned"] == scores["iou_burned"]
            assert row["by_seed"][1]["miou"] == scores["miou"]


def test_the_row_of_a_backbone_is_chosen_on_validation_and_compared_on_the_same_places(board: Board) -> None:
    summary = summary_of(board[1])
    for backbone in {row["backbone"] for row in summary["rows"]}:
        own = [row for row in summary["rows"] if row["backbone"] == backbone]
        (chosen,) = [row for row in own if row["is_chosen"]]
        assert chosen["validation_mean"] == max(row["validation_mean"] for row in own)
    pair, *within = summary["pairs"]
    winning = pair["better"] if summary["verdict"]["winner"] == pair["better"] else pair["other"]
    others = [
        one for one in summary["rows"] if one["backbone"] == winning["backbone"] and not one["is_chosen"]
    ]
    assert others
    assert [(one["better"]["head"], one["other"]["head"]) for one in within] == [
        (winning["head"], one["head"]) for one in others
    ]
    by_name = {(row["backbone"], row["head"]): row["iou_burned_mean"] for row in summary["rows"]}
    better, other = (by_name[one["backbone"], one["head"]] for one in (pair["better"], pair["other"]))
    assert pair["value"] == pytest.approx(better - other)
    assert pair["places"] == 3
    winner = summary["verdict"]["sentences"][0]
    assert "maps burnt ground better than" in winner if pair["is_clear"] else "cannot be told apart" in winner
    assert "NBR" in summary["verdict"]["sentences"][1]


def test_the_same_counts_cannot_be_told_apart_and_much_better_ones_can() -> None:
    def iou(summed: np.ndarray) -> float:
        return Confusion(summed.reshape(2, 2)).iou()

    same = np.tile([50, 5, 5, 40], (8, 1))
    assert not paired_difference(same, same, iou).is_clear
    assert paired_difference(np.tile([55, 0, 0, 45], (8, 1)), same, iou).is_clear


def test_few_labels_draw_the_same_places_for_all_and_smaller_draws_lie_in_larger_ones(
    ground: Path, board: Board
) -> None:
    prepared = last_of(
        prepare(
            config_of(ground).training_of(str(ground / "four"), config_of(ground).heads[0], 0, None, "keep"),
            ground,
        )
    )
    for seed in range(3):
        one, two = (set(drawn_places(prepared, share, seed).tolist()) for share in (0.25, 0.5))
        assert len(one) == 1
        assert len(two) == 2
        assert one < two
    train = prepared.split.tiles["train"]
    truth, unlabelled = prepared.truth.copy(), train[prepared.split.places[train] != min(one)]
    for index in unlabelled.tolist():
        truth[spans_of(prepared.store)[index].rows] = -1
    assert drawn_places(replace(prepared, truth=truth), 0.5, 0).tolist() == list(one), (
        "of places without labels nothing is learned"
    )
    for curve in summary_of(board[1])["curves"]:
        assert [point["places"] for point in curve["points"]] == [1, 2, 4]
        row = next(
            row
            for row in summary_of(board[1])["rows"]
            if (row["backbone"], row["head"]) == (curve["backbone"], curve["head"])
        )
        assert curve["points"][-1]["mean"] == row["iou_burned_mean"]


def last_of(steps: Any) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_a_run_that_was_cut_off_goes_on_and_ends_like_an_undisturbed_one(
    board: Board, run_board: RunBoard, tmp_path: Path
) -> None:
    whole, halfway = board[0], tmp_path / "halfway"
    (halfway / FOLDER).mkdir(parents=True)
    kept = sorted((whole / FOLDER).glob("*.json"))[::2]
    for path in kept:
        (halfway / FOLDER / path.name).write_bytes(path.read_bytes())
    (halfway / FOLDER / kept[0].name).write_text('{"learned_from": "half a')
    (halfway / "config.yaml").write_text((whole / "config.yaml").read_text())
    _, again = run_board("halfway", label_shares=[0.25, 0.5])
    (planned,) = [event for event in again if isinstance(event, LeaderboardPlanned)]
    assert planned.done == len(kept) - 1
    assert (
        len([event for event in again if isinstance(event, DecoderTaught)]) == planned.decoders - planned.done
    )
    assert without_times(summary_of(again)) == without_times(summary_of(board[1]))
    for name in ("leaderboard.svg", "few_labels.svg", "geo_bench_2.csv", "torchgeo_bench.csv"):
        assert (halfway / name).read_bytes() == (whole / name).read_bytes()


def test_nothing_is_told_of_the_test_before_every_decoder_is_taught(board: Board) -> None:
    taught = [event for event in board[1] if isinstance(event, DecoderTaught)]
    assert [event.done for event in taught] == list(range(1, len(taught) + 1))
    assert taught[-1].seconds_left == 0
    assert not any("test" in key for key in vars(taught[0]))


def test_the_files_hold_the_columns_that_other_boards_take(board: Board) -> None:
    folder = board[0]
    geo = (folder / "geo_bench_2.csv").read_text().splitlines()
    assert geo[0].split(",") == list(GEO_BENCH_2)
    assert len(geo) == 1 + 4 * 2
    torchgeo = (folder / "torchgeo_bench.csv").read_text().splitlines()
    assert torchgeo[0].split(",") == list(TORCHGEO_BENCH)
    assert {line.split(",")[1] for line in torchgeo[1:]} == {"seg-linear", "knn3"}
    for name in (
        "leaderboard.csv",
        "geo_bench_2.csv",
        "torchgeo_bench.csv",
    ):  # what is not there is an empty cell
        assert "'" not in (folder / name).read_text()
    page = (folder / "leaderboard.html").read_text()
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    assert page.index("Published by others") > page.index("All rows")
    assert read_summary(folder)["rows"] == json.loads(json.dumps(summary_of(board[1])["rows"]))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stores": ["{four}", "{home}/./four"]}, "hold the same embeddings of raw"),
        ({"stores": ["{four}", "{far}"]}, "covers other ground.*9 of its 9 places"),
        ({"stores": ["{four}", "{home}/nothing"]}, "is no embedding store"),
        ({"heads": ["linear", "fusion"]}, "fusion joins two layers"),
        ({"layers": [[5]]}, "no layer 5"),
        ({"travel": "sensor"}, "no two groups"),
        ({"training": {"labels": {"source": "raster", "path": "{home}/none.tif"}}}, "none.tif"),
        ({"training": {"task": "burn_severity"}}, "severity"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_words(
    run_board: RunBoard, ground: Path, changes: dict[str, Any], words: str
) -> None:
    named = {"home": str(ground), "four": str(ground / "four"), "far": str(ground / "far")}
    filled = json.loads(re.sub(r"\{(home|four|far)\}", lambda found: named[found[1]], json.dumps(changes)))
    with pytest.raises(BadInput, match=words):
        run_board("board", **filled)


def test_a_store_that_is_not_whole_is_refused_before_anything_is_taught(
    run_board: RunBoard, ground: Path, tmp_path: Path
) -> None:
    (tmp_path / "half" / "store.unfinished").mkdir(parents=True)
    with pytest.raises(BadInput, match="unfinished"):
        run_board("board", stores=[str(ground / "four"), str(tmp_path / "half")])


def test_an_extraction_that_cannot_be_made_is_refused_before_another_is_begun(
    run_board: RunBoard, ground: Path
) -> None:
    whole, broken = (extraction(ground / "chips", patch).model_dump(mode="json") for patch in (16, 4))
    broken["backbone"] = {"name": "rfc"}
    with pytest.raises(BadInput, match="rfc"):
        run_board("board", stores=[whole, broken])
    assert not store_folder(extraction(ground / "chips", 16), ground).exists()


def test_layers_one_by_one_are_rows_of_the_stores_that_have_several(
    run_board: RunBoard, ground: Path
) -> None:
    _, events = run_board("each", layers=[None, "each", [7]], heads=["knn"], seeds=[0])
    rows = summary_of(events)["rows"]
    assert [row["layers"] for row in rows] == [[0], [0]]
    assert any("no row of layers 7" in event.message for event in events if isinstance(event, Noticed))


def test_the_configuration_of_the_season_names_nine_rows() -> None:
    config = load_config(Path(__file__).parents[4] / "assets" / "configs" / "leaderboard" / "simulated.yaml")
    assert isinstance(config, LeaderboardConfig)
    assert len(config.stores) * len(config.heads) == 9
    assert len(config.seeds) == 3


def test_scene_and_backbones_are_an_extraction_each_and_survive_their_yaml() -> None:
    config = parse_config({
        "kind": "leaderboard", "scene": {"source": "simulated", "seed": 0, "date": "post"}, "backbones": ["rcf", {"name": "raw"}],
    })  # fmt: skip
    assert config.kind == "leaderboard"
    assert [one.backbone.name for one in config.stores if isinstance(one, ExtractConfig)] == ["rcf", "raw"]
    again = parse_config(yaml_mapping(to_yaml(config).encode(), "again"))
    assert again == config
    assert config_hash(again) == config_hash(config)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seeds": [1, 1]}, "seeds names the same twice"),
        ({"stores": ["a", "a"]}, "stores names the same twice"),
        ({"backbones": ["rcf"]}, "scene and backbones"),
        ({"training": {"seed": 3}}, "seed differ from decoder to decoder"),
        ({"training": {"epoch": 3}}, "did you mean 'epochs'"),
        ({"label_shares": [0]}, "label_shares"),
        ({"travel_stores": ["b"]}, "go with travel"),
        ({"heads": ["mpl"]}, "mlp"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_named_in_one_line(
    changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        parse_config({"kind": "leaderboard", "stores": ["a", "b"], **changes})


def test_test_places_without_a_label_are_no_places(run_board: RunBoard, tmp_path: Path) -> None:
    folder, unlabelled = write_chips(tmp_path / "chips"), SPLITS["test"][0]
    with rasterio.open(folder / "data" / f"chip{unlabelled}.mask.tif", "r+") as mask:
        mask.write(np.full((1, mask.height, mask.width), -1, np.int16))
    config = extraction(folder, 8)
    for _ in ensure_store(config, tmp_path):
        pass
    _, events = run_board(stores=[str(store_folder(config, tmp_path))], label_shares=[0.5], seeds=[0])
    summary = summary_of(events)
    assert {row["places"] for row in summary["rows"]} == {len(SPLITS["test"]) - 1}
    assert {one["places"] for one in summary["pairs"]} == {len(SPLITS["test"]) - 1}
    assert {one["to_leading"]["places"] for one in summary["baselines"]} == {len(SPLITS["test"]) - 1}
